package accesslog

import (
	"millrace/schemas/late"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/mask"
)

// put appends the masked row.
func (w *Worker) put(id table.ID, v *visitor, a *agent, path *page, ref *referrer) {
	b, l := w.events, &w.line
	b.PutUUID(weblog.EventID, id)
	b.PutInt(weblog.EventTime, l.Time)
	w.putMemo(weblog.EventVisitorID, &v.id)
	w.putMemo(weblog.EventClientIP, &v.network)
	w.putWord(weblog.EventMethod, l.Method)
	if path != nil {
		w.putMemo(weblog.EventPath, &path.text)
	} else {
		b.PutNull(weblog.EventPath)
	}
	putText(b, weblog.EventQuery, w.event.Query)
	w.putWord(weblog.EventProtocol, l.Protocol)
	b.PutInt(weblog.EventStatus, int64(l.Status))
	if l.Bytes >= 0 {
		b.PutInt(weblog.EventBytes, l.Bytes)
	} else {
		b.PutNull(weblog.EventBytes)
	}
	if ref != nil {
		w.putMemo(weblog.EventReferrer, &ref.text)
	} else {
		b.PutNull(weblog.EventReferrer)
	}
	w.putMemo(weblog.EventUserAgent, &a.text)
	b.PutBool(weblog.EventBot, a.note)
	b.PutBool(weblog.EventLate, w.behind > 0)
	if a.bot != "" {
		b.PadNulls(weblog.EventBotName, weblog.EventBotName)
		b.PutString(weblog.EventBotName, a.bot)
	}
	b.PutBool(weblog.EventPageView, w.event.PageView)
	if !l.User.Empty() {
		b.PadNulls(weblog.EventUser, weblog.EventUser)
		w.scratch = w.appendUser(w.scratch[:0], l.User)
		putText(b, weblog.EventUser, w.scratch)
	}
	if len(l.VHost) > 0 {
		b.PadNulls(weblog.EventHost, weblog.EventHost)
		w.putWord(weblog.EventHost, l.VHost)
	}
	if !l.Request.Empty() {
		b.PadNulls(weblog.EventRequest, weblog.EventRequest)
		w.scratch = w.appendText(w.scratch[:0], weblog.EventRequest, l.Request, mask.FreeText)
		putText(b, weblog.EventRequest, w.scratch)
	}
	b.PutCode(weblog.EventSource, w.srcCode)
	if w.sequence != "" {
		b.PadNulls(weblog.EventSequence, weblog.EventSequence)
		b.PutCode(weblog.EventSequence, w.seqCode)
	}
	b.PutInt(weblog.EventPosition, w.position)
	w.putDetail()
	w.putTold(v, a)
	b.EndRow()
}

// rare are the columns, first and last of each run of them, that most rows have nothing in: a row puts no
// null there, and padRare does for all rows that put nothing.
var rare = [][2]int{
	{weblog.EventBotName, weblog.EventBotName},
	{weblog.EventUser, weblog.EventRequest},
	{weblog.EventSequence, weblog.EventNetwork},
	{weblog.EventCodes, weblog.EventCodes},
}

// padRare fills those columns; events may be nil.
func padRare(events *table.Batch) {
	if events == nil {
		return
	}
	for _, r := range rare {
		events.PadNulls(r[0], r[1])
	}
}

// putRare appends a remembered text to one of those columns.
func (w *Worker) putRare(col int, t *text) {
	if len(t.masked) > 0 {
		w.events.PadNulls(col, col)
		w.putMemo(col, t)
	}
}

// putLate lists the event that was put among those that came late.
func (w *Worker) putLate(id table.ID) {
	w.late.Append(&late.Row{
		EventID: id, EventTime: table.Millis(w.line.Time), Source: w.block.Source, Sequence: orNull(w.sequence), Position: w.position, DelayMs: w.behind,
	})
}

// orNull is nil for an empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// putMemo appends a remembered text; its code is looked up once a batch.
func (w *Worker) putMemo(col int, t *text) {
	if len(t.masked) == 0 {
		w.events.PutNull(col)
		return
	}
	if t.batch != w.batch {
		t.batch, t.code = w.batch, w.events.Intern(col, t.masked)
	}
	w.events.PutCode(col, t.code)
}

// putText appends a text, null when empty.
func putText(b *table.Batch, col int, v []byte) {
	if len(v) == 0 {
		b.PutNull(col)
		return
	}
	b.PutText(col, v)
}

// putString appends a text, null when empty.
func putString(b *table.Batch, col int, s string) {
	if s == "" {
		b.PutNull(col)
		return
	}
	b.PutString(col, s)
}
