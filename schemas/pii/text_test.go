package pii_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"millrace/schemas/pii"
)

const secret = "alice@example.com"

type exported struct {
	Name string
	Mail pii.Text
}

type hidden struct {
	Name string
	mail pii.Text
}

// wrong tells how output betrays the secret: as text, quoted, in hexadecimal
// of either case, or as a list of byte values.
func wrong(out string) string {
	for _, form := range []string{
		secret, "alice", fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret),
		strings.Trim(fmt.Sprint([]byte(secret)), "[]"), "97 108 105", "0x61, 0x6c", "YWxpY2",
	} {
		if strings.Contains(out, form) {
			return form
		}
	}
	return ""
}

func TestTextKeepsItsBytes(t *testing.T) {
	b := []byte(secret)
	text := pii.Of(b)
	if got := pii.Reveal(text); !bytes.Equal(got, b) || text.Len() != len(b) || text.Empty() {
		t.Errorf("Reveal = %q, Len = %d, Empty = %v", got, text.Len(), text.Empty())
	}
	for _, none := range []pii.Text{{}, pii.Of(nil), pii.Of([]byte{})} {
		if !none.Empty() || none.Len() != 0 || len(pii.Reveal(none)) != 0 {
			t.Errorf("empty text has %d bytes", none.Len())
		}
	}
}

func TestNoVerbPrintsText(t *testing.T) {
	text := pii.Of([]byte(secret))
	values := map[string]any{
		"value": text, "pointer": &text, "slice": []pii.Text{text}, "array": [1]pii.Text{text},
		"map": map[string]pii.Text{"k": text}, "key": map[pii.Text]int{text: 1},
		"struct": exported{"n", text}, "struct pointer": &exported{"n", text},
		"unexported field": hidden{"n", text}, "pointer to unexported field": &hidden{"n", text},
		"slice of unexported field": []hidden{{"n", text}}, "any": []any{text},
	}
	for name, v := range values {
		for verb := '!'; verb <= '~'; verb++ {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "#+ 030.2", "[1]"} {
				out := fmt.Sprintf("%"+flags+string(verb), v)
				if form := wrong(out); form != "" {
					t.Fatalf("%s under %%%s%c shows %q: %s", name, flags, verb, form, out)
				}
			}
		}
	}
	if got := fmt.Sprintf("%v %s %d %x %q %#v", text, text, text, text, text, text); got != strings.TrimSpace(strings.Repeat("[pii] ", 6)) {
		t.Errorf("placeholder: %s", got)
	}
	if got := text.String() + text.GoString() + fmt.Sprintln(text); got != "[pii][pii][pii]\n" {
		t.Errorf("placeholder: %s", got)
	}
}

func TestErrorsDoNotQuoteText(t *testing.T) {
	text := pii.Of([]byte(secret))
	err := fmt.Errorf("row of %v: %w", text, errors.Join(fmt.Errorf("%s", text), fmt.Errorf("%+v", hidden{"n", text})))
	if form := wrong(err.Error()); form != "" {
		t.Errorf("error shows %q: %v", form, err)
	}
}

func TestNoEncoderWritesText(t *testing.T) {
	text := pii.Of([]byte(secret))
	encoders := map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"xml":  xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
	}
	for name, encode := range encoders {
		for kind, v := range map[string]any{"alone": text, "pointer": &text, "field": exported{"n", text}, "slice": []pii.Text{text}} {
			out, err := encode(v)
			if err == nil {
				t.Errorf("%s of %s succeeds: %q", name, kind, out)
			}
			if form := wrong(string(out) + fmt.Sprint(err)); form != "" {
				t.Errorf("%s of %s shows %q", name, kind, form)
			}
		}
		// An unexported field is not encoded; the rest of the struct may be.
		out, err := encode(hidden{"n", text})
		if form := wrong(string(out) + fmt.Sprint(err)); form != "" {
			t.Errorf("%s of an unexported field shows %q", name, form)
		}
	}
	if _, err := json.Marshal(map[pii.Text]int{text: 1}); err == nil {
		t.Error("json accepts a text as a map key")
	}
	if v, err := text.MarshalYAML(); !errors.Is(err, pii.ErrEncode) || v != nil {
		t.Errorf("MarshalYAML = %v, %v", v, err)
	}
	for name, hook := range map[string]func() ([]byte, error){
		"MarshalText": text.MarshalText, "MarshalBinary": text.MarshalBinary, "GobEncode": text.GobEncode,
		"AppendText":   func() ([]byte, error) { return text.AppendText(nil) },
		"AppendBinary": func() ([]byte, error) { return text.AppendBinary(nil) },
	} {
		if out, err := hook(); !errors.Is(err, pii.ErrEncode) || len(out) != 0 {
			t.Errorf("%s = %q, %v", name, out, err)
		}
	}
}

func TestLogsShowThePlaceholder(t *testing.T) {
	text := pii.Of([]byte(secret))
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var b bytes.Buffer
		log := slog.New(handler(&b)).With("with", text)
		log.Info("m", "value", text, "group", slog.GroupValue(slog.Any("inner", text)),
			"struct", exported{"n", text}, "hidden", hidden{"n", text}, "list", []pii.Text{text})
		if form := wrong(b.String()); form != "" {
			t.Errorf("%s handler shows %q: %s", name, form, b.String())
		}
		if !strings.Contains(b.String(), pii.Placeholder) {
			t.Errorf("%s handler shows no placeholder: %s", name, b.String())
		}
	}
}
