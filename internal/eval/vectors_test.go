package main

import (
	"strings"
	"testing"
)

// TestEveryVectorPasses also holds that the table names tests that there are, and that
// each vector is looked at.
func TestEveryVectorPasses(t *testing.T) {
	results, err := runVectorTests(t.Context(), vectorKinds)
	if err != nil {
		t.Fatal(err)
	}
	for i := range vectorKinds {
		k := &vectorKinds[i]
		n, err := k.count()
		if err != nil {
			t.Fatal(err)
		}
		c := results.of(k)
		if n == 0 || c.failed > 0 || c.skipped == 0 && c.passed < n {
			t.Errorf("%s: %d vectors, %+v", k.name, n, c)
		}
	}
}

func TestChecksAreSubtestsWithoutAnyOfTheirOwn(t *testing.T) {
	v, err := readVerdicts(strings.NewReader(`{"Action":"run","Package":"millrace/a/b","Test":"TestX"}
{"Action":"output","Package":"millrace/a/b","Test":"TestX","Output":"x"}
{"Action":"pass","Package":"millrace/a/b","Test":"TestX/1/a"}
{"Action":"fail","Package":"millrace/a/b","Test":"TestX/1/b"}
{"Action":"fail","Package":"millrace/a/b","Test":"TestX/1"}
{"Action":"skip","Package":"millrace/a/b","Test":"TestX/2"}
{"Action":"fail","Package":"millrace/a/b","Test":"TestX"}
{"Action":"pass","Package":"millrace/a/b","Test":"TestXY"}
{"Action":"fail","Package":"millrace/a/b"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.of(&vectorKind{test: "a/b/TestX"}); got != (checks{passed: 1, failed: 1, skipped: 1}) {
		t.Errorf("%+v", got)
	}
	if got := v.of(&vectorKind{test: "a/b/TestXY"}); got != (checks{passed: 1}) {
		t.Errorf("%+v", got)
	}
	if _, err := readVerdicts(strings.NewReader("no JSON\n")); err == nil {
		t.Error("what is no JSON is read")
	}
}

func TestATestThatIsNotThereIsAnError(t *testing.T) {
	_, err := runVectorTests(t.Context(), []vectorKind{{test: "internal/vectors/TestNone"}})
	if err == nil || !strings.Contains(err.Error(), "internal/vectors/TestNone did not run") {
		t.Errorf("error %v", err)
	}
}
