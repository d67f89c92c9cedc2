package raw

import "testing"

func TestTheColumnNumbersNameTheirColumns(t *testing.T) {
	columns := map[string]int{"source": Source, "sequence": Sequence, "position": Position, "noted_time": NotedTime, "arrival_time": ArrivalTime, "key_id": KeyID, "payload": Payload, "format": Format, "length": Length}
	if len(columns) != len(Rows.Columns) {
		t.Errorf("%d columns, %d have a number", len(Rows.Columns), len(columns))
	}
	for name, number := range columns {
		if i, ok := Rows.Index(name); !ok || i != number {
			t.Errorf("the number of %s is %d, the column is %d (%t)", name, number, i, ok)
		}
	}
}
