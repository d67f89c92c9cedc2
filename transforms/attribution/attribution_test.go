package attribution_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/pii"
	"millrace/transforms/attribution"
)

func attributor(t testing.TB) *attribution.Attributor {
	t.Helper()
	a, err := attribution.New(attribution.Default(), []string{"example.org", "example.net"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func text(t pii.Text) string { return string(pii.Reveal(t)) }

// row is a request of testdata/urls.csv and what is to come out.
type row struct {
	query, referrer string
	want            []string
}

func rows(t testing.TB) (out []row) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "urls.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment, in.FieldsPerRecord = '#', 8
	all, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		out = append(out, row{r[0], r[1], r[2:]})
	}
	return out
}

func TestRealLifeURLs(t *testing.T) {
	all := rows(t)
	a := attributor(t)
	channels := map[string]int{}
	for range 2 { // the second time what is remembered
		for _, r := range all {
			got := a.Touch(attribution.Request{Query: []byte(r.query), Referrer: []byte(r.referrer)})
			channels[got.Channel]++
			have := []string{got.Kind.String(), text(got.Source), text(got.Medium), text(got.Campaign), got.Click, got.Channel}
			if diff := cmp.Diff(r.want, have); diff != "" {
				t.Errorf("query %q, referrer %q: kind, source, medium, campaign, click, channel (-want +got):\n%s", r.query, r.referrer, diff)
			}
		}
	}
	for _, name := range []string{
		"Direct", "Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Display", "Paid Other", "Organic Shopping",
		"Organic Social", "Organic Video", "Organic Search", "Referral", "Email", "Affiliates", "Audio", "SMS", "Mobile Push Notifications", "Unassigned",
	} {
		if channels[name] == 0 {
			t.Errorf("no row is of channel %s", name)
		}
	}
	if len(all) < 80 {
		t.Errorf("%d rows", len(all))
	}
}

// TestTheExamplesOfTheDocumentationAreTested: every line of its table is one of urls.csv.
func TestTheExamplesOfTheDocumentationAreTested(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "attribution.md"))
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, r := range rows(t) {
		code := func(s string) string {
			if s == "" {
				return ""
			}
			return "`" + s + "`"
		}
		source := r.want[1]
		if r.want[0] == attribution.Internal.String() {
			source = "(the visit goes on)"
		}
		tested["| "+strings.Join([]string{code(r.query), code(r.referrer), source, r.want[2], r.want[3], r.want[5]}, " | ")+" |"] = true
	}
	_, table, _ := strings.Cut(string(page), "| query | referrer | source | medium | campaign | channel |\n| --- | --- | --- | --- | --- | --- |\n")
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	for _, line := range lines {
		if !tested[line] {
			t.Errorf("not in urls.csv: %s", line)
		}
	}
	if len(lines) < 20 {
		t.Errorf("%d examples", len(lines))
	}
}

func TestTermContentAndIDAreTold(t *testing.T) {
	got := attributor(t).Touch(attribution.Request{Query: []byte("utm_source=a&utm_id=i1&utm_term=red+shoes&utm_content=%22b%22")})
	if have := []string{text(got.ID), text(got.Term), text(got.Content)}; !cmp.Equal(have, []string{"i1", "red shoes", `"b"`}) {
		t.Errorf("%q", have)
	}
}

func TestTheHostOfTheRequestIsInternal(t *testing.T) {
	a := attributor(t)
	for host, want := range map[string]attribution.Kind{
		"www.shop.test": attribution.Internal, "shop.test:443": attribution.Internal, "SHOP.test.": attribution.Internal,
		"": attribution.Referred, "other.test": attribution.Referred, "test": attribution.Referred,
	} {
		got := a.Touch(attribution.Request{Referrer: []byte("https://www.shop.test/a"), Host: []byte(host)})
		if got.Kind != want {
			t.Errorf("host %q: %v, want %v", host, got.Kind, want)
		}
	}
}

func TestALongValueEndsAtARune(t *testing.T) {
	a := attributor(t)
	got := text(a.Touch(attribution.Request{Query: []byte("utm_source=x" + strings.Repeat("%C3%A4", 5_000))}).Source)
	if want := "x" + strings.Repeat("ä", 127); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

func TestOwnDomainsThatAreNoneAreNamed(t *testing.T) {
	_, err := attribution.New(attribution.Default(), []string{"example.org", "https://x.test", ""})
	if err == nil || !strings.Contains(err.Error(), `"https://x.test"`) || !strings.Contains(err.Error(), `""`) {
		t.Errorf("%v", err)
	}
}

func TestTouchAllocatesNothing(t *testing.T) {
	a := attributor(t)
	var all []attribution.Request
	for _, r := range rows(t) {
		if strings.Contains(r.query, "%ff") || strings.ContainsFunc(r.referrer, func(c rune) bool { return c > 127 }) {
			continue // these may
		}
		all = append(all, attribution.Request{Query: []byte(r.query), Referrer: []byte(r.referrer)})
	}
	pass := func() {
		for _, q := range all {
			a.Touch(q)
		}
	}
	pass()
	if n := testing.AllocsPerRun(10, pass); n > 0 {
		t.Errorf("%v allocations for %d requests", n, len(all))
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	a := attributor(t)
	for i := range 20_000 {
		q := fmt.Appendf(nil, "utm_source=google&utm_medium=cpc&utm_campaign=c%d", i)
		if got := a.Touch(attribution.Request{Query: q}); got.Channel != "Paid Search" {
			t.Fatalf("%s: %s", q, got.Channel)
		}
	}
	if n := a.Remembered(); n > 4096 {
		t.Errorf("%d channels are remembered", n)
	}
}
