package authlog

import "testing"

// TestTheColumnNumbersNameTheirColumns guards against a field that moved without its
// number: values would land in the wrong column, and some would fit.
func TestTheColumnNumbersNameTheirColumns(t *testing.T) {
	numbers := map[string]int{
		"event_id": EventID, "event_time": EventTime, "action": EventAction, "outcome": EventOutcome, "times": EventTimes,
		"client_id": EventClientID, "client_ip": EventClientIP, "port": EventPort, "user": EventUser, "method": EventMethod, "host": EventHost,
		"program": EventProgram, "pid": EventPID, "late": EventLate, "source": EventSource, "position": EventPosition, "sequence": EventSequence,
	}
	if len(numbers) != len(Events.Columns) {
		t.Errorf("%d columns, %d have a number", len(Events.Columns), len(numbers))
	}
	for name, number := range numbers {
		if i, ok := Events.Index(name); !ok || i != number {
			t.Errorf("the number of %s is %d, the column is %d (%t)", name, number, i, ok)
		}
	}
}
