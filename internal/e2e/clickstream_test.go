package e2e

import (
	"encoding/json"
	"fmt"
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
	fmt.Sscan(one("SELECT count(*) FROM sessions"), &got.Sessions)
	fmt.Sscan(one("SELECT count(*) FROM abandoned_carts"), &got.AbandonedCarts)
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
			whole, parts := sql(t, lake, "SELECT * EXCLUDE (version) FROM "+output), sql(t, days, "SELECT * EXCLUDE (version) FROM "+output)
			for _, rows := range [][][]string{whole, parts} {
				slices.SortFunc(rows, slices.Compare[[]string])
			}
			if diff := gocmp.Diff(whole, parts); diff != "" || len(whole) == 0 {
				t.Errorf("%s, %d rows (-at once +day by day):\n%s", output, len(whole), cut(diff))
			}
		}
	})
}
