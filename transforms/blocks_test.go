package transforms

import (
	"bytes"
	"strings"
	"testing"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/vault"
)

// frail is a core that cannot take numbers below zero.
type frail struct{ took int }

func (f *frail) process(n int) output {
	f.took += [...]int{1}[min(n, 0)]
	return output{}
}
func (f *frail) takeLast() output { return output{ledger: []byte{byte(f.took)}} }
func (f *frail) close()           {}

// TestAPanicOfACoreIsAnErrorOfTheBundle, and no end of the worker.
func TestAPanicOfACoreIsAnErrorOfTheBundle(t *testing.T) {
	var cores coresOf[int]
	cores.start(t.Name(), []coreOf[int]{&frail{}})
	defer cores.stop()
	var ledger []byte
	to := &emitters{ledgers: func(b []byte) { ledger = b }}
	if err := cores.process(t.Context(), 3, to); err != nil {
		t.Fatal(err)
	}
	err := cores.process(t.Context(), -1, to)
	if err == nil {
		err = cores.finish(to)
	}
	if err == nil || !strings.Contains(err.Error(), "panic: runtime error: index out of range") || !strings.Contains(err.Error(), "blocks_test.go") {
		t.Errorf("the error is %v", err)
	}
	if err := cores.finish(to); err != nil || !bytes.Equal(ledger, []byte{1}) {
		t.Errorf("afterwards: ledger %v, %v", ledger, err)
	}
}

// TestRowsOfEverySortGoOn: a core whose lines are all bad has nothing else.
func TestRowsOfEverySortGoOn(t *testing.T) {
	some := func(schema *table.Schema) *table.Batch {
		b := table.NewBatch(schema)
		b.EndRow()
		return b
	}
	bad, came, archived, sealed := some(badrow.Rows), some(late.Rows), some(raw.Rows), some(vault.Rows)
	for name, o := range map[string]output{"bad": {bad: bad}, "late": {late: came}, "raw": {raw: archived}, "vault": {vault: sealed}} {
		if o.empty() {
			t.Errorf("an output of %s rows is taken for none", name)
		}
	}
	if o := (output{bad: table.NewBatch(badrow.Rows), raw: table.NewBatch(raw.Rows)}); !o.empty() {
		t.Error("batches without rows are an output")
	}
}
