// Package weblogs is the job that turns web-server access logs into masked
// events, sessions, traffic, top pages, visitors and bots.
package weblogs

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/attribution"
	"millrace/transforms/enrich"
	"millrace/transforms/funnels"
	"millrace/transforms/sessions"
)

// FunnelsExample is a YAML file of funnels: those of a shop.
//
//go:embed funnels.yaml
var FunnelsExample string

// Settings are what a user can set by --set or in a YAML file. The zero value is
// not useful: start from Defaults.
type Settings struct {
	SessionGap      time.Duration `set:"sessions.gap" doc:"a pause this long ends a session"`
	SessionMax      time.Duration `set:"sessions.max_duration" doc:"longest session; 0s is no limit beyond the midnight rule"`
	SessionDayZone  string        `set:"sessions.day_zone" doc:"time zone in whose midnights sessions are cut, for example Europe/Berlin; empty cuts none"`
	SessionCampaign bool          `set:"sessions.campaign_cut" doc:"whether a new campaign (utm_campaign) starts a new session"`
	SessionIndex    bool          `set:"sessions.index" doc:"whether sessions are numbered by visitor and day (session_index, previous_session_id); live, each visitor is remembered until the day ends"`
	Attribution     bool          `set:"attribution" doc:"whether sessions tell where they came from: source, medium, campaign and channel"`
	AttributionFile string        `set:"attribution.rules" file:"true" doc:"file with attribution rules to use instead of the built-in ones"`
	OwnDomains      string        `set:"attribution.own_domains" doc:"domains of the site itself, separated by commas, each with its subdomains: coming from them says nothing"`
	TopPages        int           `set:"top_pages" doc:"pages kept for each hour"`
	ExactPages      int           `set:"top_pages.exact_limit" doc:"pages of an hour that are all counted, exactly, and kept in memory; beyond it Space-Saving finds the top ones, whose rows say so (exact, views_error); tens, at least ten times top_pages"`
	PageSketches    bool          `set:"top_pages.sketches" doc:"whether top pages also have estimates of their visitors and of quantiles of the bytes of their responses and of their latency"`
	ExactVisitors   int           `set:"visitors.exact_limit" doc:"visitors of a day that are counted one by one; beyond it a HyperLogLog estimates"`
	Anomalies       bool          `set:"anomalies" doc:"whether traffic, visitors and top pages are scored for what is unusual (docs/alerts.md)"`
	AnomalyPages    int           `set:"anomalies.pages" doc:"pages whose series are scored at a time; a detector takes up to 16 KiB"`
	BotsFile        string        `set:"bots.file" file:"true" doc:"file with bot patterns to use instead of the built-in list"`
	Security        bool          `set:"security" doc:"whether sources of what looks like attacks are counted (output sources) and watched by the built-in rules (output alerts)"`
	PatternsFile    string        `set:"security.patterns" file:"true" doc:"file with patterns of attacks to look for besides the built-in ones"`
	UserAgents      bool          `set:"enrich.user_agents" doc:"whether events tell browser, system and device by their user agent"`
	AgentRules      string        `set:"enrich.user_agent_rules" file:"true" doc:"file or s3:// URL of rules in the format of uap-core's regexes.yaml to use instead of the built-in ones"`
	Geo             string        `set:"enrich.geo" file:"true" doc:"file or s3:// URL of a country or city database in the MaxMind DB format; {date} stands for the date of a version; empty tells no countries"`
	ASN             string        `set:"enrich.asn" file:"true" doc:"file or s3:// URL of a database of autonomous systems likewise; empty tells no networks"`
	Codes           string        `set:"enrich.codes" file:"true" doc:"file or s3:// URL of a table of codes: .csv with a header line, .json, .ndjson or .parquet; the column codes has what its row says; empty looks nothing up"`
	CodesBy         string        `set:"enrich.codes_by" doc:"field of the line, as it came, by which enrich.codes is looked up: client_ip, edge, host, method, path, status or user"`
	CodesKey        string        `set:"enrich.codes_key" doc:"column of enrich.codes that has the values of that field; of the same name when empty"`
	Missing         string        `set:"enrich.missing" doc:"what becomes of events when reference data is missing or broken: fail ends the run, flag goes on and says so in the column enrichment, bad_row makes them bad rows"`
	AsOf            string        `set:"enrich.as_of" doc:"of places with {date}, take the newest version until this date, for example 2026-11-01; empty takes the newest"`
	Refresh         time.Duration `set:"enrich.refresh" doc:"how often a live run looks for a newer table; 0s keeps those it began with"`
	Pin             string        `set:"enrich.pin" doc:"versions the tables must have, as the column enrichment has them, for example geo=0123456789abcdef; a pinned run refreshes nothing"`
	Shards          int           `set:"lake.shards" doc:"files of a day that are written side by side; part of the result, so keep it for a lake"`
	// Funnels come by the YAML key funnels and by --funnels.
	Funnels []funnels.Definition
	// Alerts come by the YAML key alerts and by --alerts.
	Alerts []alerts.Rule
}

// Defaults are the settings of a run that sets none.
func Defaults() Settings {
	return Settings{SessionGap: 30 * time.Minute, TopPages: 10, ExactPages: 100_000, ExactVisitors: 65_536, Shards: 1, Attribution: true, AnomalyPages: 20, UserAgents: true, CodesBy: "host", Missing: string(enrich.Fail), Refresh: time.Hour}
}

// Validate reports every setting that cannot work.
func (s Settings) Validate() error {
	var faults []error
	check := func(ok bool, name, rule string) {
		if !ok {
			faults = append(faults, fmt.Errorf("setting %s: %s", name, rule))
		}
	}
	check(s.SessionGap >= time.Second && s.SessionGap < 24*time.Hour, "sessions.gap", "must be from 1s to less than 24h")
	check(s.SessionMax == 0 || s.SessionMax >= s.SessionGap, "sessions.max_duration", "must be 0s or at least sessions.gap")
	check(s.TopPages >= 1 && s.TopPages <= 10_000, "top_pages", "must be from 1 to 10000")
	check(s.ExactPages >= 10*s.TopPages && s.ExactPages <= 10_000_000 && s.ExactPages%10 == 0, "top_pages.exact_limit", "must be a multiple of 10, from 10 * top_pages to 10000000")
	check(s.ExactVisitors >= 0 && s.ExactVisitors <= 10_000_000, "visitors.exact_limit", "must be from 0 to 10000000")
	check(s.AnomalyPages >= 1 && s.AnomalyPages <= 500, "anomalies.pages", "must be from 1 to 500")
	check(s.Shards >= 1 && s.Shards <= 256, "lake.shards", "must be from 1 to 256")
	faults = append(faults, transforms.CheckFunnels(s.Funnels, weblog.Events), transforms.CheckAlerts(s.Alerts, s.alertInputs(nil)), s.references().Validate())
	_, err := time.LoadLocation(s.SessionDayZone)
	check(err == nil, "sessions.day_zone", fmt.Sprintf("%q is not a time zone; write for example Europe/Berlin, UTC or nothing", s.SessionDayZone))
	_, err = attribution.New(attribution.Default(), s.ownDomains())
	if err != nil {
		err = fmt.Errorf("setting attribution.own_domains: %w", err)
	}
	faults = append(faults, err)
	if errors.Join(faults...) == nil {
		faults = append(faults, s.sessions().Validate())
	}
	return errors.Join(faults...)
}

// sessions are the settings as the sessionizer takes them.
func (s Settings) sessions() sessions.Options {
	return sessions.Options{Gap: s.SessionGap, MaxDuration: s.SessionMax, DayCutZone: s.SessionDayZone, CampaignCut: s.SessionCampaign, Attribution: s.Attribution, Index: s.SessionIndex}
}

// references are the settings of what events are enriched from.
func (s Settings) references() transforms.References {
	return transforms.References{
		UserAgents: s.UserAgents, AgentRules: s.AgentRules, Geo: s.Geo, ASN: s.ASN, Codes: s.Codes, CodesBy: s.CodesBy, CodesKey: s.CodesKey, AsOf: s.AsOf, Missing: enrich.Missing(s.Missing), Refresh: s.Refresh, Pin: s.Pin,
	}
}

// rollups are the settings as the rollups take them.
func (s Settings) rollups() transforms.RollupConfig {
	c := transforms.RollupConfig{TopPages: s.TopPages, ExactPages: s.ExactPages, ExactVisitors: s.ExactVisitors, PageSketches: s.PageSketches, Sources: s.Security}
	if s.Anomalies {
		c.SeriesPages = max(seriesPages, s.TopPages)
	}
	return c
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

// Fingerprint names the content of the reference data that the settings select, so
// that rows made with other data count as another run. Tables that a live run
// refreshes are no part of it: it goes on with newer ones.
func (s Settings) Fingerprint(ctx context.Context, live bool) (string, error) {
	version, err := transforms.BotsVersion(s.BotsFile)
	if err != nil {
		return "", fmt.Errorf("setting bots.file: %w", err)
	}
	parts := []string{version}
	if s.Attribution {
		rules, err := transforms.AttributionVersion(s.AttributionFile)
		if err != nil {
			return "", fmt.Errorf("setting attribution.rules: %w", err)
		}
		parts = append(parts, rules)
	}
	if s.Security {
		patterns, err := transforms.PatternsVersion(s.PatternsFile)
		if err != nil {
			return "", fmt.Errorf("setting security.patterns: %w", err)
		}
		parts = append(parts, patterns)
	}
	tables, err := s.references().Versions(ctx, live)
	if err != nil {
		return "", fmt.Errorf("settings enrich: %w", err)
	}
	return strings.Join(append(parts, tables...), " "), nil
}
