// Package alert is the row type of alerts.
package alert

import "millrace/schemas/table"

// Row is a transition of an alert: a rule that a key's values broke. There is one for
// when it begins to fire and another, of a greater version, for when it is resolved.
type Row struct {
	AlertID       string       `col:"alert_id,sort3,plain" mask:"hash" ecs:"event.id" doc:"first 32 hex digits of SHA-256 over rule, key and first firing window"`
	FiringSince   table.Millis `col:"firing_since,sort1,day" ecs:"event.start" doc:"start of the window in which it began to fire, UTC; its day is the alert's day"`
	Rule          string       `col:"rule,sort2" mask:"none" ecs:"rule.name" doc:"name of the rule"`
	Key           string       `col:"alert_key,sort4" mask:"scanned" doc:"what the rule was broken for: the columns it groups by with their values, masked as they are in their own output; empty if it does not group"`
	State         string       `col:"state" mask:"none" doc:"firing or resolved"`
	Severity      string       `col:"severity" mask:"none" ecs:"event.severity" doc:"info, warning or critical"`
	ChangedAt     table.Millis `col:"changed_at" doc:"start of the window that brought it into its state, UTC"`
	PendingSince  table.Millis `col:"pending_since" doc:"start of the first window whose breach counted, UTC"`
	Value         *float64     `col:"value,null" doc:"what was compared in that window; null without data"`
	Peak          *float64     `col:"peak,null" doc:"what was furthest beyond the limit while it fired; null for a rule of absence"`
	Condition     string       `col:"condition" mask:"none" doc:"what the rule says, in words"`
	Breaches      int64        `col:"breaches" doc:"windows that broke the rule since it began to fire"`
	Reason        string       `col:"reason" mask:"none" doc:"why it is in its state: breach, absence, cleared, silence, data or given_up"`
	Input         string       `col:"input" mask:"none" doc:"output or series whose values are watched"`
	Field         string       `col:"field" mask:"none" doc:"column whose values are watched"`
	WindowSeconds int32        `col:"window_seconds" doc:"length of a window"`
	RuleVersion   string       `col:"rule_version" mask:"hash" ecs:"rule.version" doc:"first 12 hex digits of SHA-256 over the rule"`
	Replay        string       `col:"replay" mask:"none" doc:"command that computes it again from the records of its days"`
	Version       int64        `col:"version,history" doc:"revision * 2^32 + transitions so far; the greater one wins"`
}

// Columns of Row.
const (
	AlertID = iota
	FiringSince
	Rule
	Key
	State
	Severity
	ChangedAt
	PendingSince
	Value
	Peak
	Condition
	Breaches
	Reason
	Input
	Field
	WindowSeconds
	RuleVersion
	Replay
	Version
)

// States of an alert.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("alerts", 1)
