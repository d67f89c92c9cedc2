package lakeio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/iotest"
	"millrace/schemas/table"
)

var lakeCan = iotest.SinkCan{Pinned: true, Whole: true, ReplacesDays: true, Exclusive: true}

func refuseElement(element reflect.Type) error {
	if element.Kind() != reflect.Struct {
		return fmt.Errorf("%v is no row", element)
	}
	_, err := table.Of(element, "any", 1)
	return err
}

func TestALakeInAFolderKeepsWhatSinksPromise(t *testing.T) {
	iotest.RunSinkTests(t, iotest.SinkHarness{Can: lakeCan, Refuse: refuseElement, Child: "TestHelperWritesToALake", New: func(t *testing.T) iotest.SinkPlace {
		dir := t.TempDir()
		return attachLake(t, dir+"|"+filepath.Join(dir, stagingName))
	}})
}

func TestALakeOnS3KeepsWhatSinksPromise(t *testing.T) {
	lakes := newLakesOnS3(t)
	iotest.RunSinkTests(t, iotest.SinkHarness{Can: lakeOnS3Can, Refuse: refuseElement, Child: "TestHelperWritesToALake", New: func(t *testing.T) iotest.SinkPlace {
		lake := lakes.next()
		return lakes.place(t, lake, lake+"|"+t.TempDir(), attachLake)
	}})
}

func TestALakeOnS3ThatIsStagedThereKeepsWhatSinksPromise(t *testing.T) {
	lakes := newLakesOnS3(t)
	// Each core fills an object of runs, and hands it to the store, which has a copy.
	memory := max(64<<20, int64(runtime.GOMAXPROCS(0))*(2*runsObject+8<<20))
	iotest.RunSinkTests(t, iotest.SinkHarness{Can: lakeOnS3Can, Memory: memory, Refuse: refuseElement, Child: "TestHelperWritesToALake", New: func(t *testing.T) iotest.SinkPlace {
		lake := lakes.next()
		return lakes.place(t, lake, lake+"|"+stagingIn(t, lake), attachLake)
	}})
}

// Runs take a lease when they begin, and sort on disk.
var lakeOnS3Can = func() iotest.SinkCan {
	can := lakeCan
	can.Asks, can.Spills = true, true
	return can
}()

// lakesOnS3 makes lakes on a server, behind a gate.
type lakesOnS3 struct {
	server *testenv.S3Server
	gate   *testenv.S3Gate
	made   int
}

func newLakesOnS3(t *testing.T) *lakesOnS3 {
	t.Helper()
	l := &lakesOnS3{server: testenv.S3(t)}
	l.gate = testenv.NewS3Gate(t, l.server)
	t.Setenv(endpointVariable, "http://"+l.gate.Addr)
	return l
}

const endpointVariable = "AWS_ENDPOINT_URL_S3"

func (l *lakesOnS3) next() string {
	l.made++
	return fmt.Sprintf("s3://%s/lake-%d", l.server.Bucket, l.made)
}

// place is one on the server, whose leases expire and whose faults are the gate's.
func (l *lakesOnS3) place(t *testing.T, lake, address string, attach func(*testing.T, string) iotest.SinkPlace) iotest.SinkPlace {
	p := attach(t, address)
	direct := openStore(t, lake)
	p.Expire = func(t *testing.T) {
		if err := direct.Delete(t.Context(), keys(t, direct, leaseDir)...); err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(status int, code string) func(t *testing.T) (end func()) {
		return func(*testing.T) (end func()) {
			l.gate.Refuse(&testenv.Refusal{Status: status, Type: code})
			return func() { l.gate.Refuse(nil) }
		}
	}
	p.Throttle, p.Forbid = refuse(http.StatusServiceUnavailable, "SlowDown"), refuse(http.StatusForbidden, "AccessDenied")
	p.Server = l.gate.Addr
	p.Via = func(t *testing.T, addr string) iotest.SinkPlace {
		t.Setenv(endpointVariable, "http://"+addr)
		return attach(t, address)
	}
	return p
}

func TestHelperWritesToALake(t *testing.T) { iotest.SinkChild(t, attachLake) }

// sinkLake is a lake with the folder of its staging areas.
type sinkLake struct {
	store   Store
	staging string
	step    func() error
}

// data is all files of the lake but its bookkeeping.
func (l *sinkLake) data(t *testing.T) map[string]string {
	t.Helper()
	data := objects(t, l.store)
	maps.DeleteFunc(data, func(key, _ string) bool { return strings.HasPrefix(key, "_") })
	return data
}

var sinkSchemas = map[string]*table.Schema{"rows": iotest.SinkRows}

// attachLake is a place by its address: a lake and a folder, parted by a bar.
func attachLake(t *testing.T, address string) iotest.SinkPlace {
	location, staging, _ := strings.Cut(address, "|")
	l := &sinkLake{store: openStore(t, location), staging: staging}
	return iotest.SinkPlace{
		Address: address,
		Open:    l.open,
		Read: func(t *testing.T) (rows []iotest.SinkRow) {
			c, err := LoadCurrent(t.Context(), l.store, "rows")
			if err != nil {
				t.Fatal(err)
			}
			stored := l.data(t)
			_, underWay := objects(t, l.store)[commitKey]
			for _, day := range slices.Sorted(maps.Keys(c.Days)) {
				for _, f := range c.Days[day].Files {
					delete(stored, f.Key)
					rows = append(rows, decodeFile[iotest.SinkRow](t, []byte(content(t, l.store, f.Key)))...)
				}
			}
			if len(stored) > 0 && !underWay {
				t.Errorf("a reader that takes all files finds also %q", slices.Sorted(maps.Keys(stored)))
			}
			return rows
		},
		Stored: l.data,
		Watch:  func(step func() error) { l.step = step },
	}
}

// sinkWriter goes through a lake's protocol as a run does.
type sinkWriter struct {
	Writing
	store    Store
	lease    *Lease
	standing Standing
	area     *Staging
	out      *OutputWriter
	spiller  *Spiller
}

func (l *sinkLake) open(ctx context.Context, run string) (_ iotest.SinkWriter, err error) {
	lease, err := AcquireLease(ctx, l.store, "lake", Owner{Run: run})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lease.Release())
		}
	}()
	w := &sinkWriter{lease: lease, store: watch(l.store, func(string) error {
		if l.step == nil {
			return nil
		}
		return l.step()
	}, quiet)}
	if _, err := Recover(ctx, w.store); err != nil {
		return nil, err
	}
	if w.standing, err = LoadStanding(ctx, w.store, sinkSchemas); err != nil {
		return nil, err
	}
	w.Writing = Writing{Run: run, Output: "rows", Schema: iotest.SinkRows.ID(), Staging: l.staging + "/" + run, Revisions: w.standing.Revisions(run)}
	if w.area, err = OpenStaging(ctx, w.Staging); err != nil {
		return nil, err
	}
	if err := w.area.Prepare(ctx); err != nil {
		return nil, err
	}
	if w.out, err = w.Open(ctx); err != nil {
		return nil, err
	}
	w.spiller = w.out.Spiller(ctx)
	return w, nil
}

func (w *sinkWriter) Write(_ context.Context, b *table.Batch) error { return w.spiller.Add(b) }

func (w *sinkWriter) Finish(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, w.lease.Release()) }()
	runs, err := w.spiller.Finish()
	if err != nil {
		return err
	}
	parts := map[Part][]Run{}
	for _, r := range runs {
		parts[r.Part] = append(parts[r.Part], r)
	}
	for _, runs := range parts {
		if err := w.out.Merge(ctx, runs, func(int) {}); err != nil {
			return err
		}
	}
	files, err := w.area.Files(ctx)
	if err != nil {
		return err
	}
	change := Change{Run: w.Run, Standing: w.standing, Schemas: sinkSchemas, Touched: daysOf(files), Revisions: w.Revisions, Staging: w.Staging, Files: files}
	if err := Commit(ctx, w.store, change); err != nil {
		return err
	}
	return w.area.Remove(ctx)
}

func (w *sinkWriter) Abort() {
	_, _ = w.spiller.Finish()
	_ = w.lease.Release()
}
