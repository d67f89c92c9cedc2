package transforms

import (
	"context"
	"slices"

	"millrace/internal/maskkey"
	"millrace/transforms/mask"
)

// Common is what the transforms of a run share. It travels with the pipeline and
// holds no secret.
type Common struct {
	Run       string
	KeyRef    string // masking key by reference, resolved in Setup on the worker
	Raw       string // "off", "plain" or "sealed"
	From, To  int64  // UTC days to write, days since the Unix epoch; 0 is open
	Revisions map[int64]int32
	// Spill is a folder of this machine for aggregates on their way through a
	// shuffle; when empty the runner carries them.
	Spill string
	// Replay begins the command that computes rows of days again; --from and --to are
	// put behind it. Empty where nobody knows one.
	Replay string
	// Policy, when set, says how fields are masked, where not in the job's own way.
	Policy *mask.Policy `json:",omitempty"`
	// VaultRef is the key of the vault by reference, which a policy with reversible
	// tokens needs.
	VaultRef string `json:",omitempty"`
	// Only are the outputs that are asked for; all when empty. What serves no other is
	// not computed.
	Only []string
	// Live is set when records keep coming.
	Live *Live
}

// Makes tells whether one of the outputs is asked for.
func (c Common) Makes(outputs ...string) bool {
	return len(c.Only) == 0 || slices.ContainsFunc(outputs, func(o string) bool { return slices.Contains(c.Only, o) })
}

// Also asks for another output, if not for all.
func (c Common) Also(output string) Common {
	if !c.Makes(output) {
		c.Only = append(slices.Clone(c.Only), output)
	}
	return c
}

// Keys of which there are very many, as visitors, subjects or ids, cross a shuffle and lie
// in state by the shard.
const (
	// batchShards keep what is folded at a time small.
	batchShards = 64
	// LiveShards is how many a live run has. Each costs an element of every bundle that has something for it, and calls
	// of state. More of them than subtasks serve nothing; by default there are 16 of these at most.
	LiveShards = 16
)

// shards is how many there are. It is part of each savepoint.
func (c Common) shards() int {
	if c.Live != nil {
		return LiveShards
	}
	return batchShards
}

// local tells whether a batch runs on one machine, whose files all steps see.
func (c Common) local() bool { return c.Live == nil && c.Spill != "" }

// within tells whether a day is to be written.
func (c Common) within(day int64) bool {
	return c.near(day, 0, 0)
}

// near tells whether it is, or lies so many days before or after those that are.
func (c Common) near(day, before, after int64) bool {
	return (c.From == 0 || day >= c.From-before) && (c.To == 0 || day <= c.To+after)
}

func (c Common) revision(day int64) int32 { return c.Revisions[day] }

func (c Common) keys(ctx context.Context) (maskkey.Ring, error) {
	return maskkey.Resolve(ctx, c.KeyRef)
}
