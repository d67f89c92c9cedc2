// Package clickstream is the job that turns events of a shop, from its pages, apps and
// servers, into masked events, sessions, funnels, products, revenue, visitors, abandoned
// carts, recommendations, scores and alerts.
package clickstream

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/schemas/clickstream"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/attribution"
	"millrace/transforms/clickevents"
	"millrace/transforms/funnels"
	"millrace/transforms/recommend"
	"millrace/transforms/sessions"
)

// FunnelsExample is a YAML file of funnels: those of a shop.
//
//go:embed funnels.yaml
var FunnelsExample string

// Settings are what a user can set by --set or in a YAML file. The zero value is not
// useful: start from Defaults.
type Settings struct {
	Analytics         bool          `set:"consent.analytics" doc:"whether an event that does not say so comes with consent to analytics: without, nothing of a person is kept"`
	Ads               bool          `set:"consent.ads" doc:"whether an event that does not say so comes with consent to advertising: without, campaigns are not kept"`
	DedupHorizon      time.Duration `set:"dedup.horizon" doc:"an event whose event_id came within so long before is a duplicate"`
	SessionGap        time.Duration `set:"sessions.gap" doc:"a pause this long ends a session, and a visit whose items go together"`
	SessionDayZone    string        `set:"sessions.day_zone" doc:"time zone in whose midnights sessions are cut, for example Europe/Berlin; empty cuts none"`
	SessionCampaign   bool          `set:"sessions.campaign_cut" doc:"whether a new campaign starts a new session"`
	Attribution       bool          `set:"attribution" doc:"whether events and sessions tell where they came from: source, medium, campaign and channel"`
	AttributionFile   string        `set:"attribution.rules" file:"true" doc:"file with attribution rules to use instead of the built-in ones"`
	OwnDomains        string        `set:"attribution.own_domains" doc:"domains of the shop itself, separated by commas, each with its subdomains: coming from them says nothing"`
	CartTimeout       time.Duration `set:"carts.timeout" doc:"a cart of which nothing is heard for so long is abandoned"`
	ExactVisitors     int           `set:"visitors.exact_limit" doc:"visitors of a day that are counted one by one; beyond it a HyperLogLog estimates"`
	RecommendDays     int           `set:"recommend.days" doc:"days whose visits say what goes together, with the day itself"`
	RecommendHalfLife int           `set:"recommend.half_life" doc:"days after which a visit says half as much; 0 for no decay"`
	RecommendTop      int           `set:"recommend.top" doc:"items that are recommended for each item"`
	RecommendShrink   int           `set:"recommend.shrink" doc:"visits with both items that halve the score of two: few visits say little"`
	Anomalies         bool          `set:"anomalies" doc:"whether purchases, refunds and revenue are scored for what is unusual (docs/alerts.md)"`
	AnomalyWindow     time.Duration `set:"anomalies.window" doc:"length of the windows that are scored: a shop where few buy in a minute needs longer ones"`
	Shards            int           `set:"lake.shards" doc:"files of a day that are written side by side; part of the result, so keep it for a lake"`
	// Funnels come by the YAML key funnels and by --funnels.
	Funnels []funnels.Definition
	// Alerts come by the YAML key alerts and by --alerts.
	Alerts []alerts.Rule
}

// Defaults are the settings of a run that sets none.
func Defaults() Settings {
	r := recommend.Defaults()
	return Settings{
		DedupHorizon: 24 * time.Hour, SessionGap: 30 * time.Minute, Attribution: true, CartTimeout: time.Hour, ExactVisitors: 65_536,
		RecommendDays: r.Days, RecommendHalfLife: r.HalfLife, RecommendTop: r.Top, RecommendShrink: r.Shrink, AnomalyWindow: time.Minute, Shards: 1,
	}
}

// Validate reports every setting that cannot work.
func (s Settings) Validate() error {
	var faults []error
	check := func(ok bool, name, rule string) {
		if !ok {
			faults = append(faults, fmt.Errorf("setting %s: %s", name, rule))
		}
	}
	check(s.DedupHorizon >= time.Second && s.DedupHorizon <= 30*24*time.Hour, "dedup.horizon", "must be from 1s to 720h")
	check(s.SessionGap >= time.Second && s.SessionGap < 24*time.Hour, "sessions.gap", "must be from 1s to less than 24h")
	check(s.CartTimeout >= time.Minute && s.CartTimeout <= 24*time.Hour, "carts.timeout", "must be from 1m to 24h")
	check(s.ExactVisitors >= 0 && s.ExactVisitors <= 10_000_000, "visitors.exact_limit", "must be from 0 to 10000000")
	check(s.RecommendDays >= 1 && s.RecommendDays <= 30, "recommend.days", "must be from 1 to 30")
	check(s.RecommendHalfLife >= 0 && s.RecommendHalfLife <= 365, "recommend.half_life", "must be from 0 to 365")
	check(s.RecommendTop >= 1 && s.RecommendTop <= 100, "recommend.top", "must be from 1 to 100")
	check(s.RecommendShrink >= 0 && s.RecommendShrink <= 1_000_000, "recommend.shrink", "must be from 0 to 1000000")
	check(s.AnomalyWindow >= time.Minute && s.AnomalyWindow%time.Minute == 0 && time.Hour%s.AnomalyWindow == 0, "anomalies.window", "must be minutes into which an hour divides, for example 1m, 10m or 1h")
	check(s.Shards >= 1 && s.Shards <= 256, "lake.shards", "must be from 1 to 256")
	faults = append(faults, transforms.CheckFunnels(s.Funnels, clickstream.Events), transforms.CheckAlerts(s.Alerts, s.alertInputs(nil)))
	_, err := time.LoadLocation(s.SessionDayZone)
	check(err == nil, "sessions.day_zone", fmt.Sprintf("%q is not a time zone; write for example Europe/Berlin, UTC or nothing", s.SessionDayZone))
	if _, err = attribution.New(attribution.Default(), s.ownDomains()); err != nil {
		faults = append(faults, fmt.Errorf("setting attribution.own_domains: %w", err))
	}
	if errors.Join(faults...) == nil {
		faults = append(faults, s.sessions().Validate())
	}
	return errors.Join(faults...)
}

// Fingerprint names the content of the reference data that the settings select.
func (s Settings) Fingerprint() (string, error) {
	if !s.Attribution {
		return "", nil
	}
	version, err := transforms.AttributionVersion(s.AttributionFile)
	if err != nil {
		return "", fmt.Errorf("setting attribution.rules: %w", err)
	}
	return version, nil
}

// before and after are how many days around those to write say something about them.
func (s Settings) before() int64 {
	return max(int64(s.RecommendDays), days(s.DedupHorizon)+1)
}

func (s Settings) after() int64 {
	after := int64(1)
	for i := range s.Funnels {
		after = max(after, days(s.Funnels[i].Within))
	}
	return after
}

func days(d time.Duration) int64 { return int64((d + 24*time.Hour - 1) / (24 * time.Hour)) }

func (s Settings) clicks(c transforms.Common) transforms.ClickConfig {
	return transforms.ClickConfig{
		Common: c, Options: clickevents.Options{Analytics: s.Analytics, Ads: s.Ads}, Before: s.before(), After: s.after(),
		Attribution: s.Attribution, AttributionRules: s.AttributionFile, OwnDomains: s.ownDomains(), Use: s.use(c),
	}
}

func (s Settings) use(c transforms.Common) transforms.ClickUseConfig {
	return transforms.ClickUseConfig{Common: c, Sessions: s.sessions(), Funnels: s.Funnels, Shop: s.shop()}
}

func (s Settings) dedup(c transforms.Common) transforms.DedupConfig {
	return transforms.DedupConfig{Common: c, Horizon: s.DedupHorizon, Columns: transforms.ClickColumns(), Before: s.before(), After: s.after()}
}

func (s Settings) sessions() sessions.Options {
	return sessions.Options{Gap: s.SessionGap, DayCutZone: s.SessionDayZone, CampaignCut: s.SessionCampaign, Attribution: s.Attribution}
}

func (s Settings) recommend() recommend.Options {
	return recommend.Options{Days: s.RecommendDays, HalfLife: s.RecommendHalfLife, Top: s.RecommendTop, Shrink: s.RecommendShrink}
}

func (s Settings) shop() transforms.ShopOptions {
	return transforms.ShopOptions{ExactVisitors: s.ExactVisitors, Recommend: s.recommend()}
}

// ownDomains are those of the setting.
func (s Settings) ownDomains() (domains []string) {
	for domain := range strings.SplitSeq(s.OwnDomains, ",") {
		if domain = strings.TrimSpace(domain); domain != "" {
			domains = append(domains, domain)
		}
	}
	return domains
}

// Lacks says what an output needs that the settings do not give, and the cure.
func (s Settings) Lacks(output string) string {
	switch {
	case (output == "funnels" || output == "funnel_steps") && len(s.Funnels) == 0:
		return "funnels; give some by the key funnels of the YAML file or by --funnels"
	case output == "anomalies" && !s.Anomalies:
		return "scores; set anomalies: true"
	case output == "alerts" && len(s.Alerts) == 0:
		return "rules of alerts; give some by the key alerts of the YAML file or by --alerts"
	}
	return ""
}
