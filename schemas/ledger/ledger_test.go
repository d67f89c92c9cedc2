package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
)

func balanced() ledger.Ledger {
	return ledger.Ledger{
		In: 20, Events: 12, Bad: 3, Late: 2, Duplicate: 4, Skipped: 1,
		Reasons: map[badrow.Reason]int64{badrow.Format: 2, badrow.Truncated: 1},
	}
}

func TestALedgerBalancesWhenEveryRecordIsAccountedForOnce(t *testing.T) {
	for name, l := range map[string]ledger.Ledger{
		"nothing read": {}, "every way a record can go": balanced(),
		"all late": {In: 2, Events: 2, Late: 2},
	} {
		if !l.Balanced() {
			t.Errorf("%s: %s", name, l)
		}
	}
}

func TestAnUnbalancedLedgerSaysHowFarItIsOff(t *testing.T) {
	for want, spoil := range map[string]func(*ledger.Ledger){
		"(1 lost)":                                   func(l *ledger.Ledger) { l.In++ },
		"(2 too many)":                               func(l *ledger.Ledger) { l.Duplicate += 2 },
		"(1 too many)":                               func(l *ledger.Ledger) { l.Skipped++ },
		"(12 lost)":                                  func(l *ledger.Ledger) { l.Events, l.Late = 0, 0 },
		"(late 13 of 12 events)":                     func(l *ledger.Ledger) { l.Late = 13 },
		"(reasons for 4 of 3 bad)":                   func(l *ledger.Ledger) { l.Reasons[badrow.Panic]++ },
		"(reasons for 0 of 3 bad)":                   func(l *ledger.Ledger) { l.Reasons = nil },
		"(1 lost, late 12 of 11 events)":             func(l *ledger.Ledger) { l.Events, l.Late = 11, 12 },
		"(1 too many, reasons for 3 of 4 bad)":       func(l *ledger.Ledger) { l.Bad++ },
		"DOES NOT BALANCE (3 lost, reasons for 3 of": func(l *ledger.Ledger) { l.Bad = 0 },
	} {
		l := balanced()
		spoil(&l)
		if l.Balanced() || !strings.Contains(l.String(), want) {
			t.Errorf("want %q, got balanced %t: %s", want, l.Balanced(), l)
		}
	}
}

func TestALedgerReadsAsOneLineWithReasonsInOrder(t *testing.T) {
	want := "in 20 = events 12 + bad 3 + duplicate 4 + skipped 1, format 2, truncated 1"
	for range 10 {
		if got := balanced().String(); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func TestLedgersOfDifferentRecordsAddUp(t *testing.T) {
	var total ledger.Ledger
	one := balanced()
	total.Add(one)
	total.Add(ledger.Ledger{})
	other := ledger.Ledger{In: 1}
	other.AddBad(badrow.Format)
	total.Add(other)
	want := ledger.Ledger{
		In: 21, Events: 12, Bad: 4, Late: 2, Duplicate: 4, Skipped: 1,
		Reasons: map[badrow.Reason]int64{badrow.Format: 3, badrow.Truncated: 1},
	}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	if !total.Balanced() {
		t.Errorf("balanced ledgers add up to %s", total)
	}
	if diff := cmp.Diff(balanced(), one); diff != "" {
		t.Errorf("adding changed what was added (-want +got):\n%s", diff)
	}
}

func TestALedgerSurvivesJSON(t *testing.T) {
	data, err := json.Marshal(balanced())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"in":20,"events":12,"bad":3,"late":2,"duplicate":4,"skipped":1,"reasons":{"format":2,"truncated":1}}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
	var back ledger.Ledger
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(balanced(), back); diff != "" {
		t.Errorf("after JSON (-want +got):\n%s", diff)
	}
}
