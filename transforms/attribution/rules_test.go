package attribution_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"millrace/transforms/attribution"
)

func parse(t testing.TB, rules string) *attribution.Rules {
	t.Helper()
	r, err := attribution.Parse("my.csv", strings.NewReader(rules))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryMistakeInRulesIsNamedWithFileLineAndField(t *testing.T) {
	for line, want := range map[string]string{
		"sites,google.*,google,search":                     `my.csv:2: field 1: unknown kind "sites"; there are parameter, click, site`,
		"site,google.*,google":                             "my.csv:2: field 1: site has the fields host, source, category, this line has 2 of them",
		"site,google.*,google,search,x":                    "this line has 4 of them",
		"site,google.*,,search":                            "my.csv:2: field 3: source is empty",
		"site,*.google.com,google,search":                  `my.csv:2: field 2: "*.google.com" is no host`,
		"site,https://google.com/,google,search":           "is no host",
		"parameter,utm_source,sauce":                       `my.csv:2: field 3: unknown field "sauce"; there are source, medium, campaign, id, term, content`,
		"parameter,utm source,source":                      "is no name of a parameter",
		"parameter," + strings.Repeat("x", 65) + ",source": "at most 64 characters",
		"click,x,google":                                   "click has the fields name, source, medium",
		"channel,Paid":                                     "channel has the fields name, condition",
		"channel,Paid,medium":                              `my.csv:2: field 3: condition "medium" has neither = nor ~`,
		"channel,Paid,source=a,medum=b":                    `my.csv:2: field 4: condition on unknown field "medum"; there are source, medium, campaign, category`,
		"channel,Paid,medium~(":                            "my.csv:2: field 3: condition \"medium~(\": error parsing regexp",
		"channel,Paid,medium~)|(":                          "error parsing regexp",
		"channel,Paid,medium=a||b":                         "compares with nothing",
		`site,"google`:                                     "my.csv:2: column",
		"site,a.test,a,x\nsite,A.test,b,y":                 "my.csv:3: field 2: a.test stands on line 2 already",
		"parameter,ref,source\nclick,ref,a,b":              "my.csv:3: field 2: ref stands on line 2 already",
	} {
		_, err := attribution.Parse("my.csv", strings.NewReader("# rules\n"+line+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func TestAllMistakesAreTold(t *testing.T) {
	_, err := attribution.Parse("my.csv", strings.NewReader("x,y\nsource,a\nmedium,b\n"))
	if err == nil || strings.Count(err.Error(), "my.csv:") != 3 {
		t.Errorf("%v", err)
	}
	_, err = attribution.Parse("my.csv", strings.NewReader(strings.Repeat("x,y\n", 1000)))
	if err == nil || strings.Count(err.Error(), "\n") > 30 {
		t.Errorf("%v", err)
	}
	_, err = attribution.Parse("my.csv", strings.NewReader(strings.Repeat("#", attribution.MaxRules+1)))
	if err == nil || !strings.Contains(err.Error(), "name the right file") {
		t.Errorf("%v", err)
	}
}

func TestTheVersionIsThatOfTheContent(t *testing.T) {
	a, b, c := parse(t, "source,a,x\n"), parse(t, "source,a,x\n"), parse(t, "source,a,y\n")
	if a.Version() != b.Version() || a.Version() == c.Version() || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(a.Version()) {
		t.Errorf("%s, %s, %s", a.Version(), b.Version(), c.Version())
	}
}

func TestRulesOfTheUserReplaceOurs(t *testing.T) {
	a, err := attribution.New(parse(t, "\ufeffparameter, von ,source\nclick,klick,markt,werbung\nsite,suche.*,Suche,search\nmedium,search,fund\n"+
		"channel,Eigenes,category=search,medium=FUND|x\nchannel,Gekauft,medium~werb.*\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, referrer, source, medium, channel string }{
		{"von=Suche", "", "suche", "(not set)", "Unassigned"},
		{"klick=1", "", "markt", "werbung", "Gekauft"},
		{"utm_source=google", "https://www.suche.co.uk/", "suche", "fund", "Eigenes"},
		{"", "https://www.google.com/", "google.com", "referral", "Unassigned"},
		{"", "", "(direct)", "(none)", "Unassigned"},
	} {
		got := a.Touch(attribution.Request{Query: []byte(c.query), Referrer: []byte(c.referrer)})
		if text(got.Source) != c.source || text(got.Medium) != c.medium || got.Channel != c.channel {
			t.Errorf("%q from %q: %s, %s, %s", c.query, c.referrer, text(got.Source), text(got.Medium), got.Channel)
		}
	}
}

func TestWithoutRulesOnlyReferrersAreKnown(t *testing.T) {
	a, err := attribution.New(parse(t, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := a.Touch(attribution.Request{Query: []byte("utm_source=x&gclid=y&=&%"), Referrer: []byte("https://a.test/")})
	if text(got.Source) != "a.test" || got.Channel != "Unassigned" {
		t.Errorf("%s, %s", text(got.Source), got.Channel)
	}
}

// The lake's column documents name the rules by version: one that changes without
// a word in the changelog is noticed here.
func TestOurRulesAreSound(t *testing.T) {
	b, err := os.ReadFile("rules.csv")
	if err != nil {
		t.Fatal(err)
	}
	if r := parse(t, string(b)); r.Version() != attribution.Default().Version() {
		t.Errorf("%s, built in is %s", r.Version(), attribution.Default().Version())
	}
}
