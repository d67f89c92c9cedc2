// Package mutate runs fuzz targets on inputs that are changed blindly.
//
// go test -fuzz keeps what reaches new code, and pays for it: it counts the coverage
// of all code that is linked after each execution, which for small decoders takes ten
// times as long as they do. What it has found is worth much more executions than that
// leaves. So targets that go through this package run, when MILLRACE_MUTATE names a
// time (30s), on changed copies of all that is known to be interesting, in one
// process and without looking at coverage: the inputs of F.Add, those committed in
// testdata/fuzz, and those that go test -fuzz has left in Go's cache. An input that
// fails is written where go test -fuzz would write it, and go test finds it again.
//
// Without MILLRACE_MUTATE nothing is changed, and targets are those of package testing.
package mutate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"
)

// variable names how long each target is to run on changed inputs.
const variable = "MILLRACE_MUTATE"

// F is a testing.F whose target also runs on changed inputs, if asked for.
type F struct {
	*testing.F
	seeds [][]any
}

// Of makes an F of the one that go test gives a fuzz target.
func Of(f *testing.F) *F { return &F{F: f} }

// Add is that of testing.F.
func (f *F) Add(args ...any) {
	f.Helper()
	f.F.Add(args...)
	f.seeds = append(f.seeds, args)
}

// Fuzz is that of testing.F.
func (f *F) Fuzz(target any) {
	f.Helper()
	asked := os.Getenv(variable)
	if asked == "" {
		f.F.Fuzz(target)
		return
	}
	span, err := time.ParseDuration(asked)
	if err != nil {
		f.Fatalf("%s: %v; write a time as 30s", variable, err)
	}
	found, err := corpora(f.Name(), reflect.TypeOf(target))
	if err != nil {
		f.Fatal(err)
	}
	seeds := slices.Concat(f.seeds, found)
	if len(seeds) == 0 {
		f.Fatal("there is nothing to change: no input is added, none is in testdata/fuzz")
	}
	// A target takes a T, which testing gives it for each of its inputs: the first
	// brings the one for all.
	var once sync.Once
	f.F.Fuzz(reflect.MakeFunc(reflect.TypeOf(target), func(in []reflect.Value) []reflect.Value {
		once.Do(func() {
			t := in[0].Interface().(*testing.T) //nolint:forcetypeassert // testing has looked at it
			newRun(t, f.Name(), reflect.ValueOf(target), seeds).until(span)
		})
		return nil
	}).Interface())
}

// run is a target under way.
type run struct {
	t      *testing.T
	name   string
	target reflect.Value
	seeds  [][]any
	random *rand.Rand
	args   []any           // of the execution under way
	values []reflect.Value // of the call, with its T
	count  int64
	ended  bool
}

func newRun(t *testing.T, name string, target reflect.Value, seeds [][]any) *run {
	random := rand.New(rand.NewPCG(rand.Uint64(), 0)) //nolint:gosec // not for secrets
	return &run{t: t, name: name, target: target, seeds: seeds, random: random}
}

// until executes the target for a time. One that ends its goroutine, as Skip and
// FailNow do, is gone on with in another one, unless it has failed.
func (r *run) until(span time.Duration) {
	deadline := time.Now().Add(span)
	for !r.ended {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer r.judge()
			for !r.ended {
				r.execute(deadline)
			}
		}()
		<-done
	}
	fmt.Printf("%s: %d executions by mutation of %d inputs\n", r.name, r.count, len(r.seeds))
}

// execute runs the target once, and looks at the clock now and then.
func (r *run) execute(deadline time.Time) {
	if r.count++; r.count%64 == 0 {
		r.ended = time.Now().After(deadline)
	}
	r.args = r.change(r.seeds[r.random.IntN(len(r.seeds))])
	r.values = append(r.values[:0], reflect.ValueOf(r.t))
	for _, a := range r.args {
		r.values = append(r.values, reflect.ValueOf(a))
	}
	r.target.Call(r.values)
	r.ended = r.ended || r.t.Failed()
}

// judge keeps the input of an execution that panicked or failed.
func (r *run) judge() {
	panicked := recover()
	if panicked == nil && !r.t.Failed() {
		return
	}
	r.ended = true
	path, err := keep(r.name, r.args)
	if err != nil {
		path = fmt.Sprintf("nowhere (%v): %#v", err, r.args)
	}
	if panicked != nil {
		r.t.Errorf("panic: %v\n%s", panicked, debug.Stack())
	}
	r.t.Errorf("the input that fails is in %s; go test -run %s does it again", path, r.name)
}
