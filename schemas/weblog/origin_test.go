package weblog

import "testing"

// TestWhereAVisitCameFromIsNoInput: the lake goes by the origin of rows when it looks
// which inputs a day has rows of.
func TestWhereAVisitCameFromIsNoInput(t *testing.T) {
	if col, ok := Events.Origin(); !ok || col != EventSource {
		t.Errorf("the origin of events is column %d, %t", col, ok)
	}
	if col, ok := Sessions.Origin(); ok {
		t.Errorf("sessions have an origin, column %d", col)
	}
}
