package run

import (
	"strconv"
	"strings"
	"testing"

	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// rollFrom is a roll of one record a sequence number, after one and up to another.
func rollFrom(after, last int) ledger.Part {
	sequence := func(n int) string { return record.Sequence(strconv.Itoa(n)) }
	n := int64(last - after)
	return ledger.Part{
		Roll:   record.RollOf(record.ShardIdentity("stream", "a"), sequence(after+1)),
		Ledger: ledger.Ledger{In: n, Events: n},
		Close:  &record.Close{Records: n, After: sequence(after), First: sequence(after + 1), Last: sequence(last)},
	}
}

func TestAnEndedRunIsAudited(t *testing.T) {
	first := rollFrom(0, 5)
	first.Close.After = "" // reading began with it
	lossy := rollFrom(5, 9)
	lossy.Close.Lost, lossy.Close.After = true, record.Sequence("7")
	lossy.Close.First, lossy.Roll = record.Sequence("8"), record.RollOf(record.ShardIdentity("stream", "a"), record.Sequence("8"))
	wrong := rollFrom(5, 9)
	wrong.Ledger.Events--
	for name, c := range map[string]struct {
		parts []ledger.Part
		fault string // that is told; empty: none
	}{
		"nothing":        {},
		"a chain":        {parts: []ledger.Part{rollFrom(5, 9), first}},
		"a hole":         {parts: []ledger.Part{first, rollFrom(6, 9)}, fault: "no roll accounts for"},
		"an overlap":     {parts: []ledger.Part{first, rollFrom(5, 9), rollFrom(8, 12)}, fault: "more than one roll accounts for"},
		"a missing part": {parts: []ledger.Part{rollFrom(5, 9)}, fault: "begins without"},
		"a wrong sum":    {parts: []ledger.Part{first, wrong}, fault: "DOES NOT BALANCE"},
	} {
		sum, faults, losses, err := audit(c.parts)
		if err != nil || len(losses) > 0 {
			t.Errorf("%s: %v, losses %v", name, err, losses)
		}
		if told := strings.Join(faults, "\n"); (c.fault == "") != (told == "") || !strings.Contains(told, c.fault) {
			t.Errorf("%s: told %q, want %q", name, told, c.fault)
		}
		var in int64
		for _, p := range c.parts {
			in += p.Ledger.In
		}
		if sum.In != in {
			t.Errorf("%s: %d records, want %d", name, sum.In, in)
		}
	}
	if _, _, losses, err := audit([]ledger.Part{first, lossy}); err != nil || len(losses) != 1 {
		t.Errorf("what the stream dropped is told as %v, %v", losses, err)
	}
}
