package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"

	"millrace/internal/vectors"
)

// vectorKind is a kind of test vectors and the tests that hold them, of which each
// check is a subtest. The tests are run, rather than what they do done again: what
// is counted here is what holds the code.
type vectorKind struct {
	name  string
	file  string
	lists []string // of the file; each entry is a vector
	test  string   // package/Test
}

var vectorKinds = []vectorKind{
	{"window_funnel", "window_funnel.json", []string{"cases"}, "transforms/funnels/TestWindowFunnelGivesTheLevelsOfItsReference"},
	{"retention", "retention.json", []string{"sums"}, "transforms/funnels/TestRetentionGivesTheSumsOfItsReference"},
	{"sequence", "sequence.json", []string{"cases"}, "transforms/funnels/TestSequencesMatchLikeTheirReference"},
	{"funnel_conversion", "funnel_conversion.json", []string{"cases"}, "transforms/funnels/TestConversionsAreThoseOfTheReference"},
	{"sessions", "sessions.json", []string{"cases"}, "transforms/sessions/TestVectors"},
	{"sessions, late events", "sessions.json", []string{"late"}, "transforms/sessions/TestVectorsOfLateEvents"},
	{"rollup", "rollup.json", []string{"windows"}, "transforms/rollup/TestVectors"},
	{"sketch (of rollup)", "rollup.json", []string{"windows"}, "transforms/sketch/TestVectors"},
	{"masking", "masking.json", []string{"luhn", "ip_truncate", "tokens"}, "transforms/mask/TestMaskingVectors"},
	{"secrets", "secrets.json", []string{"cases"}, "transforms/mask/TestSecretVectors"},
	{"ff1", "ff1.json", []string{"cases"}, "transforms/mask/TestFF1Vectors"},
	{"kpl", "kpl.json", []string{"cases"}, "io/kinesisio/TestAggregatedRecordsAreTakenApartAsInTheVectors"},
	{"golden_real: decoding", "golden_real.json", []string{"access_logs"}, "transforms/decode/TestCountsOfRealLogsEqualTheIndependentOnes"},
	{"golden_real: sessions", "golden_real.json", []string{"access_logs"}, "transforms/sessions/TestCountsOfRealLogsEqualTheIndependentOnes"},
	{"golden_real: a shop's funnels", "golden_real.json", []string{"clickstream"}, "transforms/funnels/TestAShopsVisitorsReachTheLevelsThatWereCountedIndependently"},
}

// vectorsSection prints how many vectors of each kind pass.
func vectorsSection(ctx context.Context, _ string, out io.Writer) error {
	results, err := runVectorTests(ctx, vectorKinds)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "Vectors are cases with the answer of a reference; a vector may be checked in several ways.\n\n| kind | vectors | checks | passed | failed | skipped |\n|---|---:|---:|---:|---:|---:|\n")
	for i := range vectorKinds {
		k := &vectorKinds[i]
		n, err := k.count()
		if err != nil {
			return err
		}
		c := results.of(k)
		fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %d |\n", k.name, n, c.passed+c.failed+c.skipped, c.passed, c.failed, c.skipped)
	}
	return nil
}

// count is how many vectors the file has.
func (k *vectorKind) count() (int, error) {
	var file map[string]json.RawMessage
	if err := vectors.Read(k.file, &file); err != nil {
		return 0, err
	}
	n := 0
	for _, name := range k.lists {
		var list []json.RawMessage
		var named map[string]json.RawMessage
		if json.Unmarshal(file[name], &list) != nil && json.Unmarshal(file[name], &named) != nil {
			return 0, fmt.Errorf("%s: %s is no list", k.file, name)
		}
		n += len(list) + len(named)
	}
	return n, nil
}

// verdicts are the last actions of tests, pass, fail or skip, by package/Test/subtest.
type verdicts map[string]string

type checks struct{ passed, failed, skipped int }

// of counts the subtests that have none of their own, or the test if it has none.
func (v verdicts) of(k *vectorKind) (c checks) {
	for name, action := range v {
		if name != k.test && !strings.HasPrefix(name, k.test+"/") || v.parent(name) {
			continue
		}
		switch action {
		case "pass":
			c.passed++
		case "skip":
			c.skipped++
		default:
			c.failed++
		}
	}
	return c
}

func (v verdicts) parent(name string) bool {
	for other := range v {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

const module = "millrace/"

// runVectorTests runs the tests of the kinds. Tests that fail are verdicts, too.
func runVectorTests(ctx context.Context, kinds []vectorKind) (verdicts, error) {
	var packages, tests []string
	for i := range kinds {
		cut := strings.LastIndexByte(kinds[i].test, '/')
		packages, tests = append(packages, module+kinds[i].test[:cut]), append(tests, kinds[i].test[cut+1:])
	}
	slices.Sort(packages)
	args := append([]string{"test", "-json", "-run", "^(" + strings.Join(tests, "|") + ")$"}, slices.Compact(packages)...)
	cmd := exec.CommandContext(ctx, "go", args...)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	runErr := cmd.Run()
	if exit := (*exec.ExitError)(nil); runErr != nil && !errors.As(runErr, &exit) {
		return nil, fmt.Errorf("running the tests of vectors: %w", runErr)
	}
	v, err := readVerdicts(&said)
	if err != nil {
		return nil, err
	}
	for i := range kinds {
		if v[kinds[i].test] == "" {
			return nil, fmt.Errorf("test %s did not run, go test ended so: %w\n%s", kinds[i].test, runErr, &complaints)
		}
	}
	return v, nil
}

// readVerdicts reads what go test -json says.
func readVerdicts(r io.Reader) (verdicts, error) {
	v := verdicts{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var event struct{ Action, Package, Test string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, fmt.Errorf("reading what go test says: %w", err)
		}
		if event.Test != "" && slices.Contains([]string{"pass", "fail", "skip"}, event.Action) {
			v[strings.TrimPrefix(event.Package, module)+"/"+event.Test] = event.Action
		}
	}
	return v, lines.Err()
}
