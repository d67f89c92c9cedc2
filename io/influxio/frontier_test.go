package influxio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// TestWhatAFrontierPassesIsNew plays sinks that take turns, any time apart, on places
// that hold what was sent to them: no time is passed that has a point of another lane's
// batch before, or of another sink's turn before.
func TestWhatAFrontierPassesIsNew(t *testing.T) {
	asked := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		const lanes = 3
		there := [lanes]map[int64]bool{{}, {}, {}} // by the lane that its points have
		sinks := []*frontier{newFrontier(lanes), newFrontier(lanes)}
		latest := int64(math.MinInt64)
		ask := func(after int64) (int64, error) {
			asked++
			return max(after, latest), nil
		}
		for turn := range 40 {
			f := sinks[turn%2]
			f.asked = time.Time{} // a turn begins long after the one before
			for range rng.IntN(6) {
				lane, first := rng.IntN(lanes), int64(turn+rng.IntN(30))
				last := first + rng.Int64N(5)
				reached, err := f.pass(lane, last, ask)
				if err != nil {
					t.Fatal(err)
				}
				for at := first; at <= last; at++ {
					if at > reached && there[lane][at] {
						t.Fatalf("seed %d: %d is taken for new, beyond %d", seed, at, reached)
					}
				}
				for at := first; at <= last; at++ {
					there[lane][at], latest = true, max(latest, at)
				}
			}
		}
	}
	if asked == 0 {
		t.Error("nobody asked")
	}
}

func TestAFrontierThatCannotAskPassesNothing(t *testing.T) {
	f, broken := newFrontier(1), errors.New("broken")
	if _, err := f.pass(0, 5, func(int64) (int64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	reached, err := f.pass(0, 5, func(after int64) (int64, error) { return max(after, 7), nil })
	if err != nil || reached != 7 {
		t.Errorf("reached %d, %v", reached, err)
	}
}

// TestRowsInTheOrderOfTimeAreNotAskedFor: it takes one question a second, not one a call.
func TestRowsInTheOrderOfTimeAreNotAskedFor(t *testing.T) {
	queries, writes := 0, 0
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/query" {
			queries++
			_, _ = io.WriteString(w, `{"results":[{}]}`)
			return
		}
		writes++
		w.WriteHeader(http.StatusNoContent)
	})
	s := open(t, url+"&rows=10", versioned, driver.SinkOptions{})
	s.frontier.asked = time.Now().Add(time.Hour) // and none of these takes so long
	var rows []any
	for i := range 100 {
		rows = append(rows, versionedRow{At: table.Millis(1000 + i), Name: "a", Version: 1})
	}
	s.mustWrite(t, table.Sealed, rows...)
	if queries != 0 || writes != 10 {
		t.Errorf("%d queries and %d writes", queries, writes)
	}
	s.mustWrite(t, table.Sealed, rows[50])
	if queries != 1 || writes != 11 {
		t.Errorf("a row again: %d queries and %d writes", queries, writes)
	}
}

// versionedRow is a row of a letter, with a version.
type versionedRow struct {
	At      table.Millis `col:"at,sort1,day" doc:"a time"`
	Name    string       `col:"name,sort2" mask:"none" doc:"a letter"`
	N       int64        `col:"n" doc:"a number"`
	Version int64        `col:"version" doc:"the greater one wins"`
}

var versioned = table.MustOf[versionedRow]("influxio.versioned", 1)

// TestSinksThatTakeTurnsKeepTheNewest, also where one has written later times than the
// other has seen.
func TestSinksThatTakeTurnsKeepTheNewest(t *testing.T) {
	server := testenv.Influx(t)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	sinks := []*Sink{
		open(t, at(server, "measurement=versioned&calls=2&rows=7"), versioned, driver.SinkOptions{}),
		open(t, at(server, "measurement=versioned&calls=3&rows=5"), versioned, driver.SinkOptions{}),
	}
	rng := rand.New(rand.NewPCG(4, 2))
	newest := map[string]int64{}
	for turn := range 24 {
		s := sinks[turn%2]
		s.frontier.asked = time.Time{} // turns are long apart
		var rows []any
		for range 30 {
			minute := turn + rng.IntN(20)
			row := versionedRow{At: table.Millis(begin.Add(time.Duration(minute) * time.Minute).UnixMilli()), Name: string(rune('a' + rng.IntN(3))), Version: int64(1 + rng.IntN(50))}
			rows = append(rows, row)
			key := fmt.Sprint(row.Name, minute)
			newest[key] = max(newest[key], row.Version)
		}
		s.mustWrite(t, table.Sealed, rows...)
	}
	found := 0
	for _, series := range server.Query(t, `SELECT "version" FROM "versioned" GROUP BY "name"`) {
		for _, v := range series.Values {
			nanos, err := strconv.ParseInt(fmt.Sprint(v[0]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint(series.Tags["name"], (nanos-begin.UnixNano())/int64(time.Minute))
			if fmt.Sprint(v[1]) != strconv.FormatInt(newest[key], 10) {
				t.Errorf("%s has version %v, want %d", key, v[1], newest[key])
			}
			found++
		}
	}
	if found != len(newest) {
		t.Errorf("%d points, want %d", found, len(newest))
	}
}
