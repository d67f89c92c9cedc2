package transforms

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/maskkey"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/vault"
	"millrace/transforms/mask"
)

// secrets are the keys that a DoFn over blocks works with.
type secrets struct {
	maskkey.Ring
	vault maskkey.Key // of the vault; used with reversible tokens alone
}

// secrets resolves the references on the worker.
func (c Common) secrets(ctx context.Context) (s secrets, err error) {
	if s.Ring, err = c.keys(ctx); err != nil || !c.reversible() {
		return s, err
	}
	ring, err := maskkey.Resolve(ctx, c.VaultRef)
	if err != nil {
		return s, fmt.Errorf("key of the vault: %w", err)
	}
	s.vault = ring.Active()
	return s, nil
}

// reversible tells whether there is a vault.
func (c Common) reversible() bool { return c.Policy != nil && len(c.Policy.Reversible) > 0 }

// masking is how a core masks: with a masker of its own, and the escrow that it tells of
// reversible tokens, nil for none.
func (c Common) masking(keys secrets) (*mask.Masker, *vaultRows, error) {
	key := keys.Active()
	if !c.reversible() {
		return mask.New(key.ID(), key.Secret(), c.Policy.RowOptions(nil)), nil, nil
	}
	escrow, err := mask.NewEscrow(c.Policy, keys.vault.ID(), keys.vault.Secret())
	if err != nil {
		return nil, nil, err
	}
	return mask.New(key.ID(), key.Secret(), c.Policy.RowOptions(escrow.Tell)), &vaultRows{escrow, c}, nil
}

// vaultRows adds the rows of the vault to what a core has ready; nil adds none.
type vaultRows struct {
	escrow *mask.Escrow
	common Common
}

// add makes them of events, ready or waiting, that go out with an output. forget empties
// what the core remembers of masked texts.
func (v *vaultRows) add(out *output, events *table.Batch, forget func()) {
	if v == nil || events == nil {
		return
	}
	out.vault = v.escrow.Rows(events, v.common.within)
	if v.escrow.Full() {
		v.escrow.Forget()
		forget()
	}
}

// Vault takes the rows of the vault out of those of the raw archive, with which they
// come, PCollection<table.Rows> all: outputs raw and vault of a job, the latter with
// reversible tokens alone.
func (out Outputs) Vault(s beam.Scope, c Common) {
	if archive := out.Rows["raw"]; c.reversible() {
		out.Rows["raw"], out.Rows["vault"] = OfSchema(s, raw.Rows, archive), OfSchema(s, vault.Rows, archive)
	}
}
