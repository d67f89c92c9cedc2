package evalmask

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"millrace/schemas/pii"
	"millrace/transforms/mask"
)

// labels are the names that the labelled sentences give our types.
var labels = map[string]mask.Type{
	"EMAIL_ADDRESS": mask.Email, "CREDIT_CARD": mask.Card, "IBAN_CODE": mask.IBAN, "IP_ADDRESS": mask.IP,
	"US_SSN": mask.SSN, "PHONE_NUMBER": mask.Phone,
}

// GivenTypes are the types that the labelled sentences have.
func GivenTypes() []mask.Type {
	return []mask.Type{mask.Email, mask.Card, mask.IBAN, mask.IP, mask.SSN, mask.Phone}
}

// Sentences reads synth_text_*.json.gz from a folder: sentences with labelled
// spans, their places in code points.
func Sentences(dir string) ([]Text, error) {
	names, err := filepath.Glob(filepath.Join(dir, "synth_text_*.json.gz"))
	if err == nil && len(names) == 0 {
		err = errors.New("no synth_text_*.json.gz there")
	}
	if err != nil {
		return nil, fmt.Errorf("reading labelled sentences from %s: %w", dir, err)
	}
	var out []Text
	for _, name := range names {
		var rows []struct {
			Text  string `json:"full_text"`
			Spans []struct {
				Type string `json:"entity_type"`
				From int    `json:"start_position"`
				To   int    `json:"end_position"`
			}
		}
		if err := readJSON(name, &rows); err != nil {
			return nil, err
		}
		for _, r := range rows {
			t := Text{Text: r.Text}
			at := byteOffsets(r.Text)
			for _, s := range r.Spans {
				if typ := labels[s.Type]; typ != "" && s.To < len(at) {
					t.Spans = append(t.Spans, Span{typ, at[s.From], at[s.To]})
				}
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// Case is a text for the recogniser of one type.
type Case struct {
	Type  string
	Text  string
	Count int      // findings expected
	Spans [][2]int // in code points, where stated
}

// Cases reads recognizer_cases.json from a folder.
func Cases(dir string) ([]Case, error) {
	var file struct{ Cases []Case }
	if err := readJSON(filepath.Join(dir, "recognizer_cases.json"), &file); err != nil {
		return nil, err
	}
	return file.Cases, nil
}

// caseTypes maps types of cases to ours where the names differ.
var caseTypes = map[string]mask.Type{"credit_card": mask.Card}

// TypeOf is our type of a case, and whether there is one.
func (c Case) TypeOf() (mask.Type, bool) {
	want := mask.Type(c.Type)
	if t, ok := caseTypes[c.Type]; ok {
		return t, true
	}
	for _, t := range mask.AllTypes() {
		if t == want {
			return t, true
		}
	}
	return "", false
}

// Check runs a case: the type alone, its context assumed, as in a field that is
// known to hold it. It returns an empty text or what differs.
func (c Case) Check() string {
	t, ok := c.TypeOf()
	if !ok {
		return "no such type here"
	}
	m := mask.New("eval", [32]byte{1}, mask.Options{
		Types: []mask.Type{t}, Assume: []mask.Type{t}, Methods: map[mask.Type]mask.Method{mask.IP: mask.Tokenise},
	})
	var got [][2]int
	for _, f := range m.Find(pii.Of([]byte(c.Text)), mask.FreeText) {
		got = append(got, [2]int{len([]rune(c.Text[:f.Start])), len([]rune(c.Text[:f.End]))})
	}
	if len(got) != c.Count || c.Spans != nil && fmt.Sprint(got) != fmt.Sprint(c.Spans) {
		return fmt.Sprintf("found %v, want %d %v", got, c.Count, c.Spans)
	}
	return ""
}

// ByType gathers the cases of one type as labelled texts.
func ByType(cases []Case, t mask.Type) []Text {
	var out []Text
	for _, c := range cases {
		typ, ok := c.TypeOf()
		if !ok || typ != t || c.Spans == nil && c.Count > 0 {
			continue
		}
		text := Text{Text: c.Text}
		at := byteOffsets(c.Text)
		for _, s := range c.Spans {
			text.Spans = append(text.Spans, Span{t, at[s[0]], at[s[1]]})
		}
		if len(c.Spans) == 0 {
			text.Miss = t
		}
		out = append(out, text)
	}
	return out
}

// byteOffsets maps code points of s, and its end, to bytes.
func byteOffsets(s string) []int {
	var at []int
	for i := range s {
		at = append(at, i)
	}
	return append(at, len(s))
}

func readJSON(name string, into any) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading labelled data: %w", err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		r = z
	}
	if err := json.NewDecoder(r).Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}
