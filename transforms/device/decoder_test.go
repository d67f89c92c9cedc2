package device_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/device"
)

func open(t testing.TB, format string) *device.Decoder {
	t.Helper()
	s, err := device.ParseSpec(format)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// show is a line as a text: its fields, or why it is no record.
func show(d *device.Decoder, line string) string {
	var r device.Record
	skip, reason := d.Decode([]byte(line), &r)
	switch {
	case skip:
		return "skipped"
	case reason != badrow.None:
		return "bad: " + string(reason)
	}
	text := fmt.Sprintf("%d dev=%s pat=%s asset=%s %s|%s=%s %s q=%s", r.Time, pii.Reveal(r.Device), pii.Reveal(r.Patient), pii.Reveal(r.Asset), r.System, r.Code, r.Value, r.Unit, r.Quality)
	if r.Numbered {
		text += fmt.Sprintf(" no=%d", r.Sequence)
	}
	if r.DeviceTime != 0 {
		text += fmt.Sprintf(" at=%d", r.DeviceTime)
	}
	return text
}

const header = "csv | event_time,device_id,patient_id,code,value,unit,quality"

func TestRecordsOfEachFormat(t *testing.T) {
	for _, c := range []struct{ format, line, want string }{
		{"json", `{"event_time":"2026-03-01T10:00:00Z","device_id":"m1","patient_id":"p7","code_system":"s","code":"8867-4","value":72.5,"unit":"/min","device_time":1772359199.5,"sequence":9,"quality":"ok"}`, "1772359200000 dev=m1 pat=p7 asset= s|8867-4=72.5 /min q=ok no=9 at=1772359199500"},
		{"json", "\xef\xbb\xbf" + `{"event_time":1772359200,"device_id":"m1","code":"x","value":2}`, "1772359200000 dev=m1 pat= asset= |x=2  q="},
		{"json", `{"event_time":1772359200,"device_id":"m1","asset_id":"pump","code":"x","value":"1e3"}`, "1772359200000 dev=m1 pat= asset=pump |x=1e3  q="},
		{"json", `{"event_time":"2026-03-01T10:00:00Z","device_id":"m1","code":"x"}`, "bad: format"},
		{"json", `{"event_time":"2026-03-01T10:00:00","device_id":"m1","code":"x","value":1}`, "bad: timestamp"},
		{"json", `{"device_id":"m1","code":"x","value":1}`, "bad: timestamp"},
		{"json", `{"event_time":"2026-03-01T10:00:00Z","device_id":"m1","code":"x","value":1,"sequence":"nine"}`, "bad: number"},
		{"json", `{"event_time":"2026-03-01T10:00:00Z","device_id":"` + strings.Repeat("m", 257) + `","code":"x","value":1}`, "bad: format"},
		{"json", `{"event_time":"2026-03-01T10:00:00Z","device_id":"m`, "bad: truncated"},
		{"json", `[1]`, "bad: format"},
		{"json", ``, "skipped"},
		{"json", `{ "index" : { "_index" : "coffee", "_id" : "1" } }`, "skipped"},
		{"json time=@timestamp device=entityID code:=cups value=quantity", `{"@timestamp":"2018-02-27T22:26:39Z","entityID":"zwave.quad2","quantity":1}`, "1519770399000 dev=zwave.quad2 pat= asset= |cups=1  q="},
		{"json value=readings.0.v device:=fixed", `{"event_time":"2026-03-01T10:00:00Z","code":"x","readings":[{"v":4},{"v":5}]}`, "1772359200000 dev=fixed pat= asset= |x=4  q="},
		{header, `2026-03-01T10:00:00Z,m1,p7,8867-4,72,/min,`, "1772359200000 dev=m1 pat=p7 asset= |8867-4=72 /min q="},
		{header, `"2026-03-01T10:00:00Z","m,1","p""7",8867-4,72,/min,good`, `1772359200000 dev=m,1 pat=p"7 asset= |8867-4=72 /min q=good`},
		{header, "event_time,device_id,patient_id,code,value,unit,quality", "skipped"},
		{header, "\xef\xbb\xbfevent_time,device_id,patient_id,code,value,unit,quality", "skipped"},
		{header, `2026-03-01T10:00:00Z,m1,p7`, "bad: truncated"},
		{header, `2026-03-01T10:00:00Z,"m1`, "bad: truncated"},
		{header, `2026-03-01T10:00:00Z,"m1"x,p7,8867-4,72,/min,`, "bad: format"},
		{header, `a,b,c,d,e,f,g,h`, "bad: format"},
		{"csv time=timestamp device:=room code:=temperature unit:=[degF] zone:=+00:00 | timestamp,value", "2013-07-04 00:00:00,69.88", "1372896000000 dev=room pat= asset= |temperature=69.88 [degF] q="},
		{"fhir", `{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}],"text":"pulse"},"subject":{"reference":"Patient/p7"},"device":{"reference":"Device/m1"},"effectiveDateTime":"2026-03-01T11:00:00+01:00","valueQuantity":{"value":72,"unit":"beats","system":"http://unitsofmeasure.org","code":"/min"}}`, "1772359200000 dev=Device/m1 pat=p7 asset= http://loinc.org|8867-4=72 /min q="},
		{"fhir", `{"resourceType":"Observation","status":"entered-in-error","code":{"coding":[{"code":"8867-4"}]},"subject":{"reference":"Patient/p7"},"effectivePeriod":{"start":"2026-03-01T10:00:00Z"},"valueInteger":3}`, "1772359200000 dev=unknown pat=p7 asset= |8867-4=3  q=entered-in-error"},
		{"fhir", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"85354-9"}]},"subject":{"reference":"Patient/p7"},"effectiveDateTime":"2026-03-01T10:00:00Z","component":[{"valueQuantity":{"value":107}}]}`, "bad: format"},
		{"fhir", `{"resourceType":"Patient","id":"p7"}`, "bad: format"},
	} {
		d := open(t, c.format)
		if got := show(d, c.line); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.format, c.line, got, c.want)
		}
	}
}

func TestFormatsThatCannotBe(t *testing.T) {
	for format, want := range map[string]string{
		"xml": "there is no format", "json tyme=x": "did you mean time", "json time": "FIELD=NAME", "fhir time=x": "takes nothing more",
		"json time=": "FIELD=NAME", "csv zone:=Berlin": "offset such as",
	} {
		if _, err := device.ParseSpec(format); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, which does not say %q", format, err, want)
		}
	}
	s, _ := device.ParseSpec("csv | timestamp,value")
	if _, err := s.Open(); err == nil || !strings.Contains(err.Error(), "has no column event_time; say where the time stands with time=COLUMN") {
		t.Error(err)
	}
}

func TestFilesTellTheirFormat(t *testing.T) {
	given := func(text string) device.Spec {
		if text == "" {
			return device.Spec{}
		}
		s, err := device.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		head, given, format string
		near                int64
		note                bool
	}{
		{"event_time,device_id,code,value\n2026-03-01T10:00:00Z,m1,x,1\n2026-03", "", "csv | event_time,device_id,code,value", 1772359200000, false},
		{"{\"event_time\":\"2026-03-01T10:00:00Z\",\"device_id\":\"m1\",\"code\":\"x\",\"value\":1}\n", "", "json", 1772359200000, false},
		{"{\"resourceType\":\"Observation\"}\n", "", "fhir", 0, true},
		{"timestamp,value\n2013-07-04 00:00:00,69.88\n", "csv time=timestamp device:=r code:=t zone:=Z", "csv time=timestamp device:=r code:=t zone:=Z | timestamp,value", 1372896000000, false},
	} {
		s, near, note, err := device.Inspect([]byte(c.head), given(c.given))
		if err != nil || s.String() != c.format || near != c.near || (note != "") != c.note {
			t.Errorf("%q: %q %d %q %v", c.head, s.String(), near, note, err)
		}
		if again := given(s.String()); again.String() != s.String() {
			t.Errorf("%q reads as %q", s.String(), again.String())
		}
	}
	if _, _, _, err := device.Inspect([]byte("timestamp,value\n1,2\n"), device.Spec{}); err == nil {
		t.Error("a table without a device has no fault")
	}
}

// FuzzDecode: whatever the line, it stays as it is, a record has its fields within the
// limits, and EventTime says what Decode does.
func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	formats := []string{"json", "json value=a.0 device:=d code:=c", header, "fhir"}
	sample, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(sample)) {
		for i := range formats {
			f.Add([]byte(strings.TrimSuffix(line, "\n")), uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, which uint8) {
		d := open(t, formats[int(which)%len(formats)])
		before := bytes.Clone(line)
		var r device.Record
		skip, reason := d.Decode(line, &r)
		if !bytes.Equal(before, line) {
			t.Fatal("Decode changed the line")
		}
		shown := show(d, string(line))
		if skip || reason != badrow.None {
			return
		}
		if r.Device.Empty() || len(r.Code) == 0 || len(r.Value) == 0 || len(r.Code) > 256 || len(r.Unit) > 128 {
			t.Fatalf("%q is a record: %s", line, shown)
		}
		if ms, ok := d.EventTime(line); !ok || ms != r.Time {
			t.Fatalf("the time is %d, and EventTime says %d (%v)", r.Time, ms, ok)
		}
		if diff := cmp.Diff(shown, show(d, string(line))); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzParseSpec: a format that can be read is the same when it is written and read again.
func FuzzParseSpec(tf *testing.F) {
	f := mutate.Of(tf)
	for _, s := range []string{"", "json", "csv a=b | c,d", "csv | x", "fhir", "json time:=x zone:=+01:00", "csv value:=1 | \"a\"\"b\",c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := device.ParseSpec(text)
		if err != nil {
			return
		}
		again, err := device.ParseSpec(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is %q, then %q: %v", text, s.String(), again.String(), err)
		}
		if d, err := s.Open(); err == nil {
			var r device.Record
			d.Decode([]byte(text), &r)
		}
	})
}
