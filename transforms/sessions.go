package transforms

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/sessions"
)

func init() {
	beam.RegisterType(reflect.TypeFor[sessionsFn]())
}

// Sessions puts visitors' fragments together, KV<visitor shard, encoded
// fragments> in the global window, and gives session rows, PCollection<table.Rows>
// of weblog.Sessions, a shard at a time. In batch all rows are sealed. A live run
// also gives rows that can still change, and after them the sealed ones.
func Sessions(s beam.Scope, c Common, opt sessions.Options, fragments beam.PCollection) (rows, provisional beam.PCollection) {
	s = s.Scope("Sessions")
	if c.Live != nil {
		return beam.ParDo2(s, newLiveSessionsFn(c, opt), fragments)
	}
	return beam.ParDo(s, &sessionsFn{Common: c, Options: opt}, beam.GroupByKey(s, fragments)), beam.PCollection{}
}

type sessionsFn struct {
	Common  Common
	Options sessions.Options
}

func (fn *sessionsFn) ProcessElement(_ context.Context, shard string, next func(*[]byte) bool, emit func(table.Rows)) error {
	// A fresh one for each shard: one that is used again keeps for each visitor the
	// most that any shard had in its place, which over a long time is much.
	sessionizer, err := sessions.NewSessionizer(fn.Options, fn.Common.revision)
	if err != nil {
		return err
	}
	for b := []byte(nil); next(&b); b = nil {
		blob, err := unpack(b)
		if err == nil {
			err = sessionizer.Add(blob)
		}
		if err != nil {
			return fmt.Errorf("sessions of visitor shard %s: %w", shard, err)
		}
	}
	rows := table.NewBatch(weblog.Sessions)
	for _, one := range sessionizer.Sessions() {
		if fn.Common.within(table.FloorDay(one.Start)) {
			putSession(rows, &one)
		}
	}
	if rows.Len() > 0 {
		emit(table.Rows{Batch: rows})
	}
	return nil
}

func putSession(b *table.Batch, s *sessions.Session) {
	b.PutString(weblog.SessionID, s.ID)
	b.PutString(weblog.SessionVisitorID, s.Visitor)
	b.PutInt(weblog.SessionStartTime, s.Start)
	b.PutInt(weblog.SessionEndTime, s.End)
	b.PutInt(weblog.SessionEvents, s.Events)
	b.PutInt(weblog.SessionPageViews, s.Pages)
	putKnown(b, weblog.SessionEntryPage, s.Entry, s.Pages > 0)
	putKnown(b, weblog.SessionExitPage, s.Exit, s.Pages > 0)
	b.PutBool(weblog.SessionBounce, s.Bounce)
	b.PutInt(weblog.SessionVersion, s.Version)
	b.PutInt(weblog.SessionDurationMs, s.Duration())
	b.PutBool(weblog.SessionEngaged, s.Engaged)
	b.PutBool(weblog.SessionBot, s.Bot)
	b.PutBool(weblog.SessionTruncated, s.Truncated)
	putOrigin(b, s)
	b.EndRow()
}

func putKnown(b *table.Batch, col int, text string, known bool) {
	if known {
		b.PutString(col, text)
	} else {
		b.PutNull(col)
	}
}
