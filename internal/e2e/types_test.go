package e2e

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// columns are the outputs as users may rely on them: the order of columns, their
// names, and their types as DuckDB reads them from the files. Columns may be added
// at the end.
const columns = `
events: event_id UUID, event_time TIMESTAMP WITH TIME ZONE, visitor_id VARCHAR, client_ip VARCHAR, method VARCHAR, path VARCHAR, query VARCHAR, protocol VARCHAR, status INTEGER, bytes BIGINT, referrer VARCHAR, user_agent VARCHAR, bot BOOLEAN, late BOOLEAN, bot_name VARCHAR, page_view BOOLEAN, user VARCHAR, host VARCHAR, request VARCHAR, source VARCHAR, position BIGINT
sessions: session_id VARCHAR, visitor_id VARCHAR, start_time TIMESTAMP WITH TIME ZONE, end_time TIMESTAMP WITH TIME ZONE, events BIGINT, page_views BIGINT, entry_page VARCHAR, exit_page VARCHAR, bounce BOOLEAN, version BIGINT, duration_ms BIGINT, engaged BOOLEAN, bot BOOLEAN, truncated BOOLEAN
traffic: window_start TIMESTAMP WITH TIME ZONE, window_seconds INTEGER, status_class VARCHAR, views BIGINT, bytes BIGINT, version BIGINT
top_pages: window_start TIMESTAMP WITH TIME ZONE, rank INTEGER, path VARCHAR, views BIGINT, window_seconds INTEGER, version BIGINT
visitors: day DATE, visitors BIGINT, visitors_without_bots BIGINT, exact BOOLEAN, version BIGINT
bots: day DATE, bot_name VARCHAR, hits BIGINT, visitors BIGINT, version BIGINT
bad_rows: bad_row_id UUID, noted_time TIMESTAMP WITH TIME ZONE, stage VARCHAR, reason VARCHAR, source VARCHAR, position BIGINT, length BIGINT, skeleton VARCHAR
raw: source VARCHAR, position BIGINT, noted_time TIMESTAMP WITH TIME ZONE, arrival_time BIGINT, key_id VARCHAR, payload BLOB
`

func TestOutputsHaveTheirColumnsAndTypes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "10000", "--days", "1", "--seed", "81", "--malformed", "0.01")
	mustRun(t, e, weblogs(logs, e.in("lake"), "--raw", "sealed")...)
	for line := range strings.Lines(strings.TrimSpace(columns)) {
		output, want, _ := strings.Cut(strings.TrimSpace(line), ": ")
		var got []string
		for _, r := range sql(t, e.in("lake"), "DESCRIBE "+output) {
			got = append(got, r[0]+" "+r[1])
		}
		if have := strings.Join(got, ", "); !strings.HasPrefix(have, want) {
			t.Errorf("%s: -want +got:\n%s", output, gocmp.Diff(strings.Split(want, ", "), got))
		}
	}
	// Hive partitions agree with the rows in them.
	for output, at := range map[string]string{"events": "event_time", "sessions": "start_time", "traffic": "window_start", "top_pages": "window_start", "visitors": "day", "bots": "day", "clients": "day", "bad_rows": "noted_time", "raw": "noted_time"} {
		q := fmt.Sprintf(`SELECT count(*), count(*) FILTER (year::INTEGER <> year(%[1]s) OR month::INTEGER <> month(%[1]s) OR day_::INTEGER <> day(%[1]s))
			FROM (SELECT %[1]s, regexp_extract(filename, 'year=(\d+)', 1) AS year, regexp_extract(filename, 'month=(\d+)', 1) AS month, regexp_extract(filename, 'day=(\d+)', 1) AS day_
				FROM read_parquet('%[2]s/%[3]s/*/*/*/*.parquet', filename = true, hive_partitioning = false))`, at, e.in("lake"), output)
		if r := sql(t, e.in("lake"), q)[0]; r[0] == "0" || r[1] != "0" {
			t.Errorf("%s: %s of %s rows lie under another day", output, r[1], r[0])
		}
	}
}
