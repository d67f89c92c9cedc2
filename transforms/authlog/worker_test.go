package authlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	rows "millrace/schemas/authlog"
	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/authlog"
	"millrace/transforms/decode"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
	"millrace/transforms/security"
)

func worker(t *testing.T, format string) (*authlog.Worker, *security.Sources) {
	t.Helper()
	var sources security.Sources
	w := authlog.NewWorker(mask.New("k1", [32]byte{1}, mask.Options{}), sources.Add)
	if err := w.Open(format); err != nil {
		t.Fatal(err)
	}
	return w, &sources
}

func TestLinesBecomeMaskedEventsAndCounts(t *testing.T) {
	w, sources := worker(t, "syslog until=2017-12-31")
	n := intake.New(intake.Config{TimeBound: decode.CheckArrival}, w)
	text := strings.Join([]string{
		"Mar 27 13:06:56 web-1 sshd[1291]: Failed password for invalid user ann.smith from 198.51.100.7 port 4022 ssh2",
		"",
		"Mar 27 13:06:58 web-1 sshd[1291]: message repeated 5 times: [ Failed password for ann.smith from 198.51.100.7 port 4022 ssh2]",
		"Mar 27 13:07:02 web-1 sshd[1291]: Accepted password for ann.smith from 198.51.100.7 port 4022 ssh2",
		"Mar 27 13:07:03 web-1 sudo: ann.smith : TTY=pts/0 ; COMMAND=/bin/ls of bob@example.com",
		"Mar 27 13:07:04 web-1 sshd[1292]: Connection closed by authenticating user root 203.0.113.9 port 7 [preauth]",
		"no syslog at all",
	}, "\n")
	if err := n.Block(&record.Block{Source: strings.Repeat("0", 32), Data: []byte(text)}); err != nil {
		t.Fatal(err)
	}
	account := ledger.Ledger{In: 7, Events: 5, Bad: 1, Skipped: 1, Reasons: map[badrow.Reason]int64{badrow.Format: 1}}
	if diff := cmp.Diff(account, n.TakeLedger()); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	events, _ := w.Take()
	if err := events.Check(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range events.Len() {
		var e rows.Event
		events.Row(i, &e)
		at := time.UnixMilli(int64(e.EventTime)).UTC().Format(time.DateTime)
		text := strings.Join([]string{at, e.Action, e.Outcome, e.Host, short(e.ClientID), short(e.ClientIP), short(e.User), short(e.Method), short(e.Program)}, " ")
		if got = append(got, text); e.Action == "failed" && e.Times != map[bool]int64{true: 1, false: 5}[i == 0] {
			t.Errorf("%s: %d times", text, e.Times)
		}
	}
	want := []string{
		"2017-03-27 13:06:56 failed failure web-1 tok_ip 198.51.100.0 tok_user password sshd",
		"2017-03-27 13:06:58 failed failure web-1 tok_ip 198.51.100.0 tok_user password sshd",
		"2017-03-27 13:07:02 accepted success web-1 tok_ip 198.51.100.0 tok_user password sshd",
		"2017-03-27 13:07:03 other unknown web-1 - - - - sudo",
		"2017-03-27 13:07:04 closed unknown web-1 tok_ip 203.0.113.0 tok_user - sshd",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	minutes := sources.Rows()
	if len(minutes) != 2 || minutes[0].AuthFailed != 6 || minutes[1].Logins != 1 || minutes[0].Network != "198.51.100.0" || minutes[0].Token != minutes[1].Token {
		t.Errorf("%+v", minutes)
	}
}

// short is a text, of a token only its kind.
func short(s *string) string {
	if s == nil {
		return "-"
	}
	if parts := strings.SplitN(*s, "_", 3); parts[0] == "tok" {
		return "tok_" + parts[1]
	}
	return *s
}

// TestLateLinesCountForNothing, and are listed.
func TestLateLinesCountForNothing(t *testing.T) {
	w, sources := worker(t, "")
	n := intake.New(intake.Config{TimeBound: decode.CheckArrival}, w)
	line := "Dec 31 23:59:59 h sshd[1]: Failed password for root from 198.51.100.7 port 4 ssh2"
	arrival := time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC).UnixMilli()
	err := n.Block(&record.Block{
		Source: strings.Repeat("0", 32), Data: []byte(line + line), Ends: []int{len(line), 2 * len(line)}, Positions: []int64{0, 1},
		Sequences: []string{"1", "2"}, Arrivals: []int64{arrival, arrival}, Behind: []int64{0, 5000},
	})
	if err != nil {
		t.Fatal(err)
	}
	events, late := w.Take()
	minutes := sources.Rows()
	if events.Len() != 2 || late.Len() != 1 || len(minutes) != 1 || minutes[0].AuthFailed != 1 {
		t.Errorf("%d events, %d late, %+v", events.Len(), late.Len(), minutes)
	}
	if got := time.UnixMilli(events.Int(rows.EventTime, 0)).UTC().Format(time.DateOnly); got != "2025-12-31" {
		t.Errorf("of the year before the record arrived, not %s", got)
	}
	if got := table.FloorDay(events.Int(rows.EventTime, 1)); got != table.FloorDay(events.Int(rows.EventTime, 0)) {
		t.Error("equal lines on two days")
	}
}

func TestFormatsAreReadAndWrittenAlike(t *testing.T) {
	for text, want := range map[string]string{
		"": "syslog", "syslog": "syslog", "syslog  zone=+02:00 until=2026-03-31": "syslog until=2026-03-31 zone=+02:00",
	} {
		s, err := authlog.ParseSpec(text)
		again, errAgain := authlog.ParseSpec(s.String())
		if err != nil || errAgain != nil || s.String() != want || again != s {
			t.Errorf("%q is %q, %v; again %+v, %v", text, s, err, again, errAgain)
		}
	}
	for text, want := range map[string]string{
		"sshd": "there is syslog", "syslog until=March": "such as 2026-03-31", "syslog until=1200-01-01": "day on which the log ends",
		"syslog zone=CET": "+01:00", "syslog untill=2026-01-01": "did you mean until=?", "syslog 2026": "until=DAY",
	} {
		if _, err := authlog.ParseSpec(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTheDayOnWhichALogEnds counts on the writer's clock, and decides before the
// arrival.
func TestTheDayOnWhichALogEnds(t *testing.T) {
	for _, c := range []struct{ format, line, want string }{
		{"syslog until=2017-12-31", "Dec 31 23:59:59 h p: m", "2017-12-31 23:59:59"},
		{"syslog until=2017-12-31", "Jan  1 00:00:01 h p: m", "2017-01-01 00:00:01"},
		{"syslog until=2018-01-01", "Jan  1 00:00:01 h p: m", "2018-01-01 00:00:01"},
		{"syslog until=2017-12-31 zone=-08:00", "Dec 31 23:59:59 h p: m", "2018-01-01 07:59:59"},
		{"syslog until=2017-12-31 zone=+08:00", "Dec 31 00:00:00 h p: m", "2017-12-30 16:00:00"},
		{"syslog", "Dec 31 23:59:59 h p: m", "2025-12-31 23:59:59"},
		{"syslog until=2017-12-31", "2021-05-01T10:00:00Z h p: m", "2021-05-01 10:00:00"},
	} {
		s, err := authlog.ParseSpec(c.format)
		if err != nil {
			t.Fatal(err)
		}
		arrival := time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC).UnixMilli()
		ms, ok := s.Open().EventTime([]byte(c.line), arrival)
		if got := time.UnixMilli(ms).UTC().Format(time.DateTime); !ok || got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.format, c.line, got, c.want)
		}
	}
}

func TestAFileWithoutYearsNeedsADay(t *testing.T) {
	for _, c := range []struct {
		format, head string
		near         string
		err, note    string
	}{
		{"", "x\nMar 27 13:06:56 h p: m\n", "", "until=2026-03-31", ""},
		{"syslog until=2017-12-31", "x\nMar 27 13:06:56 h p: m\n", "2017-03-27 13:06:56", "", ""},
		{"", "2021-05-01T10:00:00Z h p: m\n", "2021-05-01 10:00:00", "", ""},
		{"", `1.2.3.4 - - [27/Mar/2017:13:06:56 +0000] "GET / HTTP/1.1" 200 1` + "\n", "", "", "is it a log of authentication?"},
		{"", "", "", "", ""},
	} {
		s, _ := authlog.ParseSpec(c.format)
		near, note, err := authlog.Inspect([]byte(c.head), s)
		got := ""
		if near != 0 {
			got = time.UnixMilli(near).UTC().Format(time.DateTime)
		}
		if got != c.near || (c.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.err) || !strings.Contains(note, c.note) || (c.note == "") != (note == "") {
			t.Errorf("%q as %q: %s, note %q, %v", c.head, c.format, got, note, err)
		}
	}
}

// FuzzDecode: the time of a line is the same however it is asked for, and nothing
// panics.
func FuzzDecode(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("syslog until=2017-12-31", "Mar 27 13:06:56 h sshd[1]: Invalid user a from 1.2.3.4", int64(0))
	f.Add("syslog zone=+14:00", "Feb 29 13:06:56 h sshd[1]: message repeated 2 times: [ Failed password for a from b port 1]", int64(1767225605000))
	f.Add("syslog", "Feb 29 13:06:56 h sshd[1]: Disconnected from invalid user  1.2.3.4 port 9 [preauth]", int64(1767225605000))
	f.Fuzz(func(t *testing.T, format, line string, arrival int64) {
		s, err := authlog.ParseSpec(format)
		if err != nil || strings.ContainsAny(line, "\n\r") {
			return
		}
		w, _ := worker(t, s.String())
		n := intake.New(intake.Config{}, w)
		if err := n.Block(&record.Block{Source: strings.Repeat("0", 32), Data: []byte(line), Arrival: arrival}); err != nil {
			t.Fatal(err)
		}
		account := n.TakeLedger()
		if account.Reasons[badrow.Panic] > 0 {
			t.Fatal("it panics")
		}
		ms, ok := s.Open().EventTime([]byte(line), arrival)
		events, _ := w.Take()
		if ok != (account.Events == 1) || ok && events.Int(rows.EventTime, 0) != ms {
			t.Fatalf("time %d, %t; %+v", ms, ok, account)
		}
	})
}
