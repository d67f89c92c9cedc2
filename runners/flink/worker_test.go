package flink

import "testing"

func TestAWorkerIsToldFromARunThatNamesTheWorkersProgram(t *testing.T) {
	for _, c := range []struct {
		args []string
		want bool
	}{
		{[]string{"--worker=true", "--id=1-1", "--control_endpoint=localhost:1"}, true},
		{[]string{"run", "weblogs", "--worker", "bin/millrace-arm64"}, false},
		{[]string{"run", "weblogs", "--worker=bin/millrace-arm64"}, false},
		{nil, false},
	} {
		if got := IsWorker(c.args); got != c.want {
			t.Errorf("%v: a worker is %t", c.args, got)
		}
	}
}
