package fault_test

import (
	"errors"
	"io/fs"
	"testing"

	"millrace/runners/flink/fault"
)

func TestAnErrorTellsWhatWhyAndTheCure(t *testing.T) {
	err := error(&fault.Error{Doing: "stop", Object: "job 1", Class: fault.ErrRefused, Cause: fs.ErrExist, Cure: "try again"})
	if got, want := err.Error(), "stop job 1: file already exists; try again"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if !errors.Is(err, fault.ErrRefused) || !errors.Is(err, fs.ErrExist) || errors.Is(err, fault.ErrBusy) {
		t.Error("class and cause are not what errors.Is finds")
	}
	if got, want := (&fault.Error{Doing: "open", Object: "x", Class: fault.ErrNotFound}).Error(), "open x: not found"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}
