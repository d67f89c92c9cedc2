package transforms

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"millrace/internal/maskkey"
	"millrace/schemas/record"
	"millrace/transforms/accesslog"
	"millrace/transforms/attribution"
	"millrace/transforms/funnels"
	"millrace/transforms/rollup"
	"millrace/transforms/seal"
	"millrace/transforms/security"
	"millrace/transforms/sessions"
)

const (
	// flushRows and flushBytes bound the rows a core holds before they go on.
	flushRows  = 64 << 10
	flushBytes = 24 << 20
	// flushInput and flushFragments bound how much input the aggregates of a core sum up
	// before they go on, and so their memory: where visitors come often much input takes little.
	flushInput     = 64 << 20
	flushFragments = 128 << 10
	// longBundle is input of a core, in a batch, that is worth forgetting what it has met: a
	// bundle that follows may come to other cores, and these would keep it to the end.
	longBundle = 4 << 20
)

// core is what one goroutine owns.
type core struct {
	worker   *accesslog.Worker
	sessions *sessions.Collector
	rollups  *rollups
	funnels  *funnels.Collector // nil without funnels
	vault    *vaultRows         // nil without reversible tokens
	packer   packer
	live     bool
	shards   int // of visitors
	bundle   int // bytes since the bundle began
	input    int // bytes since the aggregates last went on
}

func newCore(cfg AccessLogConfig, keys secrets, bots accesslog.Bots, rules *attribution.Rules, patterns *security.Patterns, references *accesslog.References) (*core, error) {
	key := keys.Active()
	keep, err := keeper(cfg.Common.Raw, key.ID(), key.Secret())
	if err != nil {
		return nil, err
	}
	c := &core{packer: packer{dir: cfg.Common.Spill}, live: cfg.Common.Live != nil, shards: cfg.Common.shards()}
	if c.rollups, err = newRollups(cfg.ExactPages, cfg.ExactVisitors, cfg.PageSketches); err != nil {
		return nil, err
	}
	if cfg.Minutes {
		c.rollups.minutes = rollup.NewMinutes()
	}
	if c.sessions, err = sessions.NewCollector(cfg.Sessions); err != nil {
		return nil, err
	}
	if c.funnels, err = newFunnelCollector(cfg.Funnels); err != nil {
		return nil, err
	}
	var attributor *attribution.Attributor
	if cfg.Sessions.Attribution {
		if attributor, err = attribution.New(rules, cfg.OwnDomains); err != nil {
			return nil, err
		}
	}
	masker, vault, err := cfg.Common.masking(keys)
	if err != nil {
		return nil, err
	}
	c.vault = vault
	log := accesslog.Config{
		Masker: masker, Policy: cfg.Common.Policy, Bots: bots, References: references, Attribution: attributor,
		From: cfg.Common.From, To: cfg.Common.To, After: daysAfter(cfg.Funnels),
		Keep: keep, Open: opener(keys.Ring), Count: c.rollups.add, Visit: c.visit,
	}
	if cfg.Security {
		log.Classifier, log.Suspect = security.NewClassifier(patterns), c.rollups.sources.Add
	}
	c.worker = accesslog.New(log)
	return c, nil
}

// keeper gives the raw archive's payloads.
func keeper(raw, keyID string, key [32]byte) (func(dst, line []byte, source record.Identity, sequence string, position int64) ([]byte, string), error) {
	switch raw {
	case "plain":
		return func(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
			return append(dst, line...), ""
		}, nil
	case "sealed":
		s, err := seal.New(key)
		return func(dst, line []byte, source record.Identity, sequence string, position int64) ([]byte, string) {
			return s.Append(dst, line, source, sequence, position), keyID
		}, err
	}
	return nil, nil
}

// opener opens what keeper sealed, under any key of the ring.
func opener(keys maskkey.Ring) func(dst, payload []byte, keyID string, source record.Identity, sequence string, position int64) ([]byte, error) {
	sealers := map[string]*seal.Sealer{}
	return func(dst, payload []byte, keyID string, source record.Identity, sequence string, position int64) ([]byte, error) {
		s, ok := sealers[keyID]
		if !ok {
			key, found := keys.Lookup(keyID)
			if !found {
				return dst, fmt.Errorf("it is sealed under key %s, which is not given; give it with --mask-key, as the key or as an older one", keyID)
			}
			var err error
			if s, err = seal.New(key.Secret()); err != nil {
				return dst, err
			}
			sealers[keyID] = s
		}
		line, err := s.Open(dst, payload, source, sequence, position)
		if err != nil {
			return dst, fmt.Errorf("%w; give the key %s with which the archive was written with --mask-key, or fetch the archive again", err, keyID)
		}
		return line, nil
	}
}

func (c *core) visit(e *accesslog.Event) {
	c.sessions.AddSeen(e.Session, e.Visitor, &sessions.Event{
		Time: e.Time, Source: e.Source, Position: e.Position, Page: e.PageView, Path: e.Path,
		Campaign: accesslog.Campaign(e.Query), Bot: e.Bot, Touch: e.Touch, Direct: e.Direct,
	})
}

func (c *core) close() { c.packer.close() }

// process gives what became enough to go on.
func (c *core) process(block *record.Block) output {
	span, err := c.worker.Lines(block)
	if err != nil {
		return output{err: fmt.Errorf("decoding %s: %w", block.Name, err)}
	}
	c.worker.Settle(span, span.First)
	c.input += len(block.Data)
	c.bundle += len(block.Data)
	if block.Roll != "" {
		return c.takeRoll(block)
	}
	if c.input >= flushInput || c.sessions.Fragments() >= flushFragments {
		return c.take(true)
	}
	if c.worker.Rows() >= flushRows || c.worker.Size() >= flushBytes {
		return c.take(false)
	}
	return output{}
}

// takeRoll gives the rows of a block, which are all of one roll, and their
// account. The aggregates of rolls add up until the bundle ends.
func (c *core) takeRoll(block *record.Block) (out output) {
	out.events, out.bad, out.late, out.raw = c.worker.Take()
	c.collect(out.events)
	c.vault.add(&out, out.events, c.worker.Forget)
	out.ofRoll(block, c.worker.TakeLedger())
	return out
}

// take gives the rows, and the aggregates if asked to.
func (c *core) take(aggregates bool) (out output) {
	out.events, out.bad, out.late, out.raw = c.worker.Take()
	c.collect(out.events)
	c.vault.add(&out, out.events, c.worker.Forget)
	if aggregates {
		c.takeAggregates(&out)
	}
	return out
}

// takeLast gives everything at the end of a bundle.
func (c *core) takeLast() (out output) {
	out.events, out.bad, out.late, out.raw = c.worker.TakeLast()
	c.collect(out.events)
	c.vault.add(&out, out.events, c.worker.Forget)
	c.takeAggregates(&out)
	if !c.live && c.bundle >= longBundle {
		c.forget()
	}
	c.bundle = 0
	return out
}

// forget frees what would make more of the same faster.
func (c *core) forget() {
	c.worker.Forget()
	c.rollups.clients.Forget()
	c.sessions.Forget()
	if c.funnels != nil {
		c.funnels.Forget()
	}
	c.packer.forget()
}

func (c *core) takeAggregates(out *output) {
	c.input = 0
	for _, p := range c.sessions.Flush(c.shards) {
		out.fragments = append(out.fragments, c.packed(out, strconv.Itoa(p.Shard), p.Blob))
	}
	if c.funnels != nil {
		for _, p := range c.funnels.Flush(c.shards) {
			out.funnels = append(out.funnels, c.packed(out, strconv.Itoa(p.Shard), p.Blob))
		}
	}
	c.rollups.take(c.live, func(key string, blob []byte) { out.partials = append(out.partials, c.packed(out, key, blob)) })
	if c.live {
		return // the blocks' rolls took it
	}
	var err error
	if out.ledger, err = json.Marshal(c.worker.TakeLedger()); err != nil {
		out.err = errors.Join(out.err, fmt.Errorf("writing the ledger: %w", err))
	}
}

func (c *core) packed(out *output, key string, blob []byte) keyed {
	b, err := c.packer.pack(blob)
	if err != nil && out.err == nil {
		out.err = err
	}
	return keyed{key, b}
}
