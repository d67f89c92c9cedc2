package generate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAuthLogsAreInOrderRepeatableAndTheirTruthIsInThem(t *testing.T) {
	lines, attacks, err := AuthLog(AuthConfig{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := AuthLog(AuthConfig{Seed: 3})
	if diff := cmp.Diff(lines, again); diff != "" {
		t.Errorf("the same seed gives other lines:\n%s", diff)
	}
	other, _, _ := AuthLog(AuthConfig{Seed: 4})
	if cmp.Equal(lines, other) {
		t.Error("another seed gives the same lines")
	}
	of, accepted := map[string]int64{}, map[string]bool{}
	for i, l := range lines {
		if i > 0 && l.At.Before(lines[i-1].At) {
			t.Fatalf("line %d goes back in time", i)
		}
		if !strings.HasPrefix(l.Text, l.At.Format("Jan _2 15:04:05")+" web-1 sshd[") {
			t.Fatalf("line %q at %s", l.Text, l.At)
		}
		for _, a := range attacks {
			if strings.Contains(l.Text, " "+a.Source+" ") || strings.HasSuffix(l.Text, " "+a.Source) {
				of[a.Source]++
				accepted[a.Source] = accepted[a.Source] || strings.Contains(l.Text, "Accepted")
				if l.At.Before(a.Start) || l.At.After(a.End) {
					t.Fatalf("%q is not within its attack", l.Text)
				}
			}
		}
	}
	kinds := map[string]int{}
	for _, a := range attacks {
		kinds[a.Kind]++
		if of[a.Source] != a.Lines || accepted[a.Source] != a.Succeeded {
			t.Errorf("%+v has %d lines, a login %v", a, of[a.Source], accepted[a.Source])
		}
	}
	if len(attacks) != 24 || kinds[slowBruteForce] != 6 {
		t.Errorf("%v", kinds)
	}
}
