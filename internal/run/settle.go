package run

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"millrace/internal/version"
	"millrace/io/lakeio"
	"millrace/schemas/ledger"
	"millrace/schemas/manifest"
)

// settle tells what a run that came to its end has left in the lake.
func (p *livePlan) settle(ctx context.Context, started time.Time, w Watcher) (Result, error) {
	r := Result{Lake: p.Lake}
	if err := p.ending().Forget(ctx); err != nil {
		return r, err
	}
	parts, err := lakeio.ReadLedger(ctx, p.store)
	if err != nil {
		return r, err
	}
	standing, err := lakeio.LoadStanding(ctx, p.store, p.schemas())
	if err != nil {
		return r, err
	}
	sum, faults, losses, err := audit(parts)
	if err != nil {
		return r, err
	}
	for _, loss := range losses {
		w.Say("%s", loss)
	}
	r.Manifest = p.liveManifest(sum, standing, started)
	if r.Manifest.Sinks, err = p.sinksOf(ctx); err != nil {
		return r, err
	}
	if len(faults) > 0 {
		r.Manifest.Ledger.Balanced = false
	}
	if err := lakeio.WriteJSON(ctx, p.store, manifest.Key(p.Run), r.Manifest); err != nil {
		return r, err
	}
	if err := lakeio.RefreshViews(ctx, p.store); err != nil {
		return r, err
	}
	if len(faults) > 0 {
		return r, &UnbalancedError{strings.Join(faults, "\n  ")}
	}
	if p.req.NoReport {
		return r, nil
	}
	if r.Report, err = writeReport(ctx, p.store, p.Lake, r.Manifest); err != nil {
		w.Say("the rows are in the lake, but its report is not drawn: %v; then: millrace report --lake %s", err, p.Lake)
	}
	return r, nil
}

func (p *livePlan) liveManifest(sum ledger.Ledger, standing lakeio.Standing, started time.Time) manifest.Manifest {
	m := manifest.Manifest{
		Run: p.Run, Job: p.Job, State: manifest.Done, Version: version.Build(), ConfigHash: p.ConfigHash, Settings: p.Settings,
		KeyID: p.Key.Active().ID(), MaskPolicy: p.policy(), Source: p.Source, Started: started.UTC(), Seconds: time.Since(started).Seconds(),
		Outputs: map[string]manifest.Output{}, Ledger: manifest.Ledger{Ledger: sum, Balanced: sum.Balanced()},
	}
	days := map[string]bool{}
	for output, c := range standing {
		var o manifest.Output
		for day, d := range c.Days {
			days[day] = true
			for _, f := range d.Files {
				o.Rows += f.Rows
				o.Bytes += f.Bytes
				o.Files++
				m.Files = append(m.Files, manifest.File{Key: f.Key, Rows: f.Rows, Bytes: f.Bytes, SHA256: f.SHA256})
			}
		}
		if o.Files > 0 {
			m.Outputs[output] = o
		}
	}
	slices.SortFunc(m.Files, func(a, b manifest.File) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	m.Days = slices.Sorted(maps.Keys(days))
	return m
}

// audit sums the accounts of a lake's rolls. Faults are parts that do not add up,
// and records of the stream that none or two of them account for; losses are what
// the stream dropped before it was read, which nobody can bring back.
func audit(parts []ledger.Part) (sum ledger.Ledger, faults, losses []string, err error) {
	for i := range parts {
		if err := parts[i].Check(); err != nil {
			faults = append(faults, err.Error())
		}
		sum.Add(parts[i].Ledger)
	}
	breaks, err := ledger.Chain(parts)
	for _, b := range breaks {
		if b.Kind == ledger.Loss {
			losses = append(losses, b.String())
		} else {
			faults = append(faults, b.String())
		}
	}
	return sum, faults, losses, err
}
