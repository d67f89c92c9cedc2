package mask

import (
	"bytes"
	"slices"

	"millrace/schemas/table"
	"millrace/schemas/vault"
)

// Escrow makes the rows of a vault: a row for each event and reversible token in it.
// It hears of the tokens as they are made (Options.Reversible) and looks for them in
// the finished rows, so that a masked text that is remembered and put into many rows
// counts in each. Not for concurrent use.
type Escrow struct {
	vault  *Vault
	keyID  string
	types  map[string]bool   // of reversible tokens, as tokens spell them
	sealed map[string][]byte // by token
}

// maxSealed bounds what an Escrow remembers; beyond it Full tells to begin anew.
const maxSealed = 1 << 17

// NewEscrow makes one for the classes that a policy calls reversible, with the vault's
// key; nil when there are none.
func NewEscrow(p *Policy, keyID string, key [32]byte) (*Escrow, error) {
	if p == nil || len(p.Reversible) == 0 {
		return nil, nil
	}
	v, err := NewVault(key)
	if err != nil {
		return nil, err
	}
	e := &Escrow{vault: v, keyID: keyID, types: map[string]bool{}, sealed: map[string][]byte{}}
	for _, c := range p.Reversible {
		e.types[c.tokenName()] = true
	}
	return e, nil
}

// Tell is for Options.Reversible.
func (e *Escrow) Tell(token []byte, typ string, value []byte) {
	if !e.types[typ] {
		return
	}
	if _, known := e.sealed[string(token)]; !known {
		e.sealed[string(token)] = e.vault.Append(nil, token, value)
	}
}

// Full tells that much is remembered: forget it with Forget, together with every masked
// text that is remembered elsewhere, and not while rows wait that Rows has not seen.
func (e *Escrow) Full() bool { return len(e.sealed) >= maxSealed }

// Forget empties the memory of tokens.
func (e *Escrow) Forget() { clear(e.sealed) }

// Rows makes the vault's rows of events, whose schema has one id and one time by which
// days are told; those of days that within does not want are left out.
func (e *Escrow) Rows(events *table.Batch, within func(day int64) bool) *table.Batch {
	out := table.NewBatch(vault.Rows)
	if len(e.sealed) == 0 || events.Len() == 0 {
		return out
	}
	s := events.Schema()
	id := slices.IndexFunc(s.Columns, func(c table.Column) bool { return c.Kind == table.UUID })
	type column struct {
		number int
		codes  []uint32
		tokens [][]string // by code
	}
	var columns []column
	for i, c := range s.Columns {
		if c.Kind != table.String || c.Mask != table.MaskToken && c.Mask != table.MaskScanned && c.Mask != table.MaskTruncated {
			continue
		}
		codes, distinct := events.Codes(i)
		col := column{number: i, codes: codes, tokens: make([][]string, distinct)}
		some := false
		for code := range col.tokens {
			col.tokens[code] = e.in(events.DictValue(i, uint32(code)))
			some = some || col.tokens[code] != nil
		}
		if some {
			columns = append(columns, col)
		}
	}
	var tokens []string // of a row
	for row := range events.Len() {
		if !within(events.DayOf(row)) {
			continue
		}
		tokens = tokens[:0]
		for _, c := range columns {
			if !events.Null(c.number, row) {
				tokens = append(tokens, c.tokens[c.codes[row]]...)
			}
		}
		slices.Sort(tokens)
		for _, token := range slices.Compact(tokens) {
			out.PutInt(vault.EventTime, events.Int(s.DayBy, row))
			out.PutString(vault.Token, token)
			out.PutUUID(vault.EventID, events.UUID(id, row))
			out.PutString(vault.KeyID, e.keyID)
			out.PutText(vault.Sealed, e.sealed[token])
			out.EndRow()
		}
	}
	return out
}

// in lists the known tokens in a text.
func (e *Escrow) in(text []byte) (tokens []string) {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(tokenHead))
		if i < 0 {
			return tokens
		}
		at += i
		end := tokenEnd(text, at)
		if end < 0 {
			at += len(tokenHead)
			continue
		}
		if _, known := e.sealed[string(text[at:end])]; known {
			tokens = append(tokens, string(text[at:end]))
		}
		at = end
	}
}
