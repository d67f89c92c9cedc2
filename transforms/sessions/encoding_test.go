package sessions_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/sessions"
)

// written reads a file of testdata: what a version of the encoding wrote, a name
// and hex digits a line. The file stays as it is as long as any state of that
// version may be read.
func written(t *testing.T, file string) map[string][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
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

var versionOne = map[string]sessions.Options{
	"default": {}, "detail": {CampaignCut: true, MaxEvents: 2, DayCutZone: "Europe/Berlin"},
}

func TestTheFirstVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	stillReadAndWritten(t, "encoding_v1.txt", versionOne, encodingEvents())
}

func TestTheSecondVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	stillReadAndWritten(t, "encoding_v2.txt", map[string]sessions.Options{
		"attribution": {Attribution: true}, "index": {Index: true, Gap: 10 * time.Minute},
		"all": {Attribution: true, Index: true, CampaignCut: true, MaxEvents: 2, DayCutZone: "Europe/Berlin", Gap: 10 * time.Minute},
	}, touchedEvents())
}

// touchedEvents are those of encodingEvents, some with a touch.
func touchedEvents() []owned {
	out := encodingEvents()
	for i, source := range map[int]string{0: "(direct)", 2: "mail", 3: "google", 4: "x", 5: "google"} {
		out[i].Touch, out[i].Direct = sessions.AppendTouch(nil, []byte(source), []byte("m")), i == 0
	}
	return out
}

// TestWhatTheFirstVersionWroteIsReadWithEveryOption: who turns attribution or the
// index on goes on with the state there is.
func TestWhatTheFirstVersionWroteIsReadWithEveryOption(t *testing.T) {
	old := written(t, "encoding_v1.txt")
	for name, opt := range versionOne {
		opt.Attribution, opt.Index = true, true
		want := oracleAll(encodingEvents(), opt, revision) // of events without touches
		s, err := sessions.NewSessionizer(opt, revision)
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Advance(old[name+".state"], nil, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, u.Sealed); diff != "" {
			t.Errorf("%s state (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, sessionizer(t, opt, [][]byte{old[name+".fragments"]}).Sessions()); diff != "" {
			t.Errorf("%s fragments (-want +got):\n%s", name, diff)
		}
		// And back: what is not wanted any more is passed over.
		u, err = s.Advance(old[name+".state"], collect(t, rand.New(rand.NewPCG(1, 1)), opt, touchedEvents()[5:]), firstMidnight)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := sessions.NewSessionizer(versionOne[name], revision)
		if err != nil {
			t.Fatal(err)
		}
		u, err = plain.Advance(u.State, nil, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		want = oracleAll(append(encodingEvents(), touchedEvents()[5]), versionOne[name], revision)
		if diff := cmp.Diff(want, u.Sealed); diff != "" {
			t.Errorf("%s state of the second version (-want +got):\n%s", name, diff)
		}
	}
}

func stillReadAndWritten(t *testing.T, file string, options map[string]sessions.Options, events []owned) {
	t.Helper()
	old := written(t, file)
	for name, opt := range options {
		c, err := sessions.NewCollector(opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			c.Add(sessions.VisitorOf(e.visitor), &e.Event)
		}
		blob := c.Flush(1)[0].Blob
		if diff := cmp.Diff(hex.EncodeToString(old[name+".fragments"]), hex.EncodeToString(blob)); diff != "" {
			t.Errorf("%s fragments are written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", name, diff)
		}
		want := oracleAll(events, opt, revision)
		if diff := cmp.Diff(want, sessionizer(t, opt, [][]byte{old[name+".fragments"]}).Sessions()); diff != "" {
			t.Errorf("%s fragments are read differently (-want +got):\n%s", name, diff)
		}
		s, err := sessions.NewSessionizer(opt, revision)
		if err != nil {
			t.Fatal(err)
		}
		watermark := firstMidnight
		if opt.Index {
			watermark += 40 * minute // so that sessions are sealed that the state remembers
		}
		u, err := s.Advance(nil, [][]byte{blob}, watermark)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(hex.EncodeToString(old[name+".state"]), hex.EncodeToString(u.State)); diff != "" {
			t.Errorf("%s state is written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", name, diff)
		}
		if (len(u.Sealed) > 0) != opt.Index {
			t.Errorf("%s: %d sessions are sealed", name, len(u.Sealed))
		}
		want = slices.DeleteFunc(want, func(s sessions.Session) bool { return slices.Contains(u.Sealed, s) })
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
