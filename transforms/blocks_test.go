package transforms

import (
	"testing"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/vault"
)

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
