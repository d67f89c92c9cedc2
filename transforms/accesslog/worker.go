package accesslog

import (
	"bytes"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/ledger"
	"millrace/schemas/pii"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/attribution"
	"millrace/transforms/decode"
	"millrace/transforms/mask"
	"millrace/transforms/rollup"
	"millrace/transforms/security"
	"millrace/transforms/sessions"
)

// Bots tells bots by their user agent, and why; enrich.Bots does.
type Bots interface {
	Why(userAgent []byte) (name, reason string, bot bool)
}

// Config says what a worker does.
type Config struct {
	Masker *mask.Masker
	// Policy, when set, says what becomes of single fields; Masker is of its options.
	Policy *mask.Policy
	Bots   Bots
	// References, when set, are what events are enriched from.
	References *References
	// Attribution, when set, says where requests come from. It is this worker's own.
	Attribution *attribution.Attributor
	// From and To bound the UTC days to write, in days since the Unix epoch; 0
	// is open. Events up to a day outside still feed sessions.
	From, To int64
	// After is how many days after To are given by TakeBeyond.
	After int64
	// Keep, when set, is given every record for the raw archive and returns the
	// payload to store and the id of the key that seals it ("" for none). sequence
	// is empty for records of files.
	Keep func(dst, line []byte, source record.Identity, sequence string, position int64) (payload []byte, keyID string)
	// Open appends a record that Keep sealed under the named key to dst.
	Open func(dst, payload []byte, keyID string, source record.Identity, sequence string, position int64) ([]byte, error)
	// Count is told of every event in the bounds, Visit of every event in the
	// bounds or up to a day outside; neither of one that came late.
	Count func(*Event)
	Visit func(*Event)
	// Suspect, when set, is told of every event that Count is told of and that can be
	// part of an attack, as Classifier says. The latter is this worker's own.
	Suspect    func(time int64, source security.Source, counts *security.Counts)
	Classifier *security.Classifier
}

// Event is what the aggregates of an event need.
type Event struct {
	Time     int64 // Unix milliseconds
	Position int64
	Source   string // of a stream record with a slash and its sequence number: orders events of the same time, with Position
	Visitor  sessions.Visitor
	Path     []byte // masked; empty when the request cannot be read
	Query    []byte // masked
	Referrer []byte // masked
	Status   int32
	Bytes    int64 // 0 when not logged
	Took     int64 // microseconds; -1 when not logged
	PageView bool
	Bot      bool
	BotName  string
	Client   *rollup.Client // what the visitor is by reference data; nil without
	// Session, ClientSeen and MinuteSeen remember the visitor for the tables of one core,
	// PageSeen the path.
	Session    *sessions.Seen
	ClientSeen *rollup.ClientSeen
	MinuteSeen *rollup.MinuteSeen
	PageSeen   *rollup.PageSeen // nil without a path
	Touch      []byte           // where it came from, as sessions.Event has it; with Config.Attribution
	Direct     bool
}

// Worker processes lines. One goroutine uses it.
type Worker struct {
	Config
	// Rows made since the last Take.
	events, bad, late, raw *table.Batch
	another                func() *table.Batch // makes the next batch of events with room for as many; nil for none
	beyond                 *table.Batch        // events after To, see TakeBeyond; nil for none
	// Ledger of everything since the last TakeLedger.
	ledger ledger.Ledger

	masker *mask.Masker
	policy []mask.Treatment // by column of events
	bots   Bots
	parser decode.Parser
	reads  reading
	line   decode.AccessLog
	event  Event

	agents    map[string]*agent
	referrers map[string]*referrer
	campaigns map[string]*touch
	pages     map[string]*page
	visitors  visitors
	numbers   uint32 // of agents so far
	clients   map[rollup.Client]*rollup.Client
	look      lookups
	direct    touch
	key       []byte // scratch of campaigns
	unsaid    agent  // of lines whose layout has no user agent: nobody is a bot
	batch     uint32 // number of the present events batch, never 0
	scratch   []byte
	wordText  []byte
	counts    security.Counts // of the line in hand, see suspect

	block   *record.Block
	source  record.Identity
	srcCode uint32
	span    Span
	fault   error // that ends the run

	// Of the record being read:
	place
	filed   int64  // time under which it was filed before; unfiled when never
	behind  int64  // how late it came, in milliseconds; 0 in time
	opened  []byte // itself, when it came sealed
	seqCode uint32 // of its sequence number in events
}

// place is where a record stands in its source and when it came from there.
type place struct {
	sequence string // of the stream record; empty in a file
	position int64
	arrival  int64 // Unix milliseconds; 0 when nobody knows
}

// Span is what a call of Lines saw.
type Span struct {
	First, Last int64 // event time of the first and last readable line, in their order; 0 when there was none
	waiting     []refused
}

// refused is a bad record that no readable line preceded in its call: the time
// under which it is filed is not known yet.
type refused struct {
	place
	reason badrow.Reason
	line   []byte // view of the block
	length int64
}

// New makes a worker.
func New(c Config) *Worker {
	w := &Worker{Config: c, masker: c.Masker, policy: c.Policy.Treatments(weblog.Events, Fields()), bots: c.Bots}
	w.Forget()
	w.fresh()
	if w.Attribution != nil {
		t := w.Attribution.Touch(attribution.Request{})
		w.direct = *w.newTouch(&t)
	}
	return w
}

// Forget empties the worker's memory of texts it has met. It costs time when
// more lines follow.
func (w *Worker) Forget() {
	clear(w.reads.texts[:])
	w.agents, w.referrers, w.campaigns, w.pages, w.visitors = map[string]*agent{}, map[string]*referrer{}, map[string]*touch{}, map[string]*page{}, newVisitors()
	w.clients = map[rollup.Client]*rollup.Client{}
	clear(w.look.coded) // the tables stay
}

func (w *Worker) fresh() {
	w.events, w.bad, w.late, w.raw = table.NewBatch(weblog.Events), table.NewBatch(badrow.Rows), table.NewBatch(late.Rows), table.NewBatch(raw.Rows)
	w.batch++
}

// Rows is the number of rows waiting to be taken, Size their memory in bytes.
func (w *Worker) Rows() int { return w.events.Len() + w.bad.Len() + w.late.Len() + w.raw.Len() }

// Size estimates the memory of the waiting rows in bytes.
func (w *Worker) Size() int {
	size := w.events.Size() + w.bad.Size() + w.late.Size() + w.raw.Size()
	if w.beyond != nil {
		size += w.beyond.Size()
	}
	return size
}

// Take hands over the waiting rows; the worker begins new batches with room for
// as many.
func (w *Worker) Take() (events, bad, late, raw *table.Batch) {
	padRare(w.events)
	events, bad, late, raw = w.events, w.bad, w.late, w.raw
	w.events, w.bad, w.late, w.raw = events.Fresh(), bad.Fresh(), late.Fresh(), raw.Fresh()
	w.batch++
	return events, bad, late, raw
}

// TakeLast is Take when it may be the last time: the new batches take no memory before there
// are lines.
func (w *Worker) TakeLast() (events, bad, late, raw *table.Batch) {
	padRare(w.events)
	events, bad, late, raw = w.events, w.bad, w.late, w.raw
	w.another = events.Another()
	w.fresh()
	return events, bad, late, raw
}

// TakeLedger hands over the ledger and begins a new one.
func (w *Worker) TakeLedger() ledger.Ledger {
	l := w.ledger
	w.ledger = ledger.Ledger{}
	return l
}

// Lines processes the records of a block, which must stay as it is until Settle
// is called with the neighbouring time.
func (w *Worker) Lines(b *record.Block) (Span, error) {
	id, err := record.ParseIdentity(b.Source)
	if err != nil {
		return Span{}, err
	}
	if w.another != nil {
		if w.events.Len() == 0 {
			w.events = w.another()
		}
		w.another = nil
	}
	w.block, w.source, w.span = b, id, Span{}
	if err := w.read(b.Format); err != nil {
		return Span{}, err
	}
	if err := w.refer(); err != nil {
		return Span{}, err
	}
	w.srcCode = w.events.Intern(weblog.EventSource, []byte(b.Source))
	w.event.Source = b.Source
	w.place, w.filed, w.behind = place{arrival: b.Arrival}, unfiled, 0
	if b.Duplicate {
		n := int64(b.Records())
		w.ledger.In += n
		w.ledger.Duplicate += n
		return w.span, nil
	}
	switch {
	case b.Ends != nil:
		err = w.records(b)
	case b.Oversize > 0:
		w.ledger.In++
		w.position = b.Base
		if ms, ok := w.reads.eventTime(b.Data); ok {
			w.filed = ms // its beginning has a time of its own
		}
		w.refuse(badrow.TooLong, b.Data, b.Oversize)
	default:
		lines := decode.NewLines(b.Data, b.Base)
		for line, position, ok := lines.Next(); ok; line, position, ok = lines.Next() {
			w.ledger.In++
			w.position = position
			w.guarded(line)
		}
	}
	if err == nil {
		err = w.fault
	}
	return w.span, err
}

// guarded turns a panic on one record into a bad row.
func (w *Worker) guarded(line []byte) {
	events, bad, late, raw := w.events.Len(), w.bad.Len(), w.late.Len(), w.raw.Len()
	before := w.ledger
	defer func() {
		if r := recover(); r != nil {
			w.events.Rewind(events)
			w.bad.Rewind(bad)
			w.late.Rewind(late)
			w.raw.Rewind(raw)
			w.ledger.Events, w.ledger.Skipped, w.ledger.Late = before.Events, before.Skipped, before.Late
			w.refuse(badrow.Panic, line, int64(len(line)))
		}
	}()
	w.one(line)
}

func (w *Worker) one(line []byte) {
	skip, reason := w.decode(line)
	if skip {
		w.ledger.Skipped++
		return
	}
	if reason == badrow.None {
		reason = decode.CheckArrival(w.line.Time, w.arrival)
	}
	if reason != badrow.None {
		w.refuse(reason, line, int64(len(line)))
		return
	}
	l := &w.line
	if w.span.First == 0 {
		w.span.First = l.Time
	}
	w.span.Last = l.Time
	day := table.FloorDay(l.Time)
	if (w.From != 0 && day < w.From-1) || (w.To != 0 && day > w.To+max(1, w.After)) {
		w.ledger.Skipped++
		return
	}
	inside := (w.From == 0 || day >= w.From) && (w.To == 0 || day <= w.To)
	agent := w.agent(l)
	v := w.visitor(l.Client, l.Addr, l.UserAgent, agent)
	if (w.look.missing || v.fault != nil) && w.unlooked(v, line) {
		return
	}
	e := &w.event
	e.Time, e.Position, e.Visitor = l.Time, w.position, v.Visitor
	e.Status, e.Bytes, e.Bot, e.BotName = l.Status, max(l.Bytes, 0), agent.note, agent.bot
	e.Client, e.Took, e.Session, e.ClientSeen, e.MinuteSeen = v.client, w.took(), &v.session, &v.counted, &v.minute
	path, query := w.target(l.Target)
	e.Path, e.PageSeen, e.Query, e.PageView = nil, nil, query, false
	if path != nil {
		e.Path, e.PageSeen = path.masked, &path.seen
		e.PageView = !path.asset && string(l.Method) == "GET" && (l.Status >= 200 && l.Status < 300 || l.Status == 304)
	}
	var ref *referrer
	e.Referrer = nil
	if !l.Referrer.Empty() {
		ref = w.referrer(l.Referrer)
		e.Referrer = ref.masked
	}
	if w.behind == 0 && (w.To == 0 || day <= w.To+1) {
		if w.Attribution != nil {
			from := w.touch(l, path, ref)
			e.Touch, e.Direct = from.texts, from.direct
		}
		w.Visit(e)
	}
	if !inside {
		if w.behind == 0 && w.To != 0 && day > w.To && day <= w.To+w.After {
			w.putBeyond(v, agent, path, ref)
		}
		w.ledger.Skipped++
		return
	}
	id := table.ID(record.EventID(w.source, w.sequence, w.position))
	w.put(id, v, agent, path, ref)
	w.keep(w.place, line, l.Time, int64(len(line)))
	if w.behind == 0 {
		w.suspect(l, v, agent, path)
		w.Count(e)
	} else {
		w.putLate(id)
		w.ledger.Late++
	}
	w.ledger.Events++
}

// target splits path and query, masked. A request line that could not be read
// has neither.
func (w *Worker) target(t pii.Text) (path *page, query []byte) {
	b := pii.Reveal(t)
	if len(b) == 0 {
		return nil, nil
	}
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		w.scratch = w.appendText(w.scratch[:0], weblog.EventQuery, pii.Of(b[i+1:]), mask.Query)
		query = w.scratch
		b = b[:i]
	}
	return w.page(b), query
}
