package generate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

// specOf is how a reader is told of a layout.
func specOf(t *testing.T, f Format) decode.Decoder {
	t.Helper()
	text := string(f)
	if tells, ok := FormatFiles[f]; ok {
		text += "@" + tells.Name
	}
	spec, err := decode.Given(text, func(string) ([]byte, error) { return []byte(FormatFiles[f].Text), nil })
	if err != nil {
		t.Fatal(err)
	}
	d, err := spec.Open()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestEveryLayoutTellsTheSame: of one seed, line by line, what combined tells, but
// for what a layout has no place for.
func TestEveryLayoutTellsTheSame(t *testing.T) {
	tell := func(f Format) (said []string) {
		d := specOf(t, f)
		var log decode.AccessLog
		for _, line := range run(t, WeblogConfig{Lines: 20_000, Seed: 5, Malformed: -1, Format: f}).lines {
			if skip, reason := d.Decode([]byte(line), &log); skip || reason != badrow.None {
				t.Fatalf("%s: %q: %s", f, line, reason)
			}
			text := fmt.Sprint(log.Time, log.Addr, log.Status, max(log.Bytes, 0), string(pii.Reveal(log.UserAgent)))
			if len(log.Method) > 0 {
				text += fmt.Sprint(" ", string(log.Method), string(pii.Reveal(log.Target)))
			}
			said = append(said, text)
		}
		return said
	}
	want := tell(Combined)
	for _, f := range formats {
		if diff := cmp.Diff(want, tell(f)); diff != "" && f != Common {
			t.Errorf("%s (-combined):\n%.2000s", f, diff)
		}
	}
}

func TestTheTruthOfEveryLayoutIsWhatADecoderFinds(t *testing.T) {
	for _, f := range formats {
		got := run(t, WeblogConfig{Lines: 20_000, Seed: 6, Malformed: 0.05, LongLine: 5000, Format: f})
		d := specOf(t, f)
		var log decode.AccessLog
		events, bad := int64(0), map[string]int64{}
		for _, line := range got.lines {
			switch skip, reason := d.Decode([]byte(line), &log); {
			case skip:
				t.Errorf("%s: %q is skipped", f, line)
			case len(line) >= 5000:
				bad[string(badrow.TooLong)]++
			case reason != badrow.None:
				bad[string(reason)]++
			default:
				events++
			}
		}
		if diff := cmp.Diff(got.truth.BadByReason, bad); diff != "" || events != got.truth.Events {
			t.Errorf("%s: %d events, %d in truth; bad lines (-truth):\n%s", f, events, got.truth.Events, diff)
		}
	}
}

// TestCanariesStandWhereReadersMustNotLook in layouts that have such places.
func TestCanariesStandWhereReadersMustNotLook(t *testing.T) {
	for f, places := range map[Format][]string{ALB: {";Of="}, CloudFront: {"\tof="}, Nginx: {`" 0.135 "`}, JSON: {`"account":{"of":["`}} {
		got := run(t, WeblogConfig{Lines: 20_000, Canaries: 200, Seed: 7, Format: f})
		text := strings.Join(got.lines, "\n")
		for _, place := range places {
			if n := strings.Count(text, place); n < 1000 {
				t.Errorf("%s: %q is there %d times", f, place, n)
			}
		}
	}
}
