package endpoint

import (
	"errors"
	"testing"
	"time"

	"millrace/io/lakeio"
)

// noted are the sinks that a lake's status would tell of.
func noted(t *testing.T, lake string) []lakeio.Waiting {
	t.Helper()
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	list, err := lakeio.ReadWaiting(t.Context(), store, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestASinkThatDoesNotTakeRowsIsNotedInTheLakeUntilItDoes(t *testing.T) {
	lake, fault := t.TempDir(), errors.New("connection refused")
	w, other := newWaiting(lake, "live", "events"), newWaiting(lake, "live", "events")
	w.again(t.Context(), fault)
	if list := noted(t, lake); len(list) != 0 {
		t.Errorf("the first failure is noted: %+v", list)
	}
	w.after, other.after, other.every = 0, 0, 0
	w.again(t.Context(), fault)
	w.notes.Wait()
	time.Sleep(2 * time.Millisecond) // so that the other's wait is shorter
	for range 3 {
		other.again(t.Context(), errors.New("another fault"))
		other.notes.Wait()
	}
	if list := noted(t, lake); len(list) != 1 || list[0].Output != "events" || list[0].Error != fault.Error() || list[0].Since.IsZero() {
		t.Errorf("noted are %+v", list)
	}
	w.over(t.Context())
	if list := noted(t, lake); len(list) != 1 || list[0].Error != "another fault" {
		t.Errorf("while another worker waits, noted are %+v", list)
	}
	other.over(t.Context())
	if list := noted(t, lake); len(list) != 0 {
		t.Errorf("afterwards noted are %+v", list)
	}
}

func TestTheNoteOfAWorkerThatIsGoneGrowsOld(t *testing.T) {
	lake := t.TempDir()
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for id, age := range map[string]time.Duration{"old": time.Hour, "new": time.Minute} {
		if err := lakeio.NoteWaiting(t.Context(), store, "live", id, lakeio.Waiting{Output: id, Since: now.Add(-2 * age), Noted: now.Add(-age)}); err != nil {
			t.Fatal(err)
		}
	}
	if list := noted(t, lake); len(list) != 1 || list[0].Output != "new" {
		t.Errorf("noted are %+v", list)
	}
}
