package clickstream

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/clickstream"
	"millrace/transforms"
)

// Build is the diagram of the job. records is a PCollection<record.Block>.
//
//	blocks ── decode, correct clocks, mask ─┬─ events ── drop duplicates ── pre-aggregate ─┬─ events, late
//	                                        ├─ bad_rows, raw                               ├─ fragments ── sessions
//	                                        └─ ledger                                      ├─ fragments ── funnels ── funnel_steps
//	                                                                                       ├─ partials ─── products, revenue, visitors, identities
//	                                                                                       │                 └ revenue ── anomalies ─┐
//	                                                                                       │     most of these by rules ─────────────┴─ alerts
//	                                                                                       └─ steps ── visits ─┬─ abandoned_carts
//	                                                                                                           └─ partials ── recommendations
func Build(s beam.Scope, cfg Settings, c transforms.Common, records beam.PCollection) transforms.Outputs {
	s, c = s.Scope("clickstream"), cfg.needs(c)
	clicks := transforms.Clicks(s, cfg.clicks(c), records)
	use, counted := transforms.UniqueClickUse(s, cfg.dedup(c), cfg.use(c), clicks)
	sessions, openSessions := transforms.Sessions(s, c, cfg.sessions(), use.Fragments)
	tables, openTables := transforms.Tables(s, cfg.shop().Tables(c), use.Partials)
	visits := transforms.Visits(s, transforms.VisitConfig{Common: c, Gap: cfg.SessionGap, CartTimeout: cfg.CartTimeout, Recommend: cfg.recommend()}, use.Steps)
	out := transforms.Outputs{
		Rows: map[string]beam.PCollection{
			"events":          use.Events,
			"bad_rows":        clicks.BadRows,
			"late":            use.Late,
			"raw":             clicks.Raw,
			"sessions":        sessions,
			"products":        transforms.OfSchema(s, clickstream.Products, tables),
			"revenue":         transforms.OfSchema(s, clickstream.RevenueRows, tables),
			"visitors":        transforms.OfSchema(s, clickstream.Visitors, tables),
			"identities":      transforms.OfSchema(s, clickstream.Identities, tables),
			"abandoned_carts": visits.Carts,
		},
		Provisional: []beam.PCollection{openSessions, openTables},
		Ledger:      beam.Flatten(s, clicks.Ledger, counted),
	}
	out.Vault(s, c)
	if len(cfg.Funnels) > 0 {
		f := transforms.Funnels(s, c, clickstream.Events, cfg.Funnels, use.Funnels)
		out.Rows["funnels"], out.Rows["funnel_steps"] = f.Attempts, f.Steps
		out.Provisional = append(out.Provisional, f.Provisional...)
	}
	if cfg.Anomalies && c.Makes("anomalies") {
		scored, again := transforms.Anomalies(s, c, cfg.anomalyBoards(), anomalyInputs(out.Rows["revenue"]))
		out.Rows["anomalies"] = scored
		out.Provisional = append(out.Provisional, again)
	}
	if len(cfg.Alerts) > 0 && c.Makes("alerts") {
		rows, firing := transforms.Alerts(s, c, cfg.Alerts, cfg.alertInputs(out.Rows))
		out.Rows["alerts"] = rows
		out.Provisional = append(out.Provisional, firing)
	}
	if c.Live == nil { // live, they are computed by batch runs over what was kept
		out.Rows["recommendations"], _ = transforms.Tables(s.Scope("recommendations"), cfg.shop().Tables(c), visits.Partials)
	}
	return out
}
