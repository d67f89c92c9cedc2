package transforms

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"

	"millrace/schemas/ledger"
	"millrace/schemas/table"
	"millrace/transforms/dedup"
)

// click is an event with an id that its producer gave.
type click struct {
	EventID  table.ID      `col:"event_id" doc:"origin"`
	Time     table.Millis  `col:"time,sort1,day" doc:"time"`
	Producer *string       `col:"producer_id,null" mask:"none" doc:"producer's id"`
	Arrival  *table.Millis `col:"arrival,null" doc:"arrival"`
	Late     bool          `col:"late" doc:"late"`
}

var (
	clickSchema = table.MustOf[click]("transforms.dedup_test", 1)
	clickConfig = DedupConfig{Horizon: time.Hour, Columns: dedup.Columns{EventID: 0, Time: 1, ID: 2, Arrival: 3, Late: 4}}
)

func init() {
	register.Function2x0(showClicks)
	register.Function2x0(showAccounts)
	register.Function2x1(checkEarly)
	register.Iter1[string]()
	register.Emitter2[string, string]()
	beam.RegisterType(reflect.TypeFor[nameClicksFn]())
	register.Emitter1[string]()
}

func showClicks(rows table.Rows, emit func(string)) {
	for i := range rows.Batch.Len() {
		var c click
		rows.Batch.Row(i, &c)
		emit(fmt.Sprintf("%s %d %x late=%v", rows.Group, c.Time, c.EventID[:3], c.Late))
	}
}

func showAccounts(b []byte, emit func(string)) {
	var part ledger.Part
	must(json.Unmarshal(b, &part))
	if part.Roll == "" {
		must(json.Unmarshal(b, &part.Ledger))
	}
	for name, n := range map[string]int64{"in": part.Ledger.In, "events": part.Ledger.Events, "duplicate": part.Ledger.Duplicate, "late": part.Ledger.Late} {
		for range n { // parts come in any number
			emit(part.Roll + " " + name)
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// clicks are events of some producers' ids that come again at once, within the
// horizon and after it; some have none.
func clicks(r *rand.Rand, n int) (out []click) {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for i := range n {
		c := click{EventID: table.ID{byte(i >> 8), byte(i), byte(r.IntN(256))}, Time: table.Millis(begin + r.Int64N(6*3600)*1000)}
		if k := r.IntN(n / 4); k > 3 {
			id := fmt.Sprint("id", k)
			c.Producer = &id
		}
		if r.IntN(3) > 0 {
			at := c.Time + table.Millis(r.IntN(3))
			c.Arrival = &at
		}
		out = append(out, c)
	}
	return out
}

// oracle keeps an event if none of its id that is less lies within the horizon before.
func oracle(all []click) (kept []click) {
	less := func(a, b click) bool {
		order := func(c click) dedup.Order {
			arrival := int64(0)
			if c.Arrival != nil {
				arrival = int64(*c.Arrival)
			}
			return dedup.Order{Time: int64(c.Time), Tie: dedup.TieOf(arrival, c.EventID)}
		}
		return order(a).Compare(order(b)) < 0
	}
	for _, c := range all {
		if c.Producer == nil || !slices.ContainsFunc(all, func(o click) bool {
			return o.Producer != nil && *o.Producer == *c.Producer && less(o, c) && int64(c.Time-o.Time) < clickConfig.Horizon.Milliseconds()
		}) {
			kept = append(kept, c)
		}
	}
	return kept
}

// clickRows are batches of a few events each, as they come.
func clickRows(all []click, group string) (out []table.Rows) {
	for part := range slices.Chunk(all, 7) {
		b := table.NewBatch(clickSchema)
		for _, c := range part {
			b.Append(c)
		}
		out = append(out, table.Rows{Batch: b, Group: group})
	}
	return out
}

func wantedClicks(all, kept []click, group string) (rows, accounts []any) {
	for _, c := range kept {
		rows = append(rows, fmt.Sprintf("%s %d %x late=%v", group, c.Time, c.EventID[:3], c.Late))
		accounts = append(accounts, group+" events")
		if c.Late {
			accounts = append(accounts, group+" late")
		}
	}
	for range len(all) - len(kept) {
		accounts = append(accounts, group+" duplicate")
	}
	for range all {
		accounts = append(accounts, group+" in")
	}
	return rows, accounts
}

func expectClicks(s beam.Scope, out DedupOutputs, rows, accounts []any) {
	passert.Equals(s.Scope("rows"), beam.ParDo(s, showClicks, out.Kept), rows...)
	passert.Equals(s.Scope("accounts"), beam.ParDo(s, showAccounts, out.Ledger), accounts...)
}

// TestTheSameRowsStayWhateverBringsThem: a list, and a stream in which they come out
// of order, up to half an hour, while the watermark goes on.
func TestTheSameRowsStayWhateverBringsThem(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	all := clicks(r, 240)
	kept := oracle(all)
	if n := len(all) - len(kept); n < 40 || n > 200 {
		t.Fatalf("%d of %d are duplicates", n, len(all))
	}
	t.Run("list", func(t *testing.T) {
		shuffled := slices.Clone(all)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		cfg := clickConfig
		cfg.Common.Spill = t.TempDir()
		ptest.BuildAndRun(t, func(s beam.Scope) {
			rows, accounts := wantedClicks(all, kept, "")
			expectClicks(s, Dedup(s, cfg, beam.CreateList(s, clickRows(shuffled, ""))), rows, accounts)
		})
	})
	for seed := range uint64(4) {
		sinks := map[string]bool{"products": true}
		if seed%2 == 0 {
			sinks = nil // no rows come early, and rounds by the minute
		}
		t.Run(fmt.Sprint("stream ", seed), func(t *testing.T) { streamOfClicks(t, rand.New(rand.NewPCG(seed, 5)), sinks) })
	}
	// Slices come of few ids, which are not known one by one then, and rounds by the second.
	defer func(many int) { manyIDs = many }(manyIDs)
	for _, manyIDs = range []int{1, 4} {
		t.Run(fmt.Sprint("slices of ", manyIDs), func(t *testing.T) {
			streamOfClicks(t, r, map[string]bool{"products": true})
		})
	}
	if idsOfShards.taken == 0 {
		t.Error("nothing was remembered")
	}
}

// TestWhatIsRememberedIsWhatStateHas: not what another checkpoint had.
func TestWhatIsRememberedIsWhatStateHas(t *testing.T) {
	var m idMemory
	if m.take("a", 0) != nil || m.take("a", 7) != nil {
		t.Error("something is remembered of nothing")
	}
	one := &remembered{stamp: 7}
	if m.put("a", one); m.take("b", 7) != nil {
		t.Error("a shard is taken for another")
	}
	if m.take("a", 7) != one || m.take("a", 7) != nil {
		t.Error("it is remembered once")
	}
	if m.put("a", one); m.take("a", 8) != nil || m.take("a", 7) != nil {
		t.Error("what is outdated stays")
	}
	for i := range 3 * mostRemembered {
		m.put(fmt.Sprint(i), one)
	}
	if len(m.of) != mostRemembered || m.take(fmt.Sprint(3*mostRemembered-1), 7) != one {
		t.Errorf("%d shards are remembered, perhaps without the last", len(m.of))
	}
}

// streamOfClicks plays clicks out of order. They last several horizons, so that ids are
// put together and forgotten.
func streamOfClicks(t *testing.T, r *rand.Rand, sinks map[string]bool) {
	all := clicks(r, 240)
	kept := oracle(all)
	type arrival struct {
		click
		at int64
	}
	var arrivals []arrival
	for _, c := range all {
		arrivals = append(arrivals, arrival{c, int64(c.Time) + r.Int64N(30*60_000)})
	}
	slices.SortFunc(arrivals, func(a, b arrival) int { return int(a.at - b.at) })
	c := teststream.NewConfig()
	for part := range slices.Chunk(arrivals, 9) {
		var list []click
		first := int64(part[0].Time)
		for _, a := range part {
			list = append(list, a.click)
			first = min(first, int64(a.Time))
		}
		for _, rows := range clickRows(list, "roll") {
			must(c.AddElements(first, rows))
		}
		must(c.AdvanceWatermark(part[len(part)-1].at - 30*60_000))
	}
	must(c.AdvanceWatermarkToInfinity())
	cfg := clickConfig
	cfg.Common.Live = &Live{Bucket: time.Hour, Provisional: sinks}
	cfg.Early = sinks != nil
	ptest.BuildAndRun(t, func(s beam.Scope) {
		rows, accounts := wantedClicks(all, kept, "roll")
		out := Dedup(s, cfg, teststream.Create(s, c))
		expectClicks(s, out, rows, accounts)
		if cfg.Early {
			early, stay := beam.ParDo(s, &nameClicksFn{"early"}, out.Early), beam.ParDo(s, &nameClicksFn{"kept"}, out.Kept)
			beam.ParDo0(s, checkEarly, beam.GroupByKey(s, beam.Flatten(s, early, stay)))
		}
	})
}

// nameClicksFn gives the ids of producers, and what their events are.
type nameClicksFn struct{ As string }

func (fn *nameClicksFn) ProcessElement(rows table.Rows, emit func(string, string)) {
	for i := range rows.Batch.Len() {
		var c click
		rows.Batch.Row(i, &c)
		id := ""
		if c.Producer != nil {
			id = *c.Producer
		}
		emit(id, fn.As)
	}
}

// checkEarly checks that of an id no more is early than what stays, and something is.
func checkEarly(id string, next func(*string) bool) error {
	n := map[string]int{}
	for as := ""; next(&as); {
		n[as]++
	}
	if n["early"] > n["kept"] || n["early"] == 0 || id == "" && n["early"] != n["kept"] {
		return fmt.Errorf("of id %q there are %v", id, n)
	}
	return nil
}

// TestLateRowsDropNothing: one that is marked late goes as a duplicate of what is
// known, and stays where nothing is.
func TestLateRowsDropNothing(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	minute := time.Minute.Milliseconds()
	event := func(n byte, id string, at int64, late bool) click {
		return click{EventID: table.ID{n}, Time: table.Millis(begin + at), Producer: &id, Late: late}
	}
	first, second := event(1, "a", 0, false), event(2, "a", 20*minute, false)
	known, unknown := event(3, "a", 5*minute, true), event(4, "b", 5*minute, true)
	c := teststream.NewConfig()
	for i, one := range []click{first, second, known, unknown} {
		must(c.AddElements(int64(one.Time), clickRows([]click{one}, "roll")[0]))
		must(c.AdvanceWatermark(begin + int64(i+1)*10*minute))
	}
	must(c.AdvanceWatermarkToInfinity())
	cfg := clickConfig
	cfg.Common.Live = &Live{Bucket: time.Hour}
	ptest.BuildAndRun(t, func(s beam.Scope) {
		rows, accounts := wantedClicks([]click{first, second, known, unknown}, []click{first, unknown}, "roll")
		expectClicks(s, Dedup(s, cfg, teststream.Create(s, c)), rows, accounts)
	})
}

// TestLookBackSaysWhatCameBefore, and is neither written nor counted.
func TestLookBackSaysWhatCameBefore(t *testing.T) {
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	a, b := "a", "b"
	before := click{EventID: table.ID{1}, Time: table.Millis(midnight - 1), Producer: &a}
	copied := click{EventID: table.ID{2}, Time: table.Millis(midnight + 1), Producer: &a}
	other := click{EventID: table.ID{3}, Time: table.Millis(midnight), Producer: &b}
	without := click{EventID: table.ID{4}, Time: table.Millis(midnight - 1)}
	cfg := clickConfig
	cfg.Common.From, cfg.Common.To = 20514, 20514
	ptest.BuildAndRun(t, func(s beam.Scope) {
		rows, accounts := wantedClicks([]click{copied, other}, []click{other}, "")
		expectClicks(s, Dedup(s, cfg, beam.CreateList(s, clickRows([]click{before, copied, other, without}, ""))), rows, accounts)
	})
}

// TestRowsOfSavepointsStayReadable holds the form in which rows wait in state.
func TestRowsOfSavepointsStayReadable(t *testing.T) {
	rows := clickRows(clicks(rand.New(rand.NewPCG(1, 1)), 9), "roll")
	var blob []byte
	for _, one := range rows {
		var err error
		if blob, err = appendRows(blob, one); err != nil {
			t.Fatal(err)
		}
	}
	if blob[0] != 1 {
		t.Errorf("form %d; give a new form a number of its own", blob[0])
	}
	read := func(blob []byte) (n int, err error) {
		packed, err := (&packer{}).pack(blob)
		if err != nil {
			return 0, err
		}
		return n, eachRows(packed, func(r table.Rows) error {
			if r.Group != "roll" {
				t.Errorf("group %q", r.Group)
			}
			n += r.Batch.Len()
			return nil
		})
	}
	if _, err := read(blob); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]byte{{}, {2}, blob[:len(blob)-1], {1, 200}, {1, 3, 9, 9, 9}} {
		if _, err := read(bad); err == nil {
			t.Errorf("%x is read", bad[:min(len(bad), 8)])
		}
	}
}
