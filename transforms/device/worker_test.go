package device_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	rows "millrace/schemas/device"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/transforms/device"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
	"millrace/transforms/normalise"
)

func TestRecordsBecomeMaskedReadings(t *testing.T) {
	w := device.NewWorker(mask.New("k1", [32]byte{1}, mask.Options{}), nil, normalise.Default())
	if err := w.Open("json"); err != nil {
		t.Fatal(err)
	}
	n := intake.New(intake.Config{}, w)
	text := strings.Join([]string{
		`{"event_time":"2026-03-01T10:00:00Z","device_id":"monitor of Ann","patient_id":"ann@example.com","code":"150364","value":"104.0","unit":"[degF]","quality":"call ann@example.com"}`,
		`{"event_time":"2026-03-01T10:00:01Z","device_id":"m","code":"ann@example.com pulse","value":72}`,
		`{"event_time":"2026-03-01T10:00:02Z","device_id":"m","code":"8867-4","value":72,"unit":"bpm"}`,
		`{"event_time":"2026-03-01T10:00:03Z","device_id":"m","asset_id":"room 7","code":"temperature","value":-300}`,
	}, "\n")
	if err := n.Block(&record.Block{Source: strings.Repeat("0", 32), Data: []byte(text)}); err != nil {
		t.Fatal(err)
	}
	account := ledger.Ledger{In: 4, Events: 2, Bad: 2, Reasons: map[badrow.Reason]int64{badrow.Code: 1, badrow.Unit: 1}}
	if diff := cmp.Diff(account, n.TakeLedger()); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	readings, late := w.Take()
	points := w.TakePoints()
	bad, _ := n.Take()
	for _, b := range []interface{ Check() error }{readings, points, late, bad} {
		if err := b.Check(); err != nil {
			t.Error(err)
		}
	}
	var first, second rows.Reading
	readings.Row(0, &first)
	readings.Row(1, &second)
	if first.Value != 40 || first.Unit != "Cel" || first.Code != "8310-5" || first.RawValue != 104 || *first.RawUnit != "[degF]" || first.OutOfRange {
		t.Errorf("%+v", first)
	}
	if !strings.HasPrefix(first.DeviceID, "tok_device_k1_") || !strings.HasPrefix(*first.PatientID, "tok_patient_k1_") || !strings.HasPrefix(*second.AssetID, "tok_asset_k1_") || !second.OutOfRange {
		t.Errorf("%+v %+v", first, second)
	}
	if strings.Contains(*first.Quality, "ann@") {
		t.Errorf("quality %q", *first.Quality)
	}
	var p rows.Point
	points.Row(0, &p)
	if points.Len() != 2 || p.Subject != *first.PatientID || !p.Patient {
		t.Errorf("%+v", p)
	}
	var details []string
	for i := range bad.Len() {
		var r badrow.Row
		bad.Row(i, &r)
		details = append(details, *r.Detail)
	}
	if len(details) != 2 || strings.Contains(details[0], "ann@") || !strings.HasSuffix(details[0], " pulse") || details[1] != "bpm" {
		t.Errorf("details %q", details)
	}
}
