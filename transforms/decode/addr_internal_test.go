package decode

import (
	"net/netip"
	"strings"
	"testing"

	"millrace/internal/mutate"
)

func checkAddr(t *testing.T, s string) {
	t.Helper()
	got, ok := readAddr([]byte(s))
	want, err := netip.ParseAddr(s)
	if zone := want.Zone(); zone != "" && !isHost([]byte(zone)) {
		return // netip takes any text for a zone, a log line does not
	}
	want = want.Unmap().WithZone("")
	if ok != (err == nil) || got != want {
		t.Errorf("readAddr(%q) = %v %v, netip.ParseAddr says %v %v", s, got, ok, want, err)
	}
}

func TestAddressesEqualThoseOfNetip(t *testing.T) {
	for _, s := range []string{
		"", "1", "1.2.3", "1.2.3.4", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "0.0.0.0", "255.255.255.255", "256.1.1.1",
		"1..2.3", "1.2.3.", ".1.2.3", "1.2.3.4 ", "1.2.3.4%a", "1.2.3.1111",
		":", "::", ":::", "::1", "1::", "1::2", "1::2::3", ":1", "1:", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "g::", "AbCd::eF01",
		"::1.2.3.4", "::ffff:1.2.3.4", "::ffff:1.2.3.256", "::ffff:1.2.3", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
		"1.2.3.4::", "::1.2.3.4:5", "fe80::1%eth0", "fe80::1%", "%eth0", "::ffff:1.2.3.4%eth0", "::01.2.3.4", "::00001",
		"0000:0000:0000:0000:0000:ffff:255.255.255.255", "1:2:3:4:5:6:7:8%0", strings.Repeat("1:", 30),
	} {
		checkAddr(t, s)
	}
}

func FuzzAddr(tf *testing.F) {
	f := mutate.Of(tf)
	for _, s := range []string{"1.2.3.4", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1%eth0", "1:2:3:4:5:6:7::"} {
		f.Add(s)
	}
	f.Fuzz(checkAddr)
}
