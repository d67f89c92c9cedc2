package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/schemas/ledger"
)

func init() {
	register.DoFn2x2[context.Context, []byte, string, []byte](&keyLedger{})
	register.DoFn3x1[context.Context, string, func(*[]byte) bool, error](&ledgerFn{})
}

// WriteLedger sums the ledgers of a run, PCollection<[]byte> of JSON, into its
// staging area, where ReadLedger finds the sum.
func WriteLedger(s beam.Scope, run, staging string, ledgers beam.PCollection) {
	s = s.Scope("endpoint.WriteLedger")
	keyed := beam.ParDo(s, &keyLedger{}, ledgers)
	beam.ParDo0(s, &ledgerFn{Run: run, Path: ledgerPath(staging)}, beam.GroupByKey(s, keyed))
}

func ledgerPath(staging string) string { return filepath.Join(staging, "ledger.json") }

// ReadLedger reads what WriteLedger wrote.
func ReadLedger(staging string) (l ledger.Ledger, err error) {
	b, err := os.ReadFile(ledgerPath(staging))
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil {
		return l, fmt.Errorf("reading the run's ledger: %w", err)
	}
	return l, nil
}

type keyLedger struct{}

func (*keyLedger) ProcessElement(_ context.Context, l []byte) (string, []byte) { return "ledger", l }

type ledgerFn struct {
	Run  string
	Path string
}

func (fn *ledgerFn) ProcessElement(_ context.Context, _ string, next func(*[]byte) bool) error {
	var sum ledger.Ledger
	for b := []byte(nil); next(&b); b = nil {
		var l ledger.Ledger
		if err := json.Unmarshal(b, &l); err != nil {
			return failed(fn.Run, fmt.Errorf("summing the ledger: %w", err))
		}
		sum.Add(l)
	}
	b, err := json.Marshal(sum)
	if err != nil {
		return failed(fn.Run, err)
	}
	return failed(fn.Run, os.WriteFile(fn.Path, b, 0o644))
}
