package enrich_test

import (
	"compress/gzip"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/enrich"
)

func geoFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "geoip", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func geo(t testing.TB, name string) *enrich.Geo {
	t.Helper()
	g, err := enrich.ParseGeo(geoFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// source reads the networks that a database was built from.
func source(t *testing.T, name string) map[string]map[string]any {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "geoip", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]map[string]any
	if err := json.NewDecoder(z).Decode(&list); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, o := range list {
		for network, record := range o {
			out[network] = record
		}
	}
	return out
}

func at(record map[string]any, path ...string) any {
	var v any = record
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func TestPlacesAgreeWithTheRecordsOfTheirNetworks(t *testing.T) {
	for _, name := range []string{"GeoLite2-City-Test", "GeoLite2-Country-Test", "GeoLite2-ASN-Test"} {
		g, networks := geo(t, name+".mmdb"), source(t, name+".json.gz")
		tried := 0
		for network, record := range networks {
			prefix := netip.MustParsePrefix(network)
			if more(networks, prefix) {
				continue // a narrower one may say otherwise
			}
			p, ok, err := g.Lookup(prefix.Addr())
			if err != nil || !ok {
				t.Errorf("%s: %s: %v, %v", name, network, ok, err)
				continue
			}
			tried++
			country := text(at(record, "country", "iso_code"))
			if country == "" {
				country = text(at(record, "registered_country", "iso_code"))
			}
			asn, _ := at(record, "autonomous_system_number").(float64)
			if p.Country != country || p.City != text(at(record, "city", "names", "en")) || p.Zone != text(at(record, "location", "time_zone")) ||
				p.ASN != uint32(asn) || p.Owner != text(at(record, "autonomous_system_organization")) {
				t.Errorf("%s: %s is %+v, want %v", name, network, p, record)
			}
		}
		if tried < 50 {
			t.Errorf("%s: only %d networks tried", name, tried)
		}
		if !strings.Contains(g.Type(), "GeoLite2") || len(g.Version()) != 16 {
			t.Errorf("%s, version %s", g.Type(), g.Version())
		}
	}
}

// more tells whether a narrower network begins at the address of p.
func more(networks map[string]map[string]any, p netip.Prefix) bool {
	for other := range networks {
		if q := netip.MustParsePrefix(other); q.Bits() > p.Bits() && q.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

func TestUnknownAddressesAreNoErrors(t *testing.T) {
	g := geo(t, "GeoLite2-City-Test.mmdb")
	for _, a := range []netip.Addr{{}, netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("fe80::1%eth0")} {
		if p, ok, err := g.Lookup(a); ok || err != nil || p != (enrich.Place{}) {
			t.Errorf("%v: %+v, %v, %v", a, p, ok, err)
		}
	}
	c := enrich.NewGeoCache(g)
	for range 2 {
		p, ok, err := c.Lookup(netip.MustParseAddr("::ffff:2.125.160.216"))
		if err != nil || !ok || p.City != "Boxford" || p.Region != "GB-ENG" || !p.Located {
			t.Errorf("%+v, %v, %v", p, ok, err)
		}
	}
}

// Every way to damage a file gives an error or an answer, never a panic; and no
// error names an address.
func TestBrokenDatabasesAreErrors(t *testing.T) {
	if _, err := enrich.ParseGeo(nil); err == nil {
		t.Error("nothing is a database")
	}
	g := geo(t, "GeoIP2-City-Test-Broken-Double-Format.mmdb")
	failed := 0
	for network := range source(t, "GeoLite2-City-Test.json.gz") {
		addr := netip.MustParsePrefix(network).Addr()
		if _, _, err := g.Lookup(addr); err != nil {
			failed++
			if strings.Contains(err.Error(), addr.Unmap().String()) {
				t.Errorf("an error names the address: %v", err)
			}
		}
	}
	if failed == 0 {
		t.Error("the broken database answers")
	}
	whole := geoFile(t, "GeoLite2-ASN-Test.mmdb")
	addr := netip.MustParseAddr("1.128.0.1")
	for n := 0; n < len(whole); n += 97 {
		if g, err := enrich.ParseGeo(whole[:n:n]); err == nil {
			_, _, _ = g.Lookup(addr)
		}
		damaged := append([]byte(nil), whole...)
		for i := n; i < min(n+8, len(damaged)); i++ {
			damaged[i] ^= 0xff
		}
		if g, err := enrich.ParseGeo(damaged); err == nil {
			_, _, _ = g.Lookup(addr)
		}
	}
}

func FuzzGeo(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("\xab\xcd\xefMaxMind.com"), []byte{1, 128, 0, 1})
	f.Add(geoFile(f, "GeoLite2-ASN-Test.mmdb")[:2048], []byte{1, 128, 0, 1})
	f.Fuzz(func(_ *testing.T, content, addr []byte) {
		g, err := enrich.ParseGeo(content)
		if err != nil {
			return
		}
		if a, ok := netip.AddrFromSlice(addr); ok {
			_, _, _ = g.Lookup(a)
		}
	})
}

func BenchmarkGeo(b *testing.B) {
	g := geo(b, "GeoLite2-City-Test.mmdb")
	addr := netip.MustParseAddr("2.125.160.216")
	b.Run("lookup", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = g.Lookup(addr)
		}
	})
	b.Run("cached", func(b *testing.B) {
		c := enrich.NewGeoCache(g)
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = c.Lookup(addr)
		}
	})
}
