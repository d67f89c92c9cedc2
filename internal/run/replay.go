package run

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"millrace/internal/progress"
	"millrace/internal/settings"
	"millrace/io/driver"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/io/refusal"
	"millrace/schemas/refused"
	"millrace/schemas/table"
)

// ReplayOptions say which refused rows of a lake are to be sent again.
type ReplayOptions struct {
	Lake    string
	Output  string   // whose rows
	URL     string   // where to send them; empty: where each was refused
	Reasons []string // only these; none: all
	From    string   // first UTC day of the rows, 2006-01-02; empty is open
	To      string   // last
	Again   bool     // rows that an earlier replay has delivered, too
	DryRun  bool     // only count
}

// Replayed is what came of a replay.
type Replayed struct {
	Options   ReplayOptions
	Found     int // refused rows that are meant, delivered ones included
	Before    int // of these, those that an earlier replay had delivered
	Delivered int
	Refused   int            // once more
	Why       map[string]int // rows by why they were refused: the last time, or when nothing is sent the first
}

// portion is how many rows are sent before it is noted that they were delivered.
const portion = 10_000

// Replay sends rows again that sinks have refused. What the sink takes is noted in
// the lake, so that the next replay leaves it out; rows are sent by id and version,
// so it does no harm that a replay is interrupted and repeated.
func Replay(ctx context.Context, o ReplayOptions) (Replayed, error) {
	r := Replayed{Options: o, Why: map[string]int{}}
	from, to, err := o.check()
	if err != nil {
		return r, err
	}
	store, err := lakeio.OpenStore(ctx, o.Lake)
	if err != nil {
		return r, &UsageError{err}
	}
	known, err := delivered(ctx, store, o.Output)
	if err != nil {
		return r, err
	}
	senders := map[sending]*sender{}
	defer func() {
		for _, s := range senders {
			s.abandon()
		}
	}()
	outputs := map[string]bool{}
	err = eachRefused(ctx, store, func(row *refused.Row) error {
		outputs[row.Output] = true
		day := table.FloorDay(int64(row.RowTime))
		if row.Output != o.Output || len(o.Reasons) > 0 && !slices.Contains(o.Reasons, row.Reason) || from != 0 && day < from || to != 0 && day > to {
			return nil
		}
		r.Found++
		if known[row.RefusedID] && !o.Again {
			r.Before++
			return nil
		}
		if o.DryRun {
			r.Why[why(row.Reason, row.Code, row.Message)]++
			return nil
		}
		at := sending{cmp.Or(o.URL, row.Sink), row.Schema}
		if senders[at] == nil {
			senders[at] = &sender{store: store, result: &r, to: at}
		}
		return senders[at].add(ctx, row)
	})
	for _, at := range slices.SortedFunc(maps.Keys(senders), func(a, b sending) int { return strings.Compare(a.url+a.schema, b.url+b.schema) }) {
		if err == nil {
			err = senders[at].end(ctx)
		}
	}
	if err == nil && r.Found == 0 && !outputs[o.Output] {
		others := slices.Sorted(maps.Keys(outputs))
		if len(others) == 0 {
			return r, usage("--sink %s: no sink has refused a row of %s", o.Output, store.Name(""))
		}
		return r, usage("--sink %s: none of its rows was refused; there are refused rows of %s%s", o.Output, strings.Join(others, ", "), settings.Suggest(o.Output, others))
	}
	return r, err
}

// check reports all faults at once.
func (o ReplayOptions) check() (from, to int64, err error) {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if o.Lake == "" {
		fault("--lake is missing: name the lake that lists the refused rows")
	}
	if o.Output == "" {
		fault("--sink is missing: name the output whose rows were refused, as in --output NAME=URL")
	}
	if o.URL != "" && !endpoint.IsSink(o.URL) {
		fault("--url %s: outputs can go to %s:// URLs", o.URL, strings.Join(endpoint.Sinks(), ":// and "))
	}
	for _, reason := range o.Reasons {
		if !slices.Contains(reasons, reason) {
			fault("--reason %s is unknown; there are %s", reason, strings.Join(reasons, ", "))
		}
	}
	if from, err = day(o.From); err != nil {
		fault("--from %s: %w", o.From, err)
	}
	if to, err = day(o.To); err != nil {
		fault("--to %s: %w", o.To, err)
	}
	if from != 0 && to != 0 && from > to {
		fault("--from %s lies after --to %s: exchange them", o.From, o.To)
	}
	if err := errors.Join(faults...); err != nil {
		return 0, 0, &UsageError{err}
	}
	return from, to, nil
}

// why is a reason as people read it.
func why(reason string, code *string, message string) string {
	text := reason
	if code != nil {
		text += " " + *code
	}
	if message, _, _ = strings.Cut(message, "\n"); message != "" {
		text += ": " + message
	}
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "") + " ..."
	}
	return text
}

// sending is one sink and the schema of what goes there.
type sending struct{ url, schema string }

// sender sends rows to one sink, portion by portion.
type sender struct {
	store  lakeio.Store
	result *Replayed
	to     sending

	sink    driver.Sink
	portion map[table.ID]table.ID // ids as listed, by the ids of the rows themselves
}

// itself is the id of a row that does not depend on the sink it went to.
func itself(rows table.Rows) table.ID { return refusal.Sink{}.ID(rows) }

func (s *sender) add(ctx context.Context, row *refused.Row) error {
	rows, err := refusal.Read(row)
	if err != nil {
		return err
	}
	if s.sink == nil {
		s.portion = map[table.ID]table.ID{}
		if s.sink, err = endpoint.OpenSink(ctx, s.to.url, rows.Batch.Schema(), driver.SinkOptions{Refused: s.refused}); err != nil {
			return err
		}
	}
	s.portion[itself(rows)] = row.RefusedID
	if err := s.sink.Write(ctx, rows); err != nil {
		return err
	}
	if len(s.portion) < portion {
		return nil
	}
	return s.settle(ctx)
}

// refused notes a row that the sink does not take this time, either.
func (s *sender) refused(r driver.RefusedRow) {
	delete(s.portion, itself(r.Rows))
	message := ""
	if r.Err != nil {
		message = r.Err.Error()
	}
	var code *string
	if r.Code != "" {
		code = &r.Code
	}
	s.result.Refused++
	s.result.Why[why(string(r.Reason), code, message)]++
}

// settle waits for the portion to be stored and notes what was.
func (s *sender) settle(ctx context.Context) error {
	if err := s.sink.Flush(ctx); err != nil {
		return err
	}
	ids := slices.SortedFunc(maps.Values(s.portion), func(a, b table.ID) int { return bytes.Compare(a[:], b[:]) })
	clear(s.portion)
	if len(ids) == 0 {
		return nil
	}
	s.result.Delivered += len(ids)
	return note(ctx, s.store, s.result.Options.Output, s.to.url, ids)
}

func (s *sender) end(ctx context.Context) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	sink := s.sink
	s.sink = nil
	return sink.Close(ctx)
}

// abandon ends what an error has left open.
func (s *sender) abandon() {
	if s.sink != nil {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.sink.Close(ended) // that it ends as cancelled is meant
	}
}

// replayNote is LAKE/_replays/<output>/<hash>.json: refused rows that a sink has
// taken since.
type replayNote struct {
	Output string    `json:"output"`
	Sink   string    `json:"sink"`
	Noted  time.Time `json:"noted"`
	Rows   int       `json:"rows"`
	IDs    []string  `json:"refused_ids"`
}

func replaysDir(output string) string { return path.Join("_replays", output) + "/" }

// note writes down which rows were delivered.
func note(ctx context.Context, s lakeio.Store, output, url string, ids []table.ID) error {
	n := replayNote{Output: output, Sink: url, Noted: time.Now().UTC(), Rows: len(ids)}
	sum := sha256.New()
	for _, id := range ids {
		sum.Write(id[:])
		n.IDs = append(n.IDs, hex.EncodeToString(id[:]))
	}
	return lakeio.WriteJSON(ctx, s, replaysDir(output)+hex.EncodeToString(sum.Sum(nil)[:16])+".json", n)
}

// delivered are the rows of an output that replays have delivered.
func delivered(ctx context.Context, s lakeio.Store, output string) (map[table.ID]bool, error) {
	known := map[table.ID]bool{}
	infos, err := s.List(ctx, replaysDir(output))
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		var n replayNote
		if err := lakeio.ReadJSON(ctx, s, info.Key, &n); err != nil {
			return nil, err
		}
		for _, text := range n.IDs {
			var id table.ID
			if k, err := hex.Decode(id[:], []byte(text)); err != nil || k != len(id) {
				return nil, fmt.Errorf("%w: %s names %q, which is no id", driver.ErrCorrupt, s.Name(info.Key), text)
			}
			known[id] = true
		}
	}
	return known, nil
}

// String is a table for people.
func (r Replayed) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	line := func(name string, n int) { fmt.Fprintf(w, "%s\t%s\n", name, progress.Count(int64(n))) }
	line("refused rows of "+r.Options.Output, r.Found)
	line("delivered by an earlier replay", r.Before)
	if !r.Options.DryRun {
		line("delivered now", r.Delivered)
		line("refused again", r.Refused)
	}
	_ = w.Flush() // a builder takes everything
	for _, reason := range slices.SortedFunc(maps.Keys(r.Why), func(a, b string) int { return cmp.Or(r.Why[b]-r.Why[a], strings.Compare(a, b)) }) {
		fmt.Fprintf(&b, "  %s of %s\n", progress.Of(int64(r.Why[reason]), "row"), reason)
	}
	return b.String()
}
