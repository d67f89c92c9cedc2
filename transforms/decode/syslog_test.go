package decode_test

import (
	"bufio"
	"compress/gzip"
	"os"
	"strings"
	"testing"
	"time"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

func at(text string) int64 {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func TestSSHDLinesSayWhoDidWhat(t *testing.T) {
	const head = "Mar 27 13:06:56 web-1 sshd[1361]: "
	type want struct {
		event        decode.AuthEvent
		user, source string
		port         int32
		method       string
		times        int32
	}
	for message, w := range map[string]want{
		"Accepted publickey for ubuntu from 85.245.107.41 port 54259 ssh2: RSA SHA256:Kl8kPGZ":                   {decode.AuthAccepted, "ubuntu", "85.245.107.41", 54259, "publickey", 1},
		"Accepted password for root from 2001:db8::1 port 22 ssh2":                                               {decode.AuthAccepted, "root", "2001:db8::1", 22, "password", 1},
		"Failed password for root from 61.1.2.3 port 5 ssh2":                                                     {decode.AuthFailed, "root", "61.1.2.3", 5, "password", 1},
		"Failed none for invalid user  from 61.1.2.3 port 5 ssh2":                                                {decode.AuthFailed, "", "61.1.2.3", 5, "none", 1},
		"Failed password for invalid user a from 9.9.9.9 from 61.1.2.3 port 5 ssh2":                              {decode.AuthFailed, "a from 9.9.9.9", "61.1.2.3", 5, "password", 1},
		"message repeated 5 times: [ Failed password for root from 61.1.2.3 port 5 ssh2]":                        {decode.AuthFailed, "root", "61.1.2.3", 5, "password", 5},
		"Invalid user admin from 122.189.198.238":                                                                {decode.AuthInvalidUser, "admin", "122.189.198.238", 0, "", 1},
		"Invalid user  from 122.189.198.238 port 80":                                                             {decode.AuthInvalidUser, "", "122.189.198.238", 80, "", 1},
		"error: maximum authentication attempts exceeded for invalid user pi from 1.2.3.4 port 6 ssh2 [preauth]": {decode.AuthTooMany, "pi", "1.2.3.4", 6, "", 1},
		"Did not receive identification string from 1.2.3.4":                                                     {decode.AuthNoIdent, "", "1.2.3.4", 0, "", 1},
		"Bad protocol version identification 'GET / HTTP/1.0' from 1.2.3.4 port 7":                               {decode.AuthNoIdent, "", "1.2.3.4", 7, "", 1},
		"Connection closed by 1.2.3.4 port 7 [preauth]":                                                          {decode.AuthClosed, "", "1.2.3.4", 7, "", 1},
		"Connection closed by 1.2.3.4 port 7":                                                                    {decode.AuthOther, "", "", 0, "", 1},
		"pam_unix(sshd:session): session opened for user ubuntu by (uid=0)":                                      {decode.AuthOther, "", "", 0, "", 1},
		"Failed password for root from nowhere at all":                                                           {decode.AuthFailed, "root", "nowhere", 0, "password", 1},
		"Failed password": {decode.AuthOther, "", "", 0, "", 1},
	} {
		p := decode.SyslogParser{Reference: at("2017-04-01 00:00:00")}
		var a decode.AuthLog
		if reason := p.Parse([]byte(head+message), &a); reason != badrow.None {
			t.Errorf("%s: %s", message, reason)
		}
		got := want{a.Event, string(pii.Reveal(a.User)), string(pii.Reveal(a.Source)), a.Port, string(a.Method), a.Times}
		if got != w || string(a.Program) != "sshd" || a.PID != 1361 || string(pii.Reveal(a.Message)) != message || string(pii.Reveal(a.Host)) != "web-1" {
			t.Errorf("%s:\n%+v, want\n%+v", message, got, w)
		}
	}
}

func TestTheYearIsTheLatestThatIsNotAheadOfTheReference(t *testing.T) {
	for name, c := range map[string]struct {
		line, reference string
		offset          int32
		want            string
	}{
		"this year":            {"Mar 27 13:06:56 h p: m", "2017-06-01 00:00:00", 0, "2017-03-27 13:06:56"},
		"last year":            {"Dec 31 23:59:59 h p: m", "2017-01-01 00:00:05", 0, "2016-12-31 23:59:59"},
		"a clock ahead":        {"Jan  1 00:00:05 h p: m", "2016-12-31 23:59:59", 0, "2017-01-01 00:00:05"},
		"more than a day":      {"Jan  3 00:00:05 h p: m", "2016-12-31 23:59:59", 0, "2016-01-03 00:00:05"},
		"a leap day":           {"Feb 29 12:00:00 h p: m", "2019-06-01 00:00:00", 0, "2016-02-29 12:00:00"},
		"over the year 1900":   {"Feb 29 12:00:00 h p: m", "2103-06-01 00:00:00", 0, "2096-02-29 12:00:00"},
		"a clock of its own":   {"Mar 27 01:00:00 h p: m", "2017-06-01 00:00:00", 2 * 3600, "2017-03-26 23:00:00"},
		"RFC 3339":             {"2021-03-27T13:06:56.5+02:00 h p: m", "2017-06-01 00:00:00", 0, "2021-03-27 11:06:56"},
		"a priority in front":  {"<38>Mar 27 13:06:56 h p: m", "2017-06-01 00:00:00", 0, "2017-03-27 13:06:56"},
		"a second that leaps":  {"Jun 30 23:59:60 h p: m", "2017-08-01 00:00:00", 0, "2017-07-01 00:00:00"},
		"a mark of byte order": {"\xef\xbb\xbfMar 27 13:06:56 h p: m", "2017-06-01 00:00:00", 0, "2017-03-27 13:06:56"},
	} {
		p := decode.SyslogParser{Reference: at(c.reference), Offset: c.offset}
		var a decode.AuthLog
		if reason := p.Parse([]byte(c.line), &a); reason != badrow.None {
			t.Errorf("%s: %s", name, reason)
		}
		if got := time.UnixMilli(a.Time).UTC().Format(time.DateTime); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestLinesThatAreNoSyslogAreRefused(t *testing.T) {
	for line, want := range map[string]badrow.Reason{
		"":                              badrow.Format,
		"hello":                         badrow.Format,
		"Mar":                           badrow.Format,
		"Mar 27 13:06":                  badrow.Truncated,
		"Mar 27 13:06:56":               badrow.Truncated,
		"Mar 27 13:06:56 host":          badrow.Truncated,
		"Mar 27 13:06:56  sshd: x":      badrow.Format,
		"Mar 32 13:06:56 h p: m":        badrow.Timestamp,
		"Mar 27 24:06:56 h p: m":        badrow.Timestamp,
		"Feb 30 13:06:56 h p: m":        badrow.Timestamp,
		"Mar 27 1a:06:56 h p: m":        badrow.Timestamp,
		"2021-13-27T13:06:56Z h p: m":   badrow.Timestamp,
		"1994-03-27T13:06:56Z h p: m":   badrow.TimeBounds,
		"2021-03-27T13:06:56Z":          badrow.Truncated,
		"<999999>Mar 27 13:06:56 h p:m": badrow.Format,
	} {
		p := decode.SyslogParser{Reference: at("2017-06-01 00:00:00")}
		var a decode.AuthLog
		if got := p.Parse([]byte(line), &a); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestALineNeedsNoProgram(t *testing.T) {
	for line, program := range map[string]string{"-- MARK --": "", "last message repeated 2 times": "", "su: x": "su", "a b: c": "", "sshd[1: x": "", "CRON[7]: (root)": "CRON"} {
		p := decode.SyslogParser{Reference: at("2017-06-01 00:00:00")}
		var a decode.AuthLog
		if reason := p.Parse([]byte("Mar 27 13:06:56 h "+line), &a); reason != badrow.None || string(a.Program) != program {
			t.Errorf("%s: %q, program %q", line, reason, a.Program)
		}
	}
}

// The counts were taken with grep.
func TestARealAuthLogParsesFully(t *testing.T) {
	f, err := os.Open("../../testdata/auth-log/auth_a.log.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	p := decode.SyslogParser{Reference: at("2017-04-30 00:00:00")}
	var a decode.AuthLog
	lines, last := 0, int64(0)
	events, times, programs := map[string]int{}, map[string]int32{}, map[string]int{}
	for s := bufio.NewScanner(in); s.Scan(); lines++ {
		if reason := p.Parse(s.Bytes(), &a); reason != badrow.None {
			t.Fatalf("line %d: %s", lines+1, reason)
		}
		if a.Time < last {
			t.Fatalf("line %d goes back in time", lines+1)
		}
		last = a.Time
		events[a.Event.String()]++
		times[a.Event.String()] += a.Times
		programs[string(a.Program)]++
	}
	if lines != 3560 || time.UnixMilli(last).UTC().Format(time.DateTime) != "2017-03-31 01:35:14" {
		t.Errorf("%d lines, the last one at %s", lines, time.UnixMilli(last).UTC())
	}
	for event, n := range map[string]int{"accepted": 166, "failed": 200, "invalid_user": 90, "too_many": 65, "no_ident": 11} {
		if events[event] != n {
			t.Errorf("%s: %d, want %d", event, events[event], n)
		}
	}
	if times["failed"] != 221 {
		t.Errorf("%d failures with those that were repeated", times["failed"])
	}
	if programs[""] != 0 || programs["sshd"] == 0 {
		t.Errorf("programs %v", programs)
	}
}

func FuzzSyslog(tf *testing.F) {
	f := mutate.Of(tf)
	for _, line := range []string{
		"Mar 27 13:06:56 h sshd[1]: Failed password for invalid user a from 1.2.3.4 port 5 ssh2",
		"<38>Feb 29 13:06:56 h sshd-session[1]: message repeated 2 times: [ Failed password for root from ::1 port 5 ssh2]",
		"2021-03-27T13:06:56.5+02:00 h su: x",
		"Mar 27 13:06:56 h sshd[1]: error: maximum authentication attempts exceeded for a from b port 1 ssh2 [preauth]",
		"Mar  7 13:06:56 h sshd: Did not receive identification string from 1.2.3.4",
	} {
		f.Add([]byte(line), at("2017-06-01 00:00:00"))
	}
	f.Fuzz(func(t *testing.T, line []byte, reference int64) {
		reference = min(max(reference, 0), at("2200-01-01 00:00:00"))
		p := decode.SyslogParser{Reference: reference}
		var a, b decode.AuthLog
		if reason := p.Parse(line, &a); reason != badrow.None {
			return
		}
		if reason := p.Parse(poisoned(line), &b); reason != badrow.None || a.Time != b.Time || a.Event != b.Event || string(pii.Reveal(a.Source)) != string(pii.Reveal(b.Source)) {
			t.Errorf("%q depends on what stands beside it", line)
		}
		if a.Event != decode.AuthOther && a.Source.Empty() || a.Times < 1 {
			t.Errorf("%q: event %v from nobody, %d times", line, a.Event, a.Times)
		}
		if traditional := !strings.Contains(string(line[:min(len(line), 16)]), "-"); traditional && a.Time > reference+24*3600*1000 {
			t.Errorf("%q is %d ms ahead", line, a.Time-reference)
		}
	})
}
