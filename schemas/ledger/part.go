package ledger

import (
	"fmt"

	"millrace/schemas/record"
)

// Part accounts for some of the records of a roll. The parts of a roll come in
// any order and add up to the roll's.
type Part struct {
	Roll   string        `json:"roll"`
	Ledger Ledger        `json:"ledger"`
	Close  *record.Close `json:"close,omitempty"` // known once the roll's end was read
	// Read is how many records the blocks had that this part is of. Where records are judged
	// later, by others, their part of the ledger can come before that which knows of the vault.
	Read int64 `json:"read,omitempty"`
	// Vault is how many rows the vault has of the events: one for each reversible token.
	// It is no part of the ledger, as these rows stand for no records.
	Vault int64 `json:"vault,omitempty"`
}

// Add adds another part of the same roll.
func (p *Part) Add(o Part) error {
	if p.Roll != o.Roll {
		return fmt.Errorf("adding a part of roll %s to roll %s", o.Roll, p.Roll)
	}
	p.Ledger.Add(o.Ledger)
	p.Read += o.Read
	p.Vault += o.Vault
	if o.Close != nil {
		if p.Close != nil && !p.Close.Same(*o.Close) {
			return fmt.Errorf("roll %s was closed twice, with %d records and with %d", p.Roll, p.Close.Records, o.Close.Records)
		}
		p.Close = o.Close
	}
	return nil
}

// Whole tells whether all of the roll's records are accounted for.
func (p *Part) Whole() bool { return p.Close != nil && p.Ledger.In >= p.Close.Records }

// Check reports a roll that does not add up once it is whole.
func (p *Part) Check() error {
	if faults := p.Ledger.faults(); len(faults) > 0 {
		return fmt.Errorf("roll %s: %s", p.Roll, p.Ledger.String())
	}
	if p.Close != nil && p.Ledger.In != p.Close.Records {
		return fmt.Errorf("roll %s: %d records came of the %d that it has", p.Roll, p.Ledger.In, p.Close.Records)
	}
	return nil
}
