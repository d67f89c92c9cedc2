package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// placing is a stream of which only is known where it begins.
type placing struct{ at string }

func (s placing) Begin(_ context.Context, readers int) ([]driver.Cursor, error) {
	return s.BeginAt(context.Background(), []byte(s.at), readers)
}

func (placing) BeginAt(_ context.Context, positions []byte, readers int) (cursors []driver.Cursor, err error) {
	for i := range readers {
		cursors = append(cursors, fmt.Appendf(nil, "%s of %d at %s", fmt.Sprint(i), readers, positions))
	}
	return cursors, nil
}

func (s placing) Positions([]driver.Cursor) ([]byte, error) { return []byte(s.at), nil }

func (placing) Read(context.Context, driver.Cursor) (driver.StreamReader, error) {
	return nil, errors.New("nobody reads here")
}

// planned is a live plan of a run into a lake.
func planned(t *testing.T, lake, run, source string) *livePlan {
	t.Helper()
	o := liveOptions()
	o.Source, o.Lake = source, lake
	req, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	return &livePlan{Plan: Plan{Job: req.job.Name, Source: req.Source, Lake: lake, Run: run, store: store, req: req}, options: req.live}
}

func TestARunNotesWhereItBeganOnceAndIsResumedThere(t *testing.T) {
	lake := t.TempDir()
	began := func(p *livePlan, at string) string {
		t.Helper()
		cursors, err := p.begin(t.Context(), placing{at})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.noteBegun(t.Context()); err != nil {
			t.Fatal(err)
		}
		return string(cursors[0])
	}
	if got := began(planned(t, lake, "one", "kinesis://logs"), `{"here":1}`); got != `0 of 2 at {"here":1}` {
		t.Errorf("it begins %s", got)
	}
	if got := began(planned(t, lake, "one", "kinesis://logs"), `{"there":2}`); got != `0 of 2 at {"there":2}` {
		t.Errorf("started again, it begins %s", got)
	}
	again := planned(t, lake, "one", "kinesis://logs")
	again.req.Flink.Savepoint, again.req.Flink.Readers = "s3://savepoint", 3
	if got := strings.Join(strings.Fields(began(again, `{"elsewhere":3}`)), ""); got != `0of3at{"here":1}` {
		t.Errorf("resumed, it begins %s", got)
	}
	all, err := allBegun(t.Context(), again.store)
	if err != nil || len(all) != 1 {
		t.Fatalf("notes %+v, %v", all, err)
	}
	var at map[string]int
	if err := json.Unmarshal(all[0].Positions, &at); err != nil || at["here"] != 1 {
		t.Errorf("the note is %s, %v", all[0].Positions, err)
	}
}

func TestARunThatBeginsAtPositionsGoesOnBehindThoseBefore(t *testing.T) {
	lake := t.TempDir()
	for _, run := range []string{"zero", "one", "two"} {
		p := planned(t, lake, run, "kinesis://logs?positions=/p.json")
		var want []string
		if run != "zero" {
			want = []string{"zero", "one"}[:map[string]int{"one": 1, "two": 2}[run]]
		}
		if _, err := p.begin(t.Context(), placing{"{}"}); err != nil {
			t.Fatal(err)
		}
		if err := p.noteBegun(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := p.continued(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("run %s goes on behind (-want +got):\n%s%v", run, diff, err)
		}
		anew, err := planned(t, lake, run, "kinesis://logs?start=latest").continued(t.Context())
		if err != nil || anew != nil {
			t.Errorf("a run that begins anew goes on behind %v, %v", anew, err)
		}
	}
}

func TestARunThatEndedWithinItsArchiveHasNoPositions(t *testing.T) {
	files := []string{strings.Repeat("a", 32), strings.Repeat("b", 32)}
	parts := []ledger.Part{{Roll: files[0] + "/" + record.Sequence("0")}}
	err := archiveRead("lake", begun{Run: "run", Archive: files}, parts)
	if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "1 of 2 files") {
		t.Errorf("got %v", err)
	}
	parts = append(parts, ledger.Part{Roll: files[1] + "/" + record.Sequence("0")})
	if err := archiveRead("lake", begun{Run: "run", Archive: files}, parts); err != nil {
		t.Error(err)
	}
}

func TestASubmissionNotesReadersAndTheBoundOfParallelism(t *testing.T) {
	for _, c := range []struct {
		flink          FlinkOptions
		readers, bound int
	}{
		{FlinkOptions{}, 1, 16},
		{FlinkOptions{Parallelism: 2}, 2, 16},
		{FlinkOptions{Parallelism: 20}, 20, 20},
		{FlinkOptions{Parallelism: 1, Readers: 4, Options: []string{"max_parallelism=64"}}, 4, 64},
		{FlinkOptions{Parallelism: 4, Readers: 1, MaxParallelism: 7}, 1, 7},
		{FlinkOptions{Parallelism: 4, MaxParallelism: 7, Options: []string{"max_parallelism=9"}}, 4, 9},
	} {
		p := Plan{req: request{Options: Options{Flink: c.flink}}}
		got := p.submission("name", "master").Options.Flink
		if got.Readers != c.readers || got.MaxParallelism != c.bound {
			t.Errorf("%+v is noted with %d readers and a bound of %d", c.flink, got.Readers, got.MaxParallelism)
		}
		extra, err := got.extra()
		if err != nil || extra["max_parallelism"] != fmt.Sprint(c.bound) {
			t.Errorf("resumed, %+v has max_parallelism=%s, %v", c.flink, extra["max_parallelism"], err)
		}
	}
	for _, c := range []struct {
		flink FlinkOptions
		to    int
		want  string
	}{
		{FlinkOptions{}, 1, ""},
		{FlinkOptions{}, 2, "--readers"},
		{FlinkOptions{Parallelism: 1, Readers: 2}, 2, ""},
		{FlinkOptions{Parallelism: 1, Readers: 2, Options: []string{"operator_chaining=true"}}, 2, "--readers"},
		{FlinkOptions{Options: []string{"operator-chaining=false"}}, 2, ""},
		{FlinkOptions{Parallelism: 1, Readers: 2}, 17, "max_parallelism"},
		{FlinkOptions{Parallelism: 2}, 16, ""},
		{FlinkOptions{Parallelism: 2}, 1, "2 or more"},
		{FlinkOptions{Parallelism: 2, Readers: 4, Unchained: true}, 1, ""},
		{FlinkOptions{Parallelism: 20}, 21, "20 key groups"},
	} {
		p := Plan{req: request{Options: Options{Flink: c.flink}}}
		noted := p.submission("name", "master").Options.Flink
		if err := noted.Resize(c.to); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v to %d: %v, want %q", c.flink, c.to, err, c.want)
		}
		if extra, err := noted.extra(); err != nil || (extra["operator_chaining"] == "false") != noted.Unchained {
			t.Errorf("%+v is noted as unchained %t, and has operator_chaining=%s, %v", c.flink, noted.Unchained, extra["operator_chaining"], err)
		}
	}
	for _, bad := range []FlinkOptions{{Readers: -1}, {Readers: 2000}, {Parallelism: 17, MaxParallelism: 16}} {
		o := liveOptions()
		o.Flink = bad
		if _, err := check(o); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
