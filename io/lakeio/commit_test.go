package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

const commitDay = 16_000

// change stages files of one day and the change that commits them.
func change(t *testing.T, s Store, run string, contents ...string) Change {
	t.Helper()
	schemas := map[string]*table.Schema{"events": weblog.Events}
	st, err := LoadStanding(t.Context(), s, schemas)
	if err != nil {
		t.Fatal(err)
	}
	ch := Change{
		Run: run, Standing: st, Schemas: schemas, Touched: []int64{commitDay}, Revisions: st.Revisions(run),
		Notes: map[string]any{"_runs/" + run + ".json": map[string]int{"files": len(contents)}, "_keys.json": []string{"k1"}},
	}
	dir := t.TempDir()
	for i, content := range contents {
		staged := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(staged, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		ch.Files = append(ch.Files, File{
			Part: Part{Output: "events", Day: commitDay, Shard: i}, Staged: staged, Rows: 1, Bytes: int64(len(content)),
			Key: fmt.Sprintf("%s/%s-%d.parquet", PartitionKey("events", commitDay), run, i),
		})
	}
	return ch
}

// contents is every file of a folder; the folders themselves count, too.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[p] = "folder"
			return err
		}
		b, err := os.ReadFile(p)
		all[p] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// failing fails every write after some, and deletes meanwhile; with down it fails
// for good, as a process that is killed.
type failing struct {
	Store
	left int
	down bool
}

var errFailing = errors.New("no space left")

func (s *failing) spend() error {
	s.left--
	if s.left == -1 || s.down && s.left < 0 {
		return errFailing
	}
	return nil
}

func (s *failing) Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error) {
	if err := s.spend(); err != nil {
		return Info{}, err
	}
	return s.Store.Put(ctx, key, r, opt)
}

func (s *failing) Delete(ctx context.Context, keys ...string) error {
	if s.down {
		if err := s.spend(); err != nil {
			return err
		}
	}
	return s.Store.Delete(ctx, keys...)
}

func (s *failing) adopt(path, key string) error {
	if err := s.spend(); err != nil {
		return err
	}
	return s.Store.(adopter).adopt(path, key)
}

func lakeOfOneRun(t *testing.T) (Store, string) {
	t.Helper()
	dir := t.TempDir()
	s := newFileStore(dir)
	if err := Commit(t.Context(), s, change(t, s, "first", "one", "two")); err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func TestACommitReplacesADayAndItsBookkeeping(t *testing.T) {
	s, dir := lakeOfOneRun(t)
	if err := Commit(t.Context(), s, change(t, s, "second", "three")); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCurrent(t.Context(), s, "events")
	if err != nil {
		t.Fatal(err)
	}
	day := c.Days[DayText(commitDay)]
	if day.Run != "second" || day.Revision != 1 || day.Rows != 1 || len(day.Files) != 1 {
		t.Errorf("the day is %+v", day)
	}
	var files []string
	for p := range contents(t, dir) {
		if strings.HasSuffix(p, ".parquet") || filepath.Base(p) == commitKey {
			files = append(files, filepath.Base(p))
		}
	}
	if diff := cmp.Diff([]string{"second-0.parquet"}, files); diff != "" {
		t.Error(diff)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "_current", "views.sql")); err != nil || !strings.Contains(string(b), "second-0.parquet") {
		t.Errorf("the views are %s, %v", b, err)
	}
}

func TestACommitThatFailsAnywhereLeavesTheLakeAsItWas(t *testing.T) {
	for left := range 20 {
		s, dir := lakeOfOneRun(t)
		before := contents(t, dir)
		err := Commit(t.Context(), &failing{Store: s, left: left}, change(t, s, "second", "three", "four"))
		if err == nil {
			if left < 6 {
				t.Fatalf("only %d writes made a commit", left)
			}
			return
		}
		if !errors.Is(err, errFailing) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
			t.Errorf("after %d writes:\n%s", left, diff)
		}
	}
	t.Error("the commit never succeeds")
}

func TestACommitThatIsKilledAnywhereIsCarriedThrough(t *testing.T) {
	var want map[string]string
	for left := 20; left >= 0; left-- {
		s, dir := lakeOfOneRun(t)
		before := contents(t, dir)
		ch := change(t, s, "second", "three", "four")
		_ = Commit(t.Context(), &failing{Store: s, left: left, down: true}, ch)
		if _, err := Recover(t.Context(), s); err != nil {
			t.Fatalf("after %d writes: %v", left, err)
		}
		got := relative(dir, contents(t, dir))
		switch {
		case want == nil:
			want = got
		case left == 0: // nothing was decided yet
			if diff := cmp.Diff(relative(dir, before), got); diff != "" {
				t.Errorf("after no write:\n%s", diff)
			}
		default:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %d writes:\n%s", left, diff)
			}
		}
	}
}

// relative makes two lakes comparable: their views name files by full path.
func relative(dir string, all map[string]string) map[string]string {
	out := map[string]string{}
	for p, content := range all {
		out[strings.ReplaceAll(p, dir, "")] = strings.ReplaceAll(content, dir, "")
	}
	return out
}

func TestACommitWhoseStagedFilesAreGoneIsUndone(t *testing.T) {
	for left := 1; left < 8; left++ {
		s, dir := lakeOfOneRun(t)
		before := contents(t, dir)
		ch := change(t, s, "second", "three", "four")
		if err := Commit(t.Context(), &failing{Store: s, left: left, down: true}, ch); err == nil {
			t.Fatalf("%d writes make a commit", left)
		}
		gone := false
		for _, f := range ch.Files {
			gone = os.Remove(f.Staged) == nil || gone
		}
		note, err := Recover(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if !gone { // all were placed
			continue
		}
		if !strings.Contains(note, "undid") {
			t.Errorf("after %d writes: %q", left, note)
		}
		if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
			t.Errorf("after %d writes:\n%s", left, diff)
		}
	}
}

func TestALakeOfAnotherSchemaIsRefusedByName(t *testing.T) {
	s, dir := lakeOfOneRun(t)
	_, err := LoadStanding(t.Context(), s, map[string]*table.Schema{"events": weblog.Sessions})
	if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), filepath.Join(dir, "events")) || !strings.Contains(err.Error(), weblog.Events.ID()) {
		t.Errorf("got %v", err)
	}
}
