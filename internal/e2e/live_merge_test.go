package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/internal/vectors"
	"millrace/transforms/sessions"
)

// putLateMerges puts the vectors of late events that merge sessions into a stream behind
// what is there, and tells how many lines they are. A case is one visitor of one shard,
// its batches are records in their order: the events are out of order by less than half
// an hour.
func putLateMerges(t *testing.T, server *testenv.KinesisServer, stream string) (cases []vectors.LateMerge, lines int) {
	t.Helper()
	cases, err := vectors.LateMerges()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if gap := time.Duration(c.Gap) * time.Millisecond; gap != 30*time.Minute {
			t.Fatalf("case %s is of a gap of %s, the run's is 30m", c.ID, gap)
		}
		batches, err := c.Lines("192.0.2.77", mergeAgent(&c))
		if err != nil {
			t.Fatal(err)
		}
		for _, batch := range batches {
			lines += len(batch)
			for _, line := range batch {
				server.Put(t, stream, testenv.KinesisRecord{Key: c.ID, Data: []byte(line)})
			}
		}
	}
	return cases, lines
}

// mergeAgent is the user agent that a case is known by.
func mergeAgent(c *vectors.LateMerge) string {
	return "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/115.0 " + c.ID
}

// lateMergesAreSealed fails for sessions of a lake that are not those the vectors leave.
func lateMergesAreSealed(t *testing.T, lake string, cases []vectors.LateMerge) {
	t.Helper()
	for _, c := range cases {
		user, err := c.User()
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct {
			vectors.Session
			Visitor string
		}
		sqlInto(t, lake, fmt.Sprintf(`SELECT visitor_id AS visitor, session_id, epoch_ms(start_time) AS start, epoch_ms(end_time) AS "end", duration_ms,
	events, page_views AS pages, entry_page AS entry, exit_page AS exit, bounce
FROM sessions WHERE visitor_id IN (SELECT visitor_id FROM events WHERE user_agent = '%s') ORDER BY start_time`, mergeAgent(&c)), &rows)
		var got []vectors.Session
		for _, r := range rows {
			if r.ID == sessions.ID(r.Visitor, r.Start) { // as the vectors name it
				r.ID = sessions.ID(user, r.Start)
			}
			got = append(got, r.Session)
		}
		if diff := gocmp.Diff(c.Final(), got); diff != "" {
			t.Errorf("%s: sessions (-want +lake):\n%s", c.ID, diff)
		}
	}
}

// readersHaveSessions fails where a reader of a stream of sessions, who keeps of each id
// the greatest version and of equal ones the sealed, does not hold at last what the lake
// has. It gives the number of withdrawals.
func readersHaveSessions(t *testing.T, server *testenv.KinesisServer, stream, lake string) (withdrawn int) {
	t.Helper()
	type document struct {
		ID      string `json:"session_id"`
		Op      string `json:"_op"`
		Version int64  `json:"_version"`
		Sealed  bool   `json:"_sealed"`
	}
	held := map[string]document{}
	rows := 0
	for _, records := range server.Records(t, stream) {
		for _, record := range records {
			var d document
			if err := json.Unmarshal(record.Data, &d); err != nil {
				t.Fatalf("%s: %v", record.Data, err)
			}
			rows++
			if d.Op == "withdraw" {
				withdrawn++
			}
			if h, there := held[d.ID]; !there || d.Version > h.Version || d.Version == h.Version && d.Sealed {
				held[d.ID] = d
			}
		}
	}
	var got, want []string
	for id, d := range held {
		if d.Op != "withdraw" {
			got = append(got, fmt.Sprintf("%s %d sealed=%t", id, d.Version, d.Sealed))
		}
	}
	for _, r := range sql(t, lake, "SELECT session_id || ' ' || version || ' sealed=true' FROM sessions ORDER BY 1") {
		want = append(want, r[0])
	}
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("%d sessions and their versions, -lake +reader:\n%s", len(want), cut(diff))
	}
	t.Logf("%d rows came of %d sessions, %d of them withdrawals", rows, len(want), withdrawn)
	return withdrawn
}
