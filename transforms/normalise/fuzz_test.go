package normalise_test

import (
	"math"
	"testing"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
	"millrace/transforms/normalise"
)

const fuzzTable = "raw_code,code_system,code,display,unit,kind,raw_unit,low,high\nhr,http://loinc.org,8867-4,Heart rate,/min,gauge,,20,300\ntemp,x,t,Temperature,Cel,gauge,[degF],-50,\n"

// FuzzParse: whatever a table of codes says, it is read or refused, and a reading that
// it has a place for has a finite number, as it was sent and in the table's unit.
func FuzzParse(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(fuzzTable), []byte("temp"), []byte("[degF]"), []byte("98.6"))
	f.Add([]byte(fuzzTable), []byte("hr"), []byte("/min"), []byte("1e308"))
	f.Add([]byte(normalise.DefaultCSV()), []byte("8867-4"), []byte(""), []byte("60"))
	f.Fuzz(func(t *testing.T, content, code, unit, value []byte) {
		table, err := normalise.Parse(content)
		if err != nil {
			return
		}
		got, reason := normalise.New(table).Value(nil, code, value, unit)
		if reason != badrow.None {
			return
		}
		for _, v := range []float64{got.Value, got.Raw} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s %s of %s is %+v", value, unit, code, got)
			}
		}
	})
}
