package sessions_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/sessions"
)

// written reads testdata/encoding_v1.txt: what the first version of the encoding
// wrote, a name and hex digits a line. The file stays as it is as long as any
// state of that version may be read.
func written(t *testing.T) map[string][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "encoding_v1.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]byte{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, digits, _ := strings.Cut(lines.Text(), " ")
		if out[name], err = hex.DecodeString(digits); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return out
}

func encodingEvents() (out []owned) {
	for i := range int64(6) {
		e := sessions.Event{
			Time: firstMidnight + i*7*minute, Source: "0123456789abcdef", Position: 1000 * i,
			Page: i%3 > 0, Path: fmt.Appendf(nil, "/page/%d", i%4), Bot: i == 3, Conversion: i == 4,
		}
		if i == 2 {
			e.Campaign = []byte("mail")
		}
		out = append(out, owned{visitor: fmt.Sprint("tok_visitor_", i%2), Event: e})
	}
	return out
}

func TestTheFirstVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	old := written(t)
	for name, opt := range map[string]sessions.Options{
		"default": {}, "detail": {CampaignCut: true, MaxEvents: 2, DayCutZone: "Europe/Berlin"},
	} {
		c, err := sessions.NewCollector(opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range encodingEvents() {
			c.Add(sessions.VisitorOf(e.visitor), &e.Event)
		}
		blob := c.Flush(1)[0].Blob
		if diff := cmp.Diff(hex.EncodeToString(old[name+".fragments"]), hex.EncodeToString(blob)); diff != "" {
			t.Errorf("%s fragments are written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", name, diff)
		}
		want := oracleAll(encodingEvents(), opt, revision)
		if diff := cmp.Diff(want, sessionizer(t, opt, [][]byte{old[name+".fragments"]}).Sessions()); diff != "" {
			t.Errorf("%s fragments are read differently (-want +got):\n%s", name, diff)
		}
		s, err := sessions.NewSessionizer(opt, revision)
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Advance(nil, [][]byte{blob}, firstMidnight)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(hex.EncodeToString(old[name+".state"]), hex.EncodeToString(u.State)); diff != "" {
			t.Errorf("%s state is written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", name, diff)
		}
		u, err = s.Advance(old[name+".state"], nil, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sessions.Update{Sealed: want, Closed: u.Closed, Next: math.MaxInt64}, u); diff != "" {
			t.Errorf("%s state is read differently (-want +got):\n%s", name, diff)
		}
		later := append([]byte{9}, blob[1:]...)
		if err := s.Add(later); err == nil || !strings.Contains(err.Error(), "version 9, this program reads 1") {
			t.Errorf("%s fragments of a later version: %v", name, err)
		}
		later = append([]byte{9}, old[name+".state"][1:]...)
		if _, err := s.Advance(later, nil, firstMidnight); err == nil || !strings.Contains(err.Error(), "version 9, this program reads 1") {
			t.Errorf("%s state of a later version: %v", name, err)
		}
	}
}

func TestVisitorsWithTheSameHashStayApart(t *testing.T) {
	c, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var events []owned
	for i := range int64(30) {
		e := owned{visitor: fmt.Sprint(i % 3), Event: sessions.Event{Time: firstMidnight + i*minute, Position: i}}
		c.Add(sessions.Visitor{ID: e.visitor, Hash: 7}, &e.Event)
		events = append(events, e)
	}
	var blobs [][]byte
	for _, p := range c.Flush(64) {
		blobs = append(blobs, p.Blob)
	}
	if len(blobs) != 1 {
		t.Fatalf("%d parts", len(blobs))
	}
	got := sessionizer(t, sessions.Options{}, blobs).Sessions()
	if diff := cmp.Diff(oracleAll(events, sessions.Options{}, revision), got); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}
