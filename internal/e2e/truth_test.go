package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"
	"time"
)

// truth is what the generator says is true of its logs; see millrace generate
// weblog --help.
type truth struct {
	Lines     int64            `json:"lines"`
	Events    int64            `json:"events"`
	Bad       int64            `json:"bad"`
	PageViews int64            `json:"page_views"`
	Bytes     int64            `json:"bytes"`
	Visitors  int64            `json:"visitors"`
	Sessions  int64            `json:"sessions"`
	Reasons   map[string]int64 `json:"bad_by_reason"`
	Classes   map[string]int64 `json:"status_classes"`
	Days      []truthDay       `json:"days"`
	Incidents []struct {
		Minutes []struct {
			Minute time.Time `json:"minute"`
			Views  int64     `json:"views"`
			Errors int64     `json:"errors_5xx"`
		} `json:"minutes"`
	} `json:"incidents"`
	Bots  []truthBot `json:"bot_agents"`
	Files []struct {
		Name   string `json:"name"`
		Lines  int64  `json:"lines"`
		CopyOf string `json:"copy_of"`
	} `json:"files"`
}

type truthDay struct {
	Day       string `json:"day"`
	Events    int64  `json:"events"`
	PageViews int64  `json:"page_views"`
	Visitors  int64  `json:"visitors"`
	Sessions  int64  `json:"sessions"`
}

type truthBot struct {
	UserAgent string `json:"user_agent"`
	Hits      int64  `json:"hits"`
	Visitors  int64  `json:"visitors"`
}

type truthSession struct {
	Client    string    `json:"client"`
	UserAgent string    `json:"user_agent"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Events    int64     `json:"events"`
}

// copied is how many lines were delivered a second time.
func (tr truth) copied() (lines int64) {
	for _, f := range tr.Files {
		if f.CopyOf != "" {
			lines += f.Lines
		}
	}
	return lines
}

// generate makes logs in the folder logs of the user's folder and returns a
// pattern that matches them.
func generate(t testing.TB, e env, flags ...string) (logs string) {
	t.Helper()
	mustRun(t, e, append([]string{"generate", "weblog", "--out", e.in("logs")}, flags...)...)
	return e.in("logs", "access*")
}

func readTruth(t testing.TB, e env) (tr truth, sessions []truthSession) {
	t.Helper()
	readJSON(t, e.in("logs", "truth.json"), &tr)
	for line := range bytes.Lines(gunzip(t, e.in("logs", "truth_sessions.ndjson.gz"))) {
		var s truthSession
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	return tr, sessions
}

func gunzip(t testing.TB, name string) []byte {
	t.Helper()
	r, err := gzip.NewReader(bufio.NewReader(bytes.NewReader(readFile(t, name))))
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(name), err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(name), err)
	}
	return b
}
