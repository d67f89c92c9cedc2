package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/io/lakeio"
	"millrace/schemas/ledger"
)

func init() {
	beam.RegisterType(reflect.TypeFor[ledgerFn]())
	beam.RegisterType(reflect.TypeFor[closeFn]())
}

// Closing is the account of a run: its ledger, and the rows that its sinks wrote.
type Closing struct {
	Ledger  ledger.Ledger    `json:"ledger"`
	Written map[string]int64 `json:"written,omitempty"` // to the lake, by output
	Sent    map[string]int64 `json:"sent,omitempty"`    // to sinks besides, by name
	Refused map[string]int64 `json:"refused,omitempty"` // by these sinks, of what was sent
}

func (c *Closing) add(o Closing) {
	c.Ledger.Add(o.Ledger)
	c.Written = addCounts(c.Written, o.Written)
	c.Sent = addCounts(c.Sent, o.Sent)
	c.Refused = addCounts(c.Refused, o.Refused)
}

func addCounts(to, from map[string]int64) map[string]int64 {
	for output, rows := range from {
		if to == nil {
			to = map[string]int64{}
		}
		to[output] += rows
	}
	return to
}

const closingKey = "closing"

// Close sums the ledgers of a run, PCollection<[]byte> of ledger.Ledger in JSON,
// and what its Writes report, into the staging area at a location, where ReadClosing finds the
// sum.
func Close(s beam.Scope, run, staging string, ledgers beam.PCollection, written ...beam.PCollection) {
	s = s.Scope("endpoint.Close")
	all := append([]beam.PCollection{beam.ParDo(s, &ledgerFn{Run: run}, ledgers)}, written...)
	beam.ParDo0(s, &closeFn{Run: run, Staging: staging}, beam.GroupByKey(s, beam.Flatten(s, all...)))
}

const closingName = "closing.json"

// ReadClosing reads what Close wrote.
func ReadClosing(ctx context.Context, staging *lakeio.Staging) (c Closing, err error) {
	if err := staging.Get(ctx, closingName, &c); err != nil {
		return c, fmt.Errorf("reading the run's account: %w", err)
	}
	return c, nil
}

// ledgerFn puts a ledger in the form that closeFn sums.
type ledgerFn struct{ Run string }

func (fn *ledgerFn) ProcessElement(_ context.Context, b []byte) (string, []byte, error) {
	var c Closing
	err := json.Unmarshal(b, &c.Ledger)
	if err == nil {
		b, err = json.Marshal(c)
	}
	if err != nil {
		return "", nil, failure.Note(fn.Run, fmt.Errorf("reading a ledger: %w", err))
	}
	return closingKey, b, nil
}

type closeFn struct {
	Run     string
	Staging string // location of the staging area
}

func (fn *closeFn) ProcessElement(ctx context.Context, _ string, next func(*[]byte) bool) error {
	var sum Closing
	for b := []byte(nil); next(&b); b = nil {
		var c Closing
		if err := json.Unmarshal(b, &c); err != nil {
			return failure.Note(fn.Run, fmt.Errorf("summing the run's account: %w", err))
		}
		sum.add(c)
	}
	staging, err := lakeio.OpenStaging(ctx, fn.Staging)
	if err == nil {
		err = staging.Put(ctx, closingName, sum)
	}
	return failure.Note(fn.Run, err)
}
