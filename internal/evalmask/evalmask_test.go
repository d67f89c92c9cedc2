package evalmask_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/evalmask"
	"millrace/transforms/mask"
)

var pii = filepath.Join("..", "..", "testdata", "pii")

// least is the F1 that a type must reach.
func least(t mask.Type, atLeast float64) float64 {
	if t == mask.Phone {
		return 0.85
	}
	return atLeast
}

func TestLabelledSentencesAreFoundExactly(t *testing.T) {
	texts, err := evalmask.Sentences(pii)
	if err != nil {
		t.Fatal(err)
	}
	scores, wrong := evalmask.Measure(texts, evalmask.GivenTypes())
	enough := 0
	for _, s := range scores {
		if s.Spans >= 50 {
			enough++
		}
		if s.Spans == 0 || s.F1() < least(s.Type, 0.95) {
			t.Errorf("%s: F1 %.3f of %d spans", s.Type, s.F1(), s.Spans)
		}
	}
	if enough < 2 {
		t.Errorf("only %d types have 50 spans: the data is not what it was", enough)
	}
	if t.Failed() {
		for _, w := range wrong {
			t.Logf("%s, missed %v: %q", w.Span.Type, w.Missed, w.Text.Text[w.Span.Start:w.Span.End])
		}
	}
}

func TestGeneratedValuesAreFoundAndNearMissesAreNot(t *testing.T) {
	for seed := range uint64(3) {
		scores, wrong := evalmask.Measure(evalmask.Generate(seed, 1000), evalmask.GeneratedTypes())
		for _, s := range scores {
			if s.Spans < 1000 || s.NearMisses < 1000 || s.F1() < least(s.Type, 0.98) {
				t.Errorf("seed %d, %s: F1 %.3f of %d spans and %d near misses", seed, s.Type, s.F1(), s.Spans, s.NearMisses)
			}
		}
		if t.Failed() {
			for _, w := range wrong[:min(40, len(wrong))] {
				t.Logf("%s, missed %v: %q in %q", w.Span.Type, w.Missed, w.Text.Text[w.Span.Start:w.Span.End], w.Text.Text)
			}
		}
	}
}

// disagreements are the cases that we decide otherwise than their authors.
var disagreements = map[string]string{
	"My US number is (415) 555-0132, and my international one is415-555-0132":     "glued to a word, a number is part of that word",
	"My US number is (415) 555-0132, and my international one is 91-415-555-0132": "upstream has the text twice, once with one number and once with two, by how lenient it is told to be",
	"AAASA1111R":       "a weak form upstream: the fourth letter names the kind of holder, and S is none",
	"ABCND1234Z":       "a weak form upstream: the fourth letter names the kind of holder, and N is none",
	"12345678903":      "a number has one digit two or three times among its first ten; here there is none",
	"AAAAAA00B11C333N": "a weak form upstream: the check letter is Y",
}

func TestRecogniserCasesAgreeButForReasons(t *testing.T) {
	cases, err := evalmask.Cases(pii)
	if err != nil {
		t.Fatal(err)
	}
	types, used := map[mask.Type]bool{}, map[string]bool{}
	for _, c := range cases {
		typ, ok := c.TypeOf()
		if !ok {
			if c.Type != "date" && c.Type != "url" { // no identifiers: a date is generalised by field, a URL scanned for what is in it
				t.Errorf("%s is no type", c.Type)
			}
			continue
		}
		types[typ] = true
		said := c.Check()
		switch reason := disagreements[c.Text]; {
		case said == "":
		case reason == "":
			t.Errorf("%s, %q: %s", c.Type, c.Text, said)
		default:
			used[c.Text] = true
		}
	}
	if len(types) < 26 {
		t.Errorf("%d types of 26 have cases", len(types))
	}
	for text := range disagreements {
		if !used[text] {
			t.Errorf("%q agrees by now: take its reason out", text)
		}
	}
	for _, typ := range []mask.Type{mask.IBAN, mask.IP} {
		scores, _ := evalmask.Measure(evalmask.ByType(cases, typ), []mask.Type{typ})
		if s := scores[0]; s.F1() < 0.95 || s.Spans < 30 {
			t.Errorf("%s as free text: F1 %.3f of %d", typ, s.F1(), s.Spans)
		}
	}
}

func TestReportHasEveryTypeAndNoText(t *testing.T) {
	var out bytes.Buffer
	if err := evalmask.Report(&out, pii, 7, 20); err != nil {
		t.Fatal(err)
	}
	for _, typ := range append(evalmask.GivenTypes(), evalmask.GeneratedTypes()...) {
		if !strings.Contains(out.String(), "| "+string(typ)) {
			t.Errorf("%s is not in it", typ)
		}
	}
	if err := evalmask.Report(&out, t.TempDir(), 7, 20); err == nil || !strings.Contains(err.Error(), "synth_text") {
		t.Errorf("of an empty folder: %v", err)
	}
}
