package lakeio

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// inArea stages rows, spilled by several bundles, and gives the finished files'
// keys with their hashes.
func inArea(t *testing.T, area stagingArea, limit, shards int) map[string]string {
	t.Helper()
	w := &OutputWriter{
		Writing: Writing{Run: "r", Output: "x", Schema: numbers.ID(), Shards: shards},
		schema:  numbers, staging: &Staging{"here", area},
	}
	if err := w.staging.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	parts := map[Part][]Run{}
	for bundle := range uint64(3) {
		s := w.Spiller(t.Context())
		if runs, ok := s.to.(*storeRuns); ok {
			runs.limit = limit
		}
		s.frame = 50
		for p, runs := range spillAll(t, s, inBatches(seeded(bundle), numbers, makeNumbers(seeded(10+bundle), 4_000, 3), 300)) {
			parts[p] = append(parts[p], runs...)
		}
	}
	for _, runs := range parts {
		rows := 0
		if err := w.Merge(t.Context(), runs, func(n int) { rows += n }); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.staging.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, f := range files {
		made[f.Key] = f.SHA256
	}
	return made
}

// TestFilesAreTheSameWhereverTheyAreStaged: in a folder, and in stores with objects
// of one run each, of some, and of a whole bundle.
func TestFilesAreTheSameWhereverTheyAreStaged(t *testing.T) {
	server := testenv.S3(t)
	for _, shards := range []int{1, 3} {
		want := inArea(t, folderStaging(t.TempDir()), 0, shards)
		if len(want) != 3*shards {
			t.Fatalf("%d files", len(want))
		}
		for name, c := range map[string]struct {
			store   Store
			limit   int
			objects int // at most
		}{
			"one run an object": {newFileStore(t.TempDir()), 1, 1 << 30},
			"some":              {newFileStore(t.TempDir()), 20 << 10, 60},
			"a whole bundle":    {newFileStore(t.TempDir()), runsObject, 3},
			"on S3":             {openStore(t, "s3://"+server.Bucket+"/"+string(rune('a'+shards))), 50 << 10, 30},
		} {
			if diff := cmp.Diff(want, inArea(t, storeStaging{c.store}, c.limit, shards)); diff != "" {
				t.Errorf("%s, %d shards: -folder +store:\n%s", name, shards, diff)
			}
			if n := len(keys(t, c.store, runsFolder)); n < 3 || n > c.objects {
				t.Errorf("%s, %d shards: the runs of 3 bundles are in %d objects", name, shards, n)
			}
		}
	}
}

func TestASpillToAStoreThatFailsLeavesNothing(t *testing.T) {
	s := newFileStore(t.TempDir())
	puts := 0
	refusing := watch(s, func(step string) error {
		if puts++; puts > 2 && strings.HasPrefix(step, "put") {
			return errCrash
		}
		return nil
	}, quiet)
	to := storeStaging{refusing}.spill(t.Context()).(*storeRuns)
	to.limit = 10 << 10
	spiller := newSpiller(to, "x", 1)
	var err error
	for _, b := range inBatches(seeded(1), numbers, makeNumbers(seeded(1), 5_000, 4), 200) {
		if err = spiller.Add(b); err != nil {
			break
		}
	}
	runs, last := spiller.Finish()
	if !errors.Is(errors.Join(err, last), errCrash) || len(runs) > 0 {
		t.Errorf("%d runs, the errors are %v and %v", len(runs), err, last)
	}
	if left := keys(t, s, ""); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestRunsThatAreGoneAreNamed(t *testing.T) {
	s := newFileStore(t.TempDir())
	area := storeStaging{s}
	runs := spillAll(t, newSpiller(area.spill(t.Context()), "x", 1), inBatches(seeded(1), numbers, makeNumbers(seeded(1), 100, 1), 30))[Part{Output: "x"}]
	if err := area.remove(t.Context(), runsFolder); err != nil {
		t.Fatal(err)
	}
	if _, _, err := area.fetch(t.Context(), runs); !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), s.Name(runs[0].Path)) {
		t.Errorf("the error is %v", err)
	}
}

// waitingFile stages one file of some bytes.
func waitingFile(t *testing.T, area stagingArea, content string) File {
	t.Helper()
	if err := area.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	to, err := area.create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(to, content); err != nil {
		t.Fatal(err)
	}
	if err := to.finish(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	return File{Key: "events/year=2026/a b+c%2F#é.parquet", Staged: stagedName(to), Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

// elsewhere is a folder on another file system than the files that come to it.
type elsewhere struct{ *fileStore }

func (s elsewhere) adopt(path, key string) error {
	return fileError("write", s.path(key), &os.LinkError{Op: "rename", Old: path, New: key, Err: syscall.EXDEV})
}

func createBucket(t *testing.T, server *testenv.S3Server) string {
	t.Helper()
	name := "other"
	if _, err := server.Client(t).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFilesComeFromEachStagingAreaToEachLake also stages in places that are not the
// lake's, and checks the hash where the bytes pass through here.
func TestFilesComeFromEachStagingAreaToEachLake(t *testing.T) {
	server := testenv.S3(t)
	other := createBucket(t, server)
	bucket := "s3://" + server.Bucket
	lakes := map[string]func() Store{
		"a folder":                 func() Store { return openStore(t, t.TempDir()) },
		"a folder of another disk": func() Store { return elsewhere{newFileStore(t.TempDir())} },
		"S3":                       func() Store { return openStore(t, bucket+"/lake with+signs") },
	}
	areas := map[string]func() stagingArea{
		"a folder":    func() stagingArea { return folderStaging(t.TempDir()) },
		"the bucket":  func() stagingArea { return openStaging(t, bucket+"/stage d+%25/_staging/r").stagingArea },
		"another one": func() stagingArea { return openStaging(t, "s3://"+other+"/_staging/r").stagingArea },
	}
	for lakeName, newLake := range lakes {
		for areaName, newArea := range areas {
			t.Run(areaName+" to "+lakeName, func(t *testing.T) {
				lake, area := newLake(), newArea()
				f := waitingFile(t, area, "rows of "+t.Name())
				if there, err := area.holds(t.Context(), f); err != nil || !there {
					t.Errorf("it waits: %v, %v", there, err)
				}
				if err := area.place(t.Context(), lake, f); err != nil {
					t.Fatal(err)
				}
				if got := content(t, lake, f.Key); got != "rows of "+t.Name() {
					t.Errorf("it holds %q", got)
				}
				_, moves := lake.(*fileStore)
				_, folder := area.(folderStaging)
				if moves && folder || lakeName == "S3" && areaName == "the bucket" {
					return
				}
				damaged := waitingFile(t, area, "other rows")
				damaged.SHA256, damaged.Key = f.SHA256, "events/damaged.parquet"
				if err := area.place(t.Context(), lake, damaged); !errors.Is(err, driver.ErrCorrupt) {
					t.Errorf("other bytes than were written: %v", err)
				}
				if all := keys(t, lake, ""); len(all) != 1 {
					t.Errorf("the lake has %q", all)
				}
			})
		}
	}
}

func TestAStoreCopiesItselfWhatLiesInItsBucket(t *testing.T) {
	server := testenv.S3(t)
	other := createBucket(t, server)
	lake := openStore(t, "s3://"+server.Bucket+"/lake")
	for bucket, want := range map[string]bool{server.Bucket: true, other: false} {
		from := openStore(t, "s3://"+bucket+"/staged")
		mustPut(t, from, "x", "bytes", PutOptions{})
		done, err := lake.(copier).copyFrom(t.Context(), from, "x", "copy-"+bucket)
		if done != want || err != nil {
			t.Errorf("from %s: %v, %v", bucket, done, err)
		}
	}
	if _, err := lake.(copier).copyFrom(t.Context(), openStore(t, "s3://"+server.Bucket+"/staged"), "gone", "y"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
}

func TestClearingStagingAreasSparesLiveRunsAndOtherJobs(t *testing.T) {
	server := testenv.S3(t)
	for _, lake := range []string{t.TempDir(), "s3://" + server.Bucket + "/lake"} {
		s := openStore(t, lake)
		live, err := LiveWriting{Run: "web-logs-2", Schemas: map[string]string{"events": numbers.ID()}}.open(s)
		if err != nil {
			t.Fatal(err)
		}
		roll := newRoll(1, 0, 30, 1)
		if _, err := live.Stage(t.Context(), "events", map[string][]*table.Batch{roll.part.Roll: {batchOf(numbers, roll.events)}}); err != nil {
			t.Fatal(err)
		}
		for _, run := range []string{"web-logs-1", "web-logs-3", "logs-1", "web-1", "0011"} {
			mustPut(t, s, stagingName+"/"+run+"/runs/x", "x", PutOptions{})
		}
		mustPut(t, s, "events/x", "x", PutOptions{})
		want := slices.DeleteFunc(keys(t, s, ""), func(key string) bool { return strings.Contains(key, "/web-logs-3/") })
		if err := ClearStaging(t.Context(), stagingIn(t, lake), "web-logs-1"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, keys(t, s, "")); diff != "" || len(want) != 6 {
			t.Errorf("cleared (-want +got):\n%s", diff)
		}
	}
}

// TestACommitStagedOnS3IsFinishedOrUndoneAnywhere: whoever comes next needs nothing
// of the machine that died.
func TestACommitStagedOnS3IsFinishedOrUndoneAnywhere(t *testing.T) {
	server := testenv.S3(t)
	for _, gone := range []bool{false, true} {
		lake := "s3://" + server.Bucket + "/lake" + map[bool]string{true: "-gone", false: ""}[gone]
		s := openStore(t, lake)
		inputA.commit(t, s, stagingIn(t, lake, "run-a"))
		before := objects(t, s)
		at := stagingIn(t, "s3://"+server.Bucket+"/scratch", "run-b")
		if !crash(t, crashAt(s, 2, false, true), inputB.stage(t, s, at)) {
			t.Fatal("the commit went through")
		}
		if gone {
			if err := openStaging(t, at).Remove(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		note, err := Recover(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if gone && (!strings.HasPrefix(note, "undid") || !maps.Equal(before, objects(t, s))) {
			t.Errorf("without its files: %q", note)
		}
		if rows := state(t, s)["pages/1970-01-03 by run-b r0"]; !gone && (!strings.HasPrefix(note, "finished") || rows != 2) {
			t.Errorf("with its files: %q, %d rows", note, rows)
		}
	}
}

func TestAStagingAreaThatCannotBeWrittenSaysSo(t *testing.T) {
	server := testenv.S3(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "x")
	for location, class := range map[string]error{
		stagingIn(t, "s3://no-such-"+server.Bucket, "r"): driver.ErrNotFound,
		stagingIn(t, file, "r"):                          driver.ErrInvalid,
	} {
		err := openStaging(t, location).Prepare(t.Context())
		if known := new(driver.Error); !errors.Is(err, class) || !errors.As(err, &known) || known.Cure == "" || !strings.Contains(known.Object, strings.TrimSuffix(location, "/r")) {
			t.Errorf("%s: %v", location, err)
		}
	}
}
