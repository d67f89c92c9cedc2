package run

import (
	"fmt"
	"slices"
	"strings"

	"millrace/internal/alertrules"
	"millrace/transforms/alerts"
)

// alertsKey is the key of a YAML file under which rules of alerts lie.
const alertsKey = "alerts"

// ReadAlerts reads a YAML file of rules of alerts: the list that the key alerts of a
// configuration has, alone or under that key or the key rules. A whole configuration
// will do. Every fault is reported, with file, line and key.
func ReadAlerts(content []byte, name string) ([]alerts.Rule, error) {
	return readList(content, name, listFile{flag: "--alerts", guide: "docs/alerts.md", keys: []string{alertsKey, "rules"}, other: true}, alertrules.DecodeList)
}

// setAlerts gives the rules to the job's settings.
func (r *request) setAlerts() error {
	rules, err := r.builtInAlerts()
	if err != nil || len(rules)+len(r.Alerts) == 0 {
		return err
	}
	if r.job.Alerts == nil {
		return fmt.Errorf("%s: job %s has no alerts; leave them out", r.at(alertsKey), r.job.Name)
	}
	*r.job.Alerts(r.settings) = slices.Concat(rules, r.Alerts)
	return nil
}

// builtInAlerts are the rules that the settings ask for by themselves, without those
// that the user has replaced by one of the same name.
func (r *request) builtInAlerts() ([]alerts.Rule, error) {
	if r.job.BuiltInAlerts == nil {
		return nil, nil
	}
	name, content := r.job.BuiltInAlerts(r.settings)
	if len(content) == 0 {
		return nil, nil
	}
	rules, err := alertrules.Decode(content, name)
	return slices.DeleteFunc(rules, func(rule alerts.Rule) bool {
		return slices.ContainsFunc(r.Alerts, func(own alerts.Rule) bool { return own.Name == rule.Name })
	}), err
}

// alertText says a rule in a line.
func alertText(r *alerts.Rule) string {
	text := r.Severity + ", " + r.Input + ": " + r.Condition()
	for _, m := range r.Where {
		text += ", where " + m.Column + " is " + m.Value
	}
	if len(r.By) > 0 {
		text += ", by " + strings.Join(r.By, ", ")
	}
	return text
}

// replay begins the command that computes rows again, from what this run reads or
// what it archives. Days follow it, see transforms.Common. It names no place of this
// run's lake but its archive: the same rows of another run have the same command. It
// takes no configuration, whose outputs would be written again.
func (r *request) replay(source string) string {
	words := []string{"millrace", "run", r.job.Name}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, quoted(value))
		}
	}
	add("--source", source)
	add("--lake", "replayed")
	add("--mask-key", r.MaskKey)
	for _, v := range r.Values {
		add("--set", v.Name+"="+v.Text)
	}
	add("--alerts", r.AlertsFile)
	if r.MaskPolicy != nil {
		add("--mask-policy", r.MaskPolicy.Name)
	}
	add("--vault-key", r.VaultKey)
	return strings.Join(words, " ")
}

// quoted is a word for a shell.
func quoted(s string) string {
	if strings.IndexFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=,@%+", c))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
