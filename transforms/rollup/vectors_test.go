package rollup_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/vectors"
	"millrace/transforms/rollup"
)

func TestVectors(t *testing.T) {
	type window struct {
		Start  int64 `json:"window_start"`
		Count  int64
		Errors int64
		Sum    int64 `json:"sum_ms"`
		Max    int64 `json:"max_ms"`
		Top3   [][2]any
	}
	var vector struct {
		Rows    [][4]any
		Windows []window
	}
	if err := vectors.Read("rollup.json", &vector); err != nil {
		t.Fatal(err)
	}
	const width = 300 * time.Second
	r := rand.New(rand.NewPCG(1, 1))
	parts := []tables{newTables(t, width), newTables(t, width), newTables(t, width)}
	for _, i := range r.Perm(len(vector.Rows)) {
		row := vector.Rows[i]
		parts[r.IntN(3)].add(request{ // the vector's milliseconds take the place of bytes
			t: int64(row[0].(float64)) * 1000, path: row[1].(string), status: int32(row[2].(float64)), bytes: int64(row[3].(float64)),
		})
	}
	merged := newTables(t, width)
	for _, p := range parts {
		merged.merge(t, p, r)
	}
	traffic, err := merged.traffic.Rows(width, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []window
	for _, row := range traffic {
		if n := len(got); n == 0 || got[n-1].Start != row.Start/1000 {
			got = append(got, window{Start: row.Start / 1000})
		}
		w := &got[len(got)-1]
		w.Count += row.Views
		w.Sum += row.Bytes
		w.Max = max(w.Max, row.Largest)
		if row.Class == rollup.Class5xx {
			w.Errors += row.Views
		}
	}
	for i, row := range merged.pages.Rows(3, nil) {
		w := &got[i/3]
		w.Top3 = append(w.Top3, [2]any{row.Path, float64(row.Views)})
		if w.Start != row.Start/1000 {
			t.Errorf("page row of %d among those of %d", row.Start/1000, w.Start)
		}
	}
	if len(got) != len(vector.Windows) || len(got) == 0 {
		t.Fatalf("%d windows, want %d", len(got), len(vector.Windows))
	}
	for i, want := range vector.Windows {
		t.Run(fmt.Sprint(want.Start), func(t *testing.T) {
			if diff := cmp.Diff(want, got[i]); diff != "" {
				t.Errorf("window (-want +got):\n%s", diff)
			}
		})
	}
}
