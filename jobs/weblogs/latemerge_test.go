package weblogs_test

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/vectors"
	"millrace/jobs/weblogs"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/sessions"
)

func init() {
	beam.RegisterType(reflect.TypeFor[changesFn]())
}

// sealed is the Op of rows that nothing changes any more.
const sealed = "sealed"

// change is a session's row as it came, under the id that it has as one of the user of
// the vectors.
type change struct {
	vectors.Session
	Version int64
}

// changes are the rows for the lake and those for sinks, each once: a row may come again
// after a restart.
type changes struct {
	mu         sync.Mutex
	user       string
	lake, sink []change
}

// changed are the changes by run. Workers run in this process.
var changed sync.Map

// changesFn notes the rows of sessions.
type changesFn struct {
	Run  string
	Sink bool
}

func (fn *changesFn) ProcessElement(rows table.Rows, emit func(string, string)) {
	b := rows.Batch
	if b.Schema() != weblog.Sessions {
		return
	}
	value, _ := changed.Load(fn.Run)
	c := value.(*changes)
	c.mu.Lock()
	defer c.mu.Unlock()
	list := &c.lake
	if fn.Sink {
		list = &c.sink
	}
	for i := range b.Len() {
		var s weblog.Session
		b.Row(i, &s)
		one := changeOf(&s, rows.Kind, c.user)
		if !slices.ContainsFunc(*list, func(o change) bool { return gocmp.Equal(o, one) }) {
			*list = append(*list, one)
		}
		emit(s.SessionID, one.Op)
	}
}

func changeOf(s *weblog.Session, kind table.RowKind, user string) change {
	id := "not of its visitor and start: " + s.SessionID
	if s.SessionID == sessions.ID(s.VisitorID, int64(s.StartTime)) {
		id = sessions.ID(user, int64(s.StartTime))
	}
	if kind == table.Withdrawn {
		return change{vectors.Session{Op: vectors.Delete, ID: id}, s.Version}
	}
	return change{vectors.Session{
		Op: map[table.RowKind]string{table.Provisional: vectors.Upsert, table.Sealed: sealed}[kind],
		ID: id, Start: int64(s.StartTime), End: int64(s.EndTime), Duration: s.DurationMs,
		Events: s.Events, Pages: s.PageViews, Entry: s.EntryPage, Exit: s.ExitPage, Bounce: s.Bounce,
	}, s.Version}
}

// rows are those of a list, in the order of sorted.
func (c *changes) rows(list *[]change) (out []vectors.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range *list {
		out = append(out, one.Session)
	}
	return sorted(out)
}

// sealedIDs are the sessions of which sinks have the last word.
func (c *changes) sealedIDs() (ids []string) {
	for _, row := range c.rows(&c.sink) {
		if row.Op == sealed {
			ids = append(ids, row.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func sorted(list []vectors.Session) []vectors.Session {
	slices.SortFunc(list, func(a, b vectors.Session) int {
		return cmp.Or(strings.Compare(a.Op, b.Op), strings.Compare(a.ID, b.ID), cmp.Compare(a.Events, b.Events))
	})
	return list
}

// mergeSteps play a case: its batches in their order, and between them the watermark as
// far as it may go so that nothing of the next is late.
func mergeSteps(t *testing.T, c *vectors.LateMerge) (steps []step) {
	t.Helper()
	batches, err := c.Lines("203.0.113.9", strings.Trim(human, `"`))
	if err != nil {
		t.Fatal(err)
	}
	base := int64(0)
	for i, watermark := range append(c.Horizons(), endOfScript) {
		data := []byte(strings.Join(batches[i], "\n") + "\n")
		steps = append(steps, step{
			Blocks:    []record.Block{{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: base, Data: data}},
			Watermark: watermark,
		})
		base += int64(len(data))
	}
	return steps
}

// TestLateEventsMergeSessionsOnPrismAndFlink plays the vectors of late events to the
// job: the lake gets the sessions that are left, and sinks no others, not even for a
// while. What they were told that a job which starts again computes otherwise, no one
// would take back.
func TestLateEventsMergeSessionsOnPrismAndFlink(t *testing.T) {
	cases, err := vectors.LateMerges()
	if err != nil {
		t.Fatal(err)
	}
	for runner, run := range runners {
		for _, v := range cases {
			t.Run(runner+"/"+v.ID, func(t *testing.T) { lateMerge(t, &v, run) })
		}
	}
}

func lateMerge(t *testing.T, v *vectors.LateMerge, run func(*testing.T, *beam.Pipeline, func() bool)) {
	user, err := v.User()
	if err != nil {
		t.Fatal(err)
	}
	left, ids := v.Final(), []string{}
	for i := range left {
		left[i].Op = sealed
		ids = append(ids, left[i].ID)
	}
	slices.Sort(ids)
	wantLake := sorted(left)

	cfg, c := weblogs.Defaults(), common(t)
	cfg.SessionGap = time.Duration(v.Gap) * time.Millisecond
	c.Run = t.Name()
	c.Live = &transforms.Live{Bucket: 10 * time.Minute, Provisional: map[string]bool{"sessions": true}}
	got := &changes{user: user}
	changed.Store(c.Run, got)
	p, s := beam.NewPipelineWithRoot()
	out := weblogs.Build(s, cfg, c, source(s, mergeSteps(t, v)))
	for name, rows := range map[string]beam.PCollection{"lake": out.Rows["sessions"], "sink": beam.Flatten(s, out.Provisional...)} {
		s := s.Scope(name)
		beam.GroupByKey(s, beam.ParDo(s, &changesFn{Run: c.Run, Sink: name == "sink"}, rows)) // a stage without outputs keeps Prism busy
	}
	run(t, p, func() bool {
		return len(got.rows(&got.lake)) >= len(wantLake) && len(got.sealedIDs()) >= len(ids)
	})
	if diff := gocmp.Diff(wantLake, got.rows(&got.lake)); diff != "" {
		t.Errorf("sealed rows (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(ids, got.sealedIDs()); diff != "" {
		t.Errorf("sessions that sinks have sealed (-want +got):\n%s", diff)
	}
	for _, row := range got.rows(&got.sink) {
		if row.Op == vectors.Delete || !slices.Contains(ids, row.ID) {
			t.Errorf("sinks were told %+v, the sessions are %v", row, ids)
		}
	}
}
