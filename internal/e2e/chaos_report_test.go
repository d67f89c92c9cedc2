package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"millrace/internal/machine"
	"millrace/internal/testenv"
)

// chaosLog is what is told of all runs.
type chaosLog struct {
	seed    uint64
	all     []suffered
	rounds  int
	looked  int
	state   int64
	largest map[string]int64
}

func (l *chaosLog) add(s suffered) { l.all = append(l.all, s) }

func (l *chaosLog) round(w *chaosWorld) {
	l.rounds++
	l.looked += w.looked
	l.state = max(l.state, w.state)
	if l.largest == nil {
		l.largest = map[string]int64{}
	}
	for of, bytes := range w.largest {
		l.largest[of] = max(l.largest[of], bytes)
	}
}

// counted is how many faults have hit.
func (l *chaosLog) counted() (n int) {
	for _, s := range l.all {
		if s.missed == "" {
			n++
		}
	}
	return n
}

// tell shows the table.
func (l *chaosLog) tell(t *testing.T) {
	t.Helper()
	t.Log("\n" + l.table(t.Failed()))
	l.save(t)
}

// save writes the table, where it is wanted.
func (l *chaosLog) save(t *testing.T) {
	t.Helper()
	if name := os.Getenv(chaosReport); name != "" {
		if err := os.WriteFile(name, []byte(l.table(t.Failed())), 0o644); err != nil {
			t.Error(err)
		}
	}
}

func (l *chaosLog) table(failed bool) string {
	var b strings.Builder
	outcome := "every run equal to the batch job"
	if failed {
		outcome = "FAILED"
	}
	fmt.Fprintf(&b, "%s, seed %d, %s: %d faults in %d runs, %s; largest worker %d MiB, supervising program %d MiB, checkpoint %d KiB; %d looks at files of the lake\n\n",
		time.Now().UTC().Format(time.DateOnly), l.seed, machine.CPU(), l.counted(), l.rounds, outcome, l.largest[aWorker]>>20, l.largest[theProgram]>>20, l.state>>10, l.looked)
	b.WriteString("| fault | hit | missed | records sent again | new records after, median | at most |\n|---|---:|---:|---:|---:|---:|\n")
	byName := map[string][]suffered{}
	missed := map[string]int{}
	for _, s := range l.all {
		if s.missed != "" {
			missed[s.name]++
		} else {
			byName[s.name] = append(byName[s.name], s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all := byName[name]
		again := 0
		for _, s := range all {
			again += s.again
		}
		slices.SortFunc(all, func(a, b suffered) int { return int(a.recovered - b.recovered) })
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %.1f s | %.1f s |\n", name, len(all), missed[name], again, all[len(all)/2].recovered.Seconds(), all[len(all)-1].recovered.Seconds())
	}
	return b.String()
}

// buildChaos compiles the workers' program with panics that can be planted and a way
// to Flink that can be disturbed. $MILLRACE_CHAOS_BINARY names a built one instead.
func buildChaos(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("MILLRACE_CHAOS_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "millrace-chaos")
	c := exec.CommandContext(t.Context(), "go", "build", "-tags", "chaos", "-o", path, "./cmd/millrace")
	c.Dir = testenv.Root(t)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}
