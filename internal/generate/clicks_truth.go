package generate

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ClickTruth is what a shop did, and so what a job that reads its events must find.
// Amounts are in minor units by currency.
type ClickTruth struct {
	Lines          int64            `json:"lines"`
	Events         int64            `json:"events"` // without the duplicates
	Duplicates     int64            `json:"duplicates"`
	Bad            map[string]int64 `json:"bad"`                // by reason
	Sessions       int64            `json:"sessions,omitempty"` // of visitors who agreed to analytics; not told of an OpenShop
	Names          map[string]int64 `json:"names"`
	Gross          map[string]int64 `json:"gross"`
	Refunded       map[string]int64 `json:"refunded"`
	AbandonedCarts int64            `json:"abandoned_carts,omitempty"` // not told of an OpenShop
	Items          int              `json:"items"`
	Family         int              `json:"family"` // items so many in a row go together
	Incidents      []ClickIncident  `json:"incidents,omitempty"`
}

func (t *ClickTruth) count(s *Shop, c *click) {
	t.Events++
	t.Names[c.name]++
	switch c.name {
	case "purchase":
		t.Gross[currency(c.visitor)] += c.value
	case "refund":
		t.Refunded[currency(c.visitor)] += c.value
	}
	t.Items, t.Family = s.cfg.Items, family
}

// Truth is that of the lines given so far.
func (s *Shop) Truth() ClickTruth { return s.truth }

// clickCanaries are the types of values that are planted, by their names in
// canaryTypes.
var clickCanaries = []string{"email", "card_number", "user", "client_address"}

// clickPlanter plants each value once.
type clickPlanter struct {
	seed    uint64
	each    int
	planted [4]int
}

func newClickPlanter(cfg *ClickConfig) clickPlanter {
	return clickPlanter{seed: mix(cfg.Seed ^ 0xca9a48), each: cfg.Canaries}
}

// next is the number plus 1 of the value to plant in an event, 0 for none.
func (p *clickPlanter) next(c *click) int {
	if c.server || p.each == 0 {
		return 0
	}
	kind := int(c.number) % len(clickCanaries)
	if c.name == "search" {
		kind = 1
	} else if kind == 1 {
		return 0
	}
	if p.planted[kind] >= p.each {
		return 0
	}
	p.planted[kind]++
	return 1 + kind + len(clickCanaries)*(p.planted[kind]-1)
}

// text is the value of a type that is planted in the event, else another text.
func (p *clickPlanter) text(c *click, kind, otherwise string) string {
	if c.canary == 0 || clickCanaries[(c.canary-1)%len(clickCanaries)] != kind {
		return otherwise
	}
	return p.value(kind, (c.canary-1)/len(clickCanaries))
}

func (p *clickPlanter) value(kind string, i int) string {
	for k := range canaryTypes {
		if canaryTypes[k].name == kind {
			r := newRNG(p.seed, uint64(k)<<32|uint64(i))
			return canaryTypes[k].make(&r, i)
		}
	}
	return ""
}

// Canaries lists the values planted so far, by type.
func (s *Shop) Canaries(yield func(Canary) bool) {
	for kind, name := range clickCanaries {
		for i := range s.canaries.planted[kind] {
			if !yield(Canary{name, s.canaries.value(name, i)}) {
				return
			}
		}
	}
}

// WriteShop writes the events of a shop into a folder, events.ndjson or
// events.ndjson.gz, and beside them truth.json and, with canaries,
// truth_canaries.txt: type, tab and value a line. Equal configurations give equal bytes.
func WriteShop(dir string, cfg ClickConfig) (ClickTruth, error) {
	s := NewShop(cfg)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return ClickTruth{}, err
	}
	name := "events.ndjson"
	if cfg.Gzip {
		name += ".gz"
	}
	if err := writeTo(filepath.Join(dir, name), cfg.Gzip, func(w io.Writer) (err error) {
		for line := range s.Lines {
			if _, err = w.Write(line); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return ClickTruth{}, err
	}
	return s.Truth(), s.WriteTruth(dir)
}

// WriteTruth writes what is true of the lines given so far into a folder: truth.json
// and, with canaries, truth_canaries.txt.
func (s *Shop) WriteTruth(dir string) error {
	truth, err := json.MarshalIndent(s.Truth(), "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "truth.json"), append(truth, '\n'), 0o644)
	}
	if err == nil && s.cfg.Canaries > 0 {
		err = writeTo(filepath.Join(dir, "truth_canaries.txt"), false, func(w io.Writer) (err error) {
			for c := range s.Canaries {
				if _, err = fmt.Fprintf(w, "%s\t%s\n", c.Type, c.Value); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}

func writeTo(path string, compress bool, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errorsFirst(err, f.Close()) }()
	b := bufio.NewWriterSize(f, 1<<16)
	if !compress {
		if err = write(b); err != nil {
			return err
		}
		return b.Flush()
	}
	z := gzip.NewWriter(b)
	if err = write(z); err == nil {
		err = z.Close()
	}
	return errorsFirst(err, b.Flush())
}

func errorsFirst(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
