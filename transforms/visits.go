package transforms

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/clickstream"
	"millrace/schemas/table"
	"millrace/transforms/recommend"
	"millrace/transforms/shop"
)

func init() {
	beam.RegisterType(reflect.TypeFor[visitsFn]())
}

// VisitConfig configures Visits.
type VisitConfig struct {
	Common      Common
	Gap         time.Duration // a pause this long ends a visit
	CartTimeout time.Duration // a cart that rests so long is abandoned
	Recommend   recommend.Options
}

// VisitOutputs are what visits come to: table.Rows of clickstream.Carts, and, in batch,
// partial aggregates of recommendations for Tables.
type VisitOutputs struct{ Carts, Partials beam.PCollection }

// Visits puts visitors' steps together, KV<visitor shard, encoded steps> in the global
// window, a shard at a time: the carts that were left, and which items were in one
// visit. In batch a cart that rests when the events end is abandoned, however short
// it has rested: no more is coming.
func Visits(s beam.Scope, cfg VisitConfig, steps beam.PCollection) VisitOutputs {
	s = s.Scope("Visits")
	if cfg.Common.Live != nil {
		return VisitOutputs{Carts: beam.ParDo(s, newLiveVisitsFn(cfg), steps)}
	}
	carts, partials := beam.ParDo2(s, &visitsFn{Config: cfg}, beam.GroupByKey(s, steps))
	return VisitOutputs{Carts: carts, Partials: partials}
}

type visitsFn struct {
	Config VisitConfig

	packer packer
}

func (fn *visitsFn) Setup() { fn.packer.dir = fn.Config.Common.Spill }

func (fn *visitsFn) Teardown() { fn.packer.close() }

func (fn *visitsFn) ProcessElement(_ context.Context, shard string, next func(*[]byte) bool, carts func(table.Rows), partials func(string, []byte)) error {
	var visits shop.Visits
	for b := []byte(nil); next(&b); b = nil {
		blob, err := unpack(b)
		if err == nil {
			err = visits.Add(blob)
		}
		if err != nil {
			return fmt.Errorf("visits of visitor shard %s: %w", shard, err)
		}
	}
	rows, together := table.NewBatch(clickstream.Carts), recommend.New()
	for _, v := range visits.Visitors() {
		for _, c := range v.Carts(fn.Config.CartTimeout.Milliseconds(), math.MaxInt64/2, fn.Config.Common.revision) {
			if fn.Config.Common.within(table.FloorDay(c.Start)) {
				putCart(rows, &c)
			}
		}
		for _, b := range v.Baskets(fn.Config.Gap.Milliseconds()) {
			together.Add(b.Day, b.Viewed, b.Bought)
		}
	}
	if rows.Len() > 0 {
		carts(table.Rows{Batch: rows})
	}
	for _, p := range together.Parts(fn.Config.Recommend) {
		if !fn.Config.Common.within(p.Day) {
			continue
		}
		packed, err := fn.packer.pack(p.Blob)
		if err != nil {
			return err
		}
		partials("recommendations/"+p.Key, packed)
	}
	return nil
}

func putCart(b *table.Batch, c *shop.Cart) {
	b.PutString(clickstream.CartVisitorID, c.Visitor)
	b.PutInt(clickstream.CartStartTime, c.Start)
	b.PutInt(clickstream.CartLastTime, c.Last)
	b.PutInt(clickstream.CartAdds, c.Adds)
	b.PutInt(clickstream.CartItems, c.Items)
	b.PutString(clickstream.CartCurrency, c.Currency)
	b.PutInt(clickstream.CartValue, c.Value)
	b.PutBool(clickstream.CartCheckout, c.Checkout)
	b.PutInt(clickstream.CartVersion, c.Version)
	b.EndRow()
}
