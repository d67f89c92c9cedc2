package influxio

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func TestAnOutageLosesNothing(t *testing.T) {
	server := testenv.Influx(t)
	proxy := testenv.Toxiproxy(t, server.Addr)
	proxy.Cut(t) // also before the first call
	s := open(t, "influx://"+proxy.Addr+"/"+server.Database+"?rows=10&timeout=2s", weblog.TrafficRows, driver.SinkOptions{})
	written := make(chan error, 1)
	go func() {
		var rows []any
		for i := range 200 {
			rows = append(rows, weblog.Traffic{WindowStart: table.Millis(i * 1000), WindowSeconds: 1, StatusClass: "2xx", Version: 1})
		}
		written <- s.write(t, table.Sealed, rows...)
	}()
	fails := func() {
		for before := s.Stats().Faults; s.Stats().Faults == before && s.Stats().Stored+s.Stats().Stale < 200; {
			time.Sleep(poll)
		}
	}
	for range 3 {
		fails()
		proxy.Mend(t)
		proxy.Toxic(t, "limit_data", map[string]any{"bytes": 300}) // broken off amid answers
		fails()
		proxy.Heal(t, "limit_data")
		proxy.Toxic(t, "timeout", map[string]any{"timeout": 0}) // nothing comes back
		fails()
		proxy.Heal(t, "timeout")
		proxy.Cut(t)
	}
	proxy.Mend(t)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := server.Query(t, `SELECT count("views") FROM "traffic"`); fmt.Sprint(got[0].Values[0][1]) != "200" {
		t.Errorf("stored are %v; stats %+v", got, s.Stats())
	}
}

func TestARestartedServerIsWaitedFor(t *testing.T) {
	server := testenv.Influx(t)
	s := open(t, at(server, "timeout=2s"), letters, driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, rowsOf("a")...)
	server.Stop()
	written := make(chan error, 1)
	go func() { written <- s.write(t, table.Sealed, rowsOf("bc")...) }()
	for s.Stats().Faults == 0 {
		time.Sleep(poll)
	}
	server.Start(t)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := len(values(t, server, "n", "letters", "name")); got != 3 {
		t.Errorf("%d of 3 rows are stored", got)
	}
}

func TestCancelEndsCallsAtOnce(t *testing.T) {
	server := testenv.Influx(t)
	proxy := testenv.Toxiproxy(t, server.Addr)
	proxy.Toxic(t, "timeout", map[string]any{"timeout": 0})
	s := open(t, "influx://"+proxy.Addr+"/"+server.Database, letters, driver.SinkOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	b := table.NewBatch(letters)
	b.Append(letter{Name: "a"})
	if err := s.Write(ctx, table.Rows{Batch: b}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Flush(ctx) }()
	for s.Stats().Calls == 0 {
		time.Sleep(poll)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("flush gives %v", err)
	}
	if err := s.Close(context.WithoutCancel(ctx)); !errors.Is(err, context.Canceled) { // does not wait
		t.Errorf("close gives %v", err)
	}
	if err := s.Write(t.Context(), table.Rows{Batch: b}); !errors.Is(err, context.Canceled) {
		t.Errorf("a sink that has ended gives %v", err)
	}
}
