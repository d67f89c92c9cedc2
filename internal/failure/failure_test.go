package failure_test

import (
	"errors"
	"testing"

	"millrace/internal/failure"
)

func TestTheFirstErrorOfARunStays(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	if err := failure.Note("a", nil); err != nil || failure.Of("a") != nil {
		t.Fatalf("no error became %v, %v", err, failure.Of("a"))
	}
	select {
	case <-failure.Noted("a"):
		t.Fatal("a run without an error has failed")
	default:
	}
	for _, err := range []error{first, second} {
		if got := failure.Note("a", err); got != err { //nolint:errorlint // the very one
			t.Errorf("noting %v returned %v", err, got)
		}
	}
	<-failure.Noted("a")
	if err := failure.Of("a"); !errors.Is(err, first) {
		t.Errorf("the first error is %v", err)
	}
	if err := failure.Of("b"); err != nil {
		t.Errorf("another run has failed: %v", err)
	}
}
