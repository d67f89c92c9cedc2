package normalise_test

import (
	"strings"
	"testing"

	"millrace/schemas/badrow"
	"millrace/transforms/normalise"
)

func TestCodesAndUnitsGetTheirStandard(t *testing.T) {
	n := normalise.New(normalise.Default())
	for _, c := range []struct {
		system, code, value, unit string
		want                      float64
		wantCode, wantUnit        string
		reason                    badrow.Reason
	}{
		{"", "8310-5", "98.6", "[degF]", 37, "8310-5", "Cel", badrow.None},
		{"http://loinc.org", "2708-6", "97", "%", 97, "59408-5", "%", badrow.None},
		{"urn:iso:std:iso:11073:10101", "150021", "16", "kPa", 16 / 0.133322, "8480-6", "mm[Hg]", badrow.None},
		{"", "energy", "2", "", 7_200_000, "energy", "J", badrow.None},
		{"", "energy", "2", "Wh", 0, "energy", "J", badrow.Unit},
		{"", "heart", "72", "/min", 0, "", "", badrow.Code},
		{"", "8867-4", "72", "Cel", 0, "8867-4", "/min", badrow.Unit},
		{"", "8867-4", "high", "", 0, "8867-4", "/min", badrow.Number},
	} {
		v, reason := n.Value([]byte(c.system), []byte(c.code), []byte(c.value), []byte(c.unit))
		if reason != c.reason || v.Value != c.want {
			t.Errorf("%+v became %v (%q)", c, v.Value, reason)
		}
		if v.Entry != nil && (v.Entry.Code != c.wantCode || v.Entry.Unit != c.wantUnit) {
			t.Errorf("%+v became %+v", c, v.Entry)
		}
	}
}

func TestASystemWinsOverTheCodeAlone(t *testing.T) {
	head := "raw_code,code_system,code,display,unit,kind,raw_unit,low,high\n"
	table, err := normalise.Parse([]byte(head + "t,own,a,A,1,gauge,,,\nacme|t,own,b,B,1,gauge,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := normalise.New(table)
	for system, want := range map[string]string{"": "a", "other": "a", "acme": "b"} {
		if v, _ := n.Value([]byte(system), []byte("t"), []byte("1"), nil); v.Entry.Code != want {
			t.Errorf("system %q gives code %s, not %s", system, v.Entry.Code, want)
		}
	}
}

func TestFaultsOfATableAreNamed(t *testing.T) {
	head := "raw_code,code_system,code,display,unit,kind,raw_unit,low,high\n"
	for text, want := range map[string]string{
		"raw_code,code\nx,y\n":                            "it has no column unit",
		head + "x,s,c,d,bpm,gauge,,,\n":                   `code x: reading unit "bpm"`,
		head + "x,s,c,d,Cel,gauge,Pa,,\n":                 "measure different things",
		head + "x,s,c,d,1,meter,,,\n":                     "neither gauge nor counter",
		head + "x,s,c,d,1,gauge,,5,1\n":                   "the range from 5 to 1 is empty",
		head + "x,s,,d,1,gauge,,many,\n":                  `low "many" is no number`,
		head + "x,s,c,d,1,gauge,,,\nx,s,c,d,1,gauge,,,\n": "of an earlier row",
	} {
		if _, err := normalise.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, which does not say %q", text, err, want)
		}
	}
}

func TestAnotherTableHasAnotherVersion(t *testing.T) {
	changed, err := normalise.Parse([]byte(strings.Replace(normalise.DefaultCSV(), "Heart rate", "Pulse", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if changed.Version() == normalise.Default().Version() || changed.Len() != normalise.Default().Len() {
		t.Errorf("versions %s and %s", changed.Version(), normalise.Default().Version())
	}
}
