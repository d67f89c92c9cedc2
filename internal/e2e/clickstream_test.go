package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	farms "millrace/internal/generate"
	"millrace/internal/testenv"
)

func clicks(source, lake string, more ...string) []string {
	return append([]string{"run", "clickstream", "--source", source, "--lake", lake, "--mask-key", "env://MASK_KEY"}, more...)
}

// TestClickstreamFindsTheTruthOfAShop: what a simulated shop did, nothing of its
// visitors, and the same whichever days are asked for one after another.
func TestClickstreamFindsTheTruthOfAShop(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "clickstream", "--out", e.in("shop"), "--events", "64000", "--days", "3", "--seed", "5", "--duplicates", "0.02", "--malformed", "0.01", "--canaries")
	var truth farms.ClickTruth
	if err := json.Unmarshal(readFile(t, e.in("shop", "truth.json")), &truth); err != nil {
		t.Fatal(err)
	}
	find := newFinder(t, e.in("shop", "truth_canaries.txt"))
	lake, funnels := e.in("lake"), filepath.Join(testenv.Root(t), "jobs", "clickstream", "funnels.yaml")
	r := mustRun(t, e, clicks(e.in("shop", "events*"), lake, "--raw", "sealed", "--funnels", funnels)...)
	find.in(t, "what the run says", []byte(r.stdout+r.stderr))
	find.inFolder(t, lake)
	texts := find.inRows(t, lake)
	find.report(t)
	for _, output := range []string{"events", "sessions", "funnels", "funnel_steps", "products", "revenue", "abandoned_carts", "recommendations", "bad_rows", "raw"} {
		if texts[output] == 0 {
			t.Errorf("no text of %s was searched", output)
		}
	}
	l := readManifest(t, lake).Ledger
	var bad int64
	for _, n := range truth.Bad {
		bad += n
	}
	if !l.Balanced || l.In != truth.Lines || l.Events != truth.Events || l.Duplicate != truth.Duplicates || l.Bad != bad || l.Skipped != 0 {
		t.Errorf("ledger %v, truth %+v", l.Ledger, truth)
	}
	one := func(query string) string { return sql(t, lake, query)[0][0] }
	got := farms.ClickTruth{
		Lines: truth.Lines, Events: truth.Events, Duplicates: truth.Duplicates, Items: truth.Items, Family: truth.Family,
		Bad: counts(t, sql(t, lake, "SELECT reason, count(*) FROM bad_rows GROUP BY 1")), Names: counts(t, sql(t, lake, "SELECT name, count(*) FROM events GROUP BY 1")),
		Gross:    counts(t, sql(t, lake, "SELECT currency, sum(gross) FROM revenue WHERE window_seconds = 60 GROUP BY 1")),
		Refunded: counts(t, sql(t, lake, "SELECT currency, sum(refunded) FROM revenue WHERE window_seconds = 86400 GROUP BY 1")),
	}
	got.Sessions = number(t, one("SELECT count(*) FROM sessions"))
	got.AbandonedCarts = number(t, one("SELECT count(*) FROM abandoned_carts"))
	if diff := gocmp.Diff(truth, got); diff != "" {
		t.Errorf("(-truth +lake):\n%s", diff)
	}
	// DuckDB asks the events what the tables say of products.
	if diff := gocmp.Diff(
		sql(t, lake, `SELECT i->>'id', sum((name = 'view_item')::INT), sum(CASE name WHEN 'purchase' THEN 1 WHEN 'refund' THEN -1 ELSE 0 END * (i->>'price')::BIGINT * (i->>'quantity')::BIGINT)
			FROM (SELECT name, unnest(from_json(items, '["JSON"]')) i FROM events WHERE items IS NOT NULL) GROUP BY 1 HAVING count(*) > 0 ORDER BY 1`),
		sql(t, lake, "SELECT item_id, sum(views), sum(revenue) FROM products GROUP BY 1 ORDER BY 1")); diff != "" {
		t.Errorf("products (-events +table):\n%s", cut(diff))
	}
	if n := one("SELECT count(*) FROM recommendations r WHERE kind = 'view' AND rank = 1 AND split_part(item_id, '-', 2)::INT // 8 = split_part(recommended_id, '-', 2)::INT // 8"); n == "0" {
		t.Error("nothing of a family goes together")
	}
	t.Run("day by day", func(t *testing.T) {
		days := e.in("days")
		for _, day := range []string{"2026-03-02", "2026-03-01", "2026-03-03"} {
			mustRun(t, e, clicks(e.in("shop", "events*"), days, "--raw", "sealed", "--funnels", funnels, "--from", day, "--to", day)...)
		}
		for _, output := range []string{"events", "sessions", "funnels", "funnel_steps", "products", "revenue", "visitors", "abandoned_carts", "recommendations"} {
			columns := "* EXCLUDE (version)" // which has the revision of a day
			if output == "events" {
				columns = "*"
			}
			whole, parts := sql(t, lake, "SELECT "+columns+" FROM "+output), sql(t, days, "SELECT "+columns+" FROM "+output)
			for _, rows := range [][][]string{whole, parts} {
				slices.SortFunc(rows, slices.Compare[[]string])
			}
			if diff := gocmp.Diff(whole, parts); diff != "" || len(whole) == 0 {
				t.Errorf("%s, %d rows (-at once +day by day):\n%s", output, len(whole), cut(diff))
			}
		}
	})
}

// TestClickstreamLiveEqualsBatch: a shop's events from a stream, some of them again
// ten minutes later, and the archive of that run read by a batch.
func TestClickstreamLiveEqualsBatch(t *testing.T) {
	server, e := testenv.Kinesis(t), newEnv(t)
	lines := logLines(t, filepath.Join(testenv.Root(t), "testdata", "clickstream", "events.ndjson.gz"))
	server.CreateStream(t, "shop", 4)
	server.Put(t, "shop", together(lines, 20)...)
	funnels := []string{"--funnels", filepath.Join(testenv.Root(t), "jobs", "clickstream", "funnels.yaml")}
	mustRun(t, e, clicks("kinesis://shop?"+everything, e.in("live"), append(funnels, "--idle", "hold", "--progress", "none", "--raw", "plain", "--max-disorder", "13m")...)...)
	mustRun(t, e, clicks(e.in("live", "raw"), e.in("batch"), funnels...)...)
	outputs := map[string]counted{"late": {}}
	for output, n := range map[string]int64{
		"events": 3841, "sessions": 472, "funnels": 300, "funnel_steps": 10, "products": 1000, "revenue": 100, "visitors": 2, "identities": 100, "abandoned_carts": 121, "bad_rows": 44,
	} {
		outputs[output] = counted{least: n}
	}
	same(t, e.in("live"), e.in("batch"), outputs)
	archived(t, e.in("live"), lines)
	l := accounts(t, e.in("live"))
	if l.In != int64(len(lines)) || l.Events != 3841 || l.Duplicate != 74 || l.Bad != 44 || l.Late != 0 {
		t.Errorf("%d lines were put, ledger %s", len(lines), l)
	}
}
