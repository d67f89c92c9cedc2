package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// checkRollups holds every rollup against the same aggregate of the events, made
// by DuckDB.
func checkRollups(t *testing.T, lake string) {
	t.Helper()
	for name, want := range map[string]string{
		"traffic": `
			SELECT make_timestamptz(epoch_us(event_time) // (w * 1000000) * (w * 1000000)) AS window_start, w::INTEGER AS window_seconds,
				CASE WHEN status BETWEEN 100 AND 599 THEN (status // 100) || 'xx' ELSE 'other' END AS status_class,
				count(*) AS views, coalesce(sum(bytes), 0)::BIGINT AS bytes, count(*) AS version
			FROM events, unnest([1, 60]) AS l(w) GROUP BY ALL`,
		"top_pages": `
			SELECT window_start, rank::INTEGER AS rank, path, views, 3600::INTEGER AS window_seconds, version FROM (
				SELECT *, sum(views) OVER (PARTITION BY window_start)::BIGINT AS version,
					row_number() OVER (PARTITION BY window_start ORDER BY views DESC, path) AS rank
				FROM (SELECT date_trunc('hour', event_time) AS window_start, path, count(*) AS views FROM events WHERE path IS NOT NULL GROUP BY ALL))
			WHERE rank <= 10`,
		"visitors": `
			SELECT event_time::DATE AS day, count(DISTINCT visitor_id) AS visitors, count(DISTINCT visitor_id) FILTER (NOT bot) AS visitors_without_bots,
				true AS exact, count(*) AS version
			FROM events GROUP BY ALL`,
		"bots": `
			SELECT event_time::DATE AS day, bot_name, count(*) AS hits, count(DISTINCT visitor_id) AS visitors, count(*) AS version
			FROM events WHERE bot_name IS NOT NULL GROUP BY ALL`,
	} {
		sameRows(t, lake, name, want)
	}
}

// sameRows fails where an output is not, as a bag of rows, what a query over the
// events gives, in the columns that the query has.
func sameRows(t *testing.T, lake, output, query string) {
	t.Helper()
	var names []string
	for _, r := range sql(t, lake, "DESCRIBE SELECT * FROM ("+query+")") {
		names = append(names, r[0])
	}
	rows := sql(t, lake, `CREATE TEMP TABLE want AS `+query+`;
		CREATE TEMP TABLE got AS SELECT `+strings.Join(names, ", ")+` FROM `+output+`;
		(SELECT 'lacks' AS what, x::VARCHAR AS rows FROM (SELECT w AS x FROM want w EXCEPT ALL SELECT g FROM got g) LIMIT 5)
		UNION ALL (SELECT 'has', x::VARCHAR FROM (SELECT g AS x FROM got g EXCEPT ALL SELECT w FROM want w) LIMIT 5)`)
	for _, r := range rows {
		t.Errorf("%s %s %s", output, r[0], r[1])
	}
}

// checkSessions holds the sessions against the events, sessionized by DuckDB.
func checkSessions(t *testing.T, lake string) {
	t.Helper()
	sameRows(t, lake, "sessions", fmt.Sprintf(sessionsQuery, 30*60_000))
}

// sessionsQuery sessionizes events by window functions: a pause of so many
// milliseconds ends a chain, and a chain that began 24 hours or more before a UTC
// midnight is cut there.
const sessionsQuery = `
		WITH paused AS (
			SELECT *, epoch_ms(event_time) AS ms, ms - lag(ms) OVER w >= %d AS pause
			FROM events WINDOW w AS (PARTITION BY visitor_id ORDER BY event_time, source, position)),
		chained AS (SELECT *, count(*) FILTER (pause) OVER (PARTITION BY visitor_id ORDER BY event_time, source, position) AS chain FROM paused),
		bound AS (SELECT *, min(ms) OVER (PARTITION BY visitor_id, chain) AS chain_start FROM chained),
		cut AS (SELECT *, CASE WHEN ms // 86400000 * 86400000 >= chain_start + 86400000 THEN ms // 86400000 ELSE 0 END AS part FROM bound),
		sessions AS (
			SELECT visitor_id, min(ms) AS start_ms, max(ms) AS end_ms, count(*) AS events, count(*) FILTER (page_view) AS page_views,
				first(path ORDER BY event_time, source, position) FILTER (page_view) AS entry_page,
				last(path ORDER BY event_time, source, position) FILTER (page_view) AS exit_page,
				count(*) AS version, bool_or(bot) AS bot
			FROM cut GROUP BY visitor_id, chain, part)
		SELECT left(sha256(encode('session') || '\x00'::BLOB || encode(visitor_id) || '\x00'::BLOB || unhex(format('{:016x}', start_ms))), 32) AS session_id,
			visitor_id, make_timestamptz(start_ms * 1000) AS start_time, make_timestamptz(end_ms * 1000) AS end_time, events, page_views,
			entry_page, exit_page, page_views <= 1 AS bounce, version, end_ms - start_ms AS duration_ms,
			end_ms - start_ms >= 10000 OR page_views >= 2 AS engaged, bot, false AS truncated
		FROM sessions`
