package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestARunnerThatDoesNotEndIsLeftBehindOnceTheRunHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		failing := make(chan struct{})
		close(failing)
		stuck := func() error { <-ctx.Done(); return nil }
		if err := await(ctx, failing, stuck); !errors.Is(err, errNotEnded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheRunnersOwnResultCounts(t *testing.T) {
	own := errors.New("own")
	for name, want := range map[string]error{"success": nil, "failure": own} {
		if err := await(t.Context(), nil, func() error { return want }); !errors.Is(err, want) || (err != nil) != (want != nil) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
