package transforms

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"millrace/transforms/enrich"
)

// places are what OpenReference finds, by place; versions are their contents' numbers.
type places struct {
	mu    sync.Mutex
	files map[string][]byte
	reads int // of contents
}

func (p *places) put(place string, content []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[place] = content
}

func (p *places) open(_ context.Context, place, _, version string) ([]byte, string, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	content, ok := p.files[place]
	if !ok {
		return nil, "", false, errors.New(place + " is not there")
	}
	v := "etag of " + string(content[:min(len(content), 1<<20)])
	if v == version {
		return nil, version, true, nil
	}
	p.reads++
	return content, v, false, nil
}

func usePlaces(t *testing.T) *places {
	t.Helper()
	p := &places{files: map[string][]byte{}}
	before := OpenReference
	OpenReference = p.open
	t.Cleanup(func() { OpenReference = before })
	return p
}

func mmdb(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("enrich/testdata/geoip/" + name + ".mmdb")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func versionOf(t *testing.T, content []byte) string {
	t.Helper()
	g, err := enrich.ParseGeo(content)
	if err != nil {
		t.Fatal(err)
	}
	return g.Version()
}

// TestTablesAreSharedAndRefreshedWithoutARestart: all who use a place have one table,
// which is read again when it is another, and given up when nobody is left.
func TestTablesAreSharedAndRefreshedWithoutARestart(t *testing.T) {
	p := usePlaces(t)
	country, city := mmdb(t, "GeoLite2-Country-Test"), mmdb(t, "GeoLite2-City-Test")
	p.put("geo", country)
	r := References{Geo: "geo", Missing: enrich.Fail}
	first, err := r.acquire(t.Context(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.acquire(t.Context(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if p.reads != 1 || first.geo != second.geo {
		t.Errorf("read %d times", p.reads)
	}
	get := second.forWorker("b").Geo
	await := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	p.put("geo", city)
	await("the newer table is not taken", func() bool { g, err := get(); return err == nil && g.Version() == versionOf(t, city) })
	p.put("geo", []byte("this is broken"))
	await("the broken one is not looked at", func() bool { return first.geo.holder.Err() != nil })
	if g, err := get(); err != nil || g.Version() != versionOf(t, city) {
		t.Errorf("a broken newer table: %v", err)
	}
	first.release()
	p.put("geo", country)
	await("nobody refreshes after the first user went", func() bool { g, err := get(); return err == nil && g.Version() == versionOf(t, country) })
	second.release()
	if len(sharedGeo.tables) != 0 {
		t.Error("a table nobody uses stays in memory")
	}
}

func TestPinnedAndPlannedVersionsAreHeld(t *testing.T) {
	p := usePlaces(t)
	country, city := mmdb(t, "GeoLite2-Country-Test"), mmdb(t, "GeoLite2-City-Test")
	p.put("geo", country)
	pinned := References{Geo: "geo", Missing: enrich.Fail, Pin: "bots=0123456789abcdef geo=" + versionOf(t, country)}
	versions, err := pinned.Versions(t.Context(), false)
	if err != nil || len(versions) != 1 || versions[0] != "geo="+versionOf(t, country) {
		t.Fatalf("%v, %v", versions, err)
	}
	cfg := AccessLogConfig{References: References{Geo: "geo", Missing: enrich.Fail, Refresh: time.Hour}}
	planned := planTables(cfg)
	p.put("geo", city)
	if _, err := pinned.Versions(t.Context(), false); err == nil || !strings.Contains(err.Error(), "pinned to "+versionOf(t, country)) {
		t.Errorf("another version than the pinned: %v", err)
	}
	if _, err := planned.acquire(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "changed since the run was planned") {
		t.Errorf("another version than the planned: %v", err)
	}
	cfg.Common.Live = &Live{}
	live := planTables(cfg)
	tables, err := live.acquire(t.Context(), cfg)
	if err != nil || live.Refresh != time.Hour {
		t.Errorf("a live run: %v, %v", live, err)
	}
	tables.release()
	if versions, err := cfg.References.Versions(t.Context(), true); err != nil || versions != nil {
		t.Errorf("a live run is another with each table: %v, %v", versions, err)
	}
}

func TestMissingTablesFailThePlanUnlessThePolicySaysOtherwise(t *testing.T) {
	usePlaces(t)
	r := References{ASN: "asn", Missing: enrich.Fail}
	if _, err := r.Versions(t.Context(), false); err == nil || !strings.Contains(err.Error(), "asn is not there") {
		t.Errorf("fail: %v", err)
	}
	for _, m := range []enrich.Missing{enrich.Flag, enrich.BadRow} {
		r.Missing = m
		if v, err := r.Versions(t.Context(), false); err != nil || v[0] != "asn=missing" {
			t.Errorf("%s: %v, %v", m, v, err)
		}
	}
	if len(sharedGeo.tables) != 0 {
		t.Error("tables stay in memory")
	}
	for _, r := range []References{{Missing: "ignore"}, {Missing: enrich.Fail, AsOf: "yesterday"}, {Missing: enrich.Fail, Refresh: 1}, {Missing: enrich.Fail, Pin: "geo=1"}, {Missing: enrich.Fail, Pin: "gio=0123456789abcdef"}} {
		if r.Validate() == nil {
			t.Errorf("%+v passes", r)
		}
	}
}
