package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"millrace/schemas/record"
)

// Break is where the rolls of a shard do not follow one another as links of a
// chain, each beginning where the one before ended. It is about the stream
// records after one sequence number and up to another, that one included.
type Break struct {
	Kind  BreakKind
	Shard string // identity
	Roll  string // at which it shows
	After string // empty: from the first record of the shard
	Last  string // empty when it is not known
}

// BreakKind says in which way rolls do not follow one another.
type BreakKind string

// Kinds of breaks.
const (
	Hole       BreakKind = "hole"       // no roll accounts for the records
	Overlap    BreakKind = "overlap"    // two or more do
	Loss       BreakKind = "loss"       // the stream dropped what there was before it was read
	Beginning  BreakKind = "beginning"  // the first roll follows one that is not there: the list is a part, or a roll is missing
	Unfinished BreakKind = "unfinished" // the end of the roll was not read
)

// String is a line for people.
func (b Break) String() string {
	what := map[BreakKind]string{
		Hole: "no roll accounts for", Overlap: "more than one roll accounts for", Loss: "the stream dropped, before they were read,",
		Beginning: "the list begins without",
	}[b.Kind]
	if b.Kind == Unfinished {
		return fmt.Sprintf("%s: roll %s of shard %s has no end", b.Kind, b.Roll, b.Shard)
	}
	after := " after " + b.After
	if b.After == "" {
		after = ""
	}
	return fmt.Sprintf("%s: %s the records of shard %s%s up to %s (seen at roll %s)", b.Kind, what, b.Shard, after, cmp.Or(b.Last, "its end"), b.Roll)
}

// Chain finds the breaks between rolls, given all of one or of many shards, each
// roll as one part, in any order. None means that every stream record from where
// the reading of a shard began up to its last roll is accounted for exactly once.
// Whether a roll adds up in itself is Part.Check's. It fails for a roll that
// contradicts itself.
func Chain(rolls []Part) ([]Break, error) {
	shards := map[string][]claim{}
	var names []string
	var breaks []Break
	for i := range rolls {
		c, err := claimOf(&rolls[i])
		if err != nil {
			return nil, err
		}
		if _, known := shards[c.shard]; !known {
			names = append(names, c.shard)
		}
		shards[c.shard] = append(shards[c.shard], c)
	}
	slices.Sort(names)
	for _, name := range names {
		breaks = append(breaks, chain(shards[name])...)
	}
	return breaks, nil
}

// claim is what a roll says it accounts for: the records after one and up to
// another. What lies between two records that the shard gave one after the other
// holds no record, so the second roll's claim begins where the first one's ends.
type claim struct {
	shard, roll string
	after, last string
	first       string
	fresh, lost bool // whether reading began with it; whether records before first were lost
	open, empty bool
}

func claimOf(p *Part) (claim, error) {
	shard, first, err := record.ParseRoll(p.Roll)
	if err != nil {
		return claim{}, err
	}
	c := claim{shard: shard.String(), roll: p.Roll, first: first, open: p.Close == nil}
	if c.open {
		return c, nil
	}
	c.after, c.last, c.fresh, c.lost = p.Close.After, p.Close.Last, p.Close.After == "", p.Close.Lost
	if p.Close.Records == 0 && p.Close.First == "" { // the shard ended with nothing more
		c.first, c.last, c.empty = c.after, c.after, true
		return c, nil
	}
	if p.Close.First != first || c.last < first || c.after >= first {
		return claim{}, fmt.Errorf("roll %s contradicts itself: it runs from %s to %s, after %q", p.Roll, p.Close.First, c.last, c.after)
	}
	if c.fresh && !c.lost {
		c.after = before(first)
	}
	return c, nil
}

// chain walks the claims of a shard in the order in which they begin.
func chain(claims []claim) (breaks []Break) {
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(strings.Compare(a.after, b.after), strings.Compare(a.last, b.last), strings.Compare(a.roll, b.roll))
	})
	add := func(kind BreakKind, c claim, after, last string) {
		breaks = append(breaks, Break{Kind: kind, Shard: c.shard, Roll: c.roll, After: after, Last: last})
	}
	covered, begun := "", false
	for _, c := range claims {
		if c.open {
			add(Unfinished, c, before(c.first), "")
			continue
		}
		switch {
		case !begun && !c.fresh:
			add(Beginning, c, "", c.after)
		case begun && c.after > covered:
			add(Hole, c, covered, c.after)
		case begun && c.after < covered && !c.empty:
			add(Overlap, c, c.after, min(covered, c.last))
		}
		if c.lost {
			add(Loss, c, c.after, lostUpTo(c))
		}
		covered, begun = max(covered, c.last), true
	}
	return breaks
}

// lostUpTo is the last record that can be lost; it is not known at the end of a
// shard.
func lostUpTo(c claim) string {
	if c.empty {
		return ""
	}
	return before(c.first)
}

// before is the sequence number one less, empty for that of 0.
func before(sequence string) string {
	digits := []byte(sequence)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] > '0' {
			digits[i]--
			return string(digits)
		}
		digits[i] = '9'
	}
	return ""
}
