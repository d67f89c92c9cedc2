package e2e

import (
	"strings"
	"testing"
	"time"

	"millrace/internal/testenv"
)

func TestAStreamIsReshardedWhileItIsRead(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	end := time.Now().Add(25 * time.Second)
	p := start(t, e, live("web", "until="+end.UTC().Format(time.RFC3339), e.in("lake"), "--raw", "plain", "--roll", "1MiB,2s")...)
	shards := server.Shards(t, "web")
	part := len(feed.rest) / 5
	for _, change := range []func(){
		func() { server.Split(t, "web", *shards[0].ShardId) },
		func() { server.Merge(t, "web", *shards[2].ShardId, *shards[3].ShardId) },
		func() { server.UpdateShardCount(t, "web", 8) },
		func() { server.UpdateShardCount(t, "web", 4) },
	} {
		for range 10 {
			feed.some(t, (part+9)/10)
			time.Sleep(100 * time.Millisecond) // so that readers are between the records of a part
		}
		change()
	}
	feed.some(t, len(feed.rest))
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	if r := p.end(t); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	if n := len(server.Shards(t, "web")); n < 15 {
		t.Errorf("the stream had %d shards in all", n)
	}
	sameAsLogs(t, e, e.in("lake"), feed)
}

func TestAPoisonousRecordIsOneBadRow(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	feed.some(t, len(feed.rest)/2)
	const key = "poison"
	garbage := noise(1<<20 - len(key))
	for i, c := range garbage {
		if c == '\n' || c == '\r' {
			garbage[i] = 'x' // one line
		}
	}
	server.Put(t, "web", testenv.KinesisRecord{Key: key, Data: garbage})
	feed.some(t, len(feed.rest))
	mustRun(t, e, live("web", everything, e.in("lake"), "--raw", "plain")...)
	if r := sql(t, e.in("lake"), "SELECT count(*), max(length) FROM bad_rows"); r[0][0] != "1" || number(t, r[0][1]) < 1_000_000 {
		t.Errorf("bad rows and the longest: %v", r)
	}
	mustRun(t, e, weblogs(e.in("lake", "raw"), e.in("batch"))...)
	same(t, e.in("lake"), e.in("batch"), least(t, demoRows+", bad_rows 1"))
	if l := accounts(t, e.in("lake")); l.In != int64(feed.lines)+1 || l.Bad != 1 {
		t.Errorf("%d lines and a bad one were put, ledger %s", feed.lines, l)
	}
}

func TestAStreamThatCannotBeReadIsNamed(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	server.CreateStream(t, "web", 1)
	for name, c := range map[string]struct {
		user   env
		code   int
		stream string
		want   []string
	}{
		"missing":        {e, 1, "wbe", []string{"kinesis://wbe", "check the stream's name"}},
		"no credentials": {e.with("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="), 1, "web", []string{"no AWS credentials were found", "AWS_PROFILE"}},
		"no name":        {e, 2, "", []string{"kinesis://"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, c.user, live(c.stream, everything, e.in("lake"))...)
			if r.code != c.code || r.stdout != "" || strings.Count(r.stderr, "\n") > 2 {
				t.Errorf("exit code %d, want %d; stdout %q, stderr %q", r.code, c.code, r.stdout, r.stderr)
			}
			for _, w := range c.want {
				if !strings.Contains(r.stderr, w) {
					t.Errorf("stderr does not say %q: %s", w, r.stderr)
				}
			}
			if exists(e.in("lake")) {
				t.Error("a lake was begun")
			}
		})
	}
}

func TestAStreamDeletedWhileItIsReadLeavesWhatWasCommitted(t *testing.T) {
	server := testenv.Kinesis(t)
	e := newEnv(t)
	feed := newFeed(t, server, "web")
	p := start(t, e, live("web", "start=trim_horizon", e.in("lake"), "--raw", "plain", "--roll", "1MiB,1s")...)
	for deadline := time.Now().Add(time.Minute); len(hashGlob(e.in("lake"), "events/*/*/*/*.parquet")) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) || !alive(p) {
			t.Fatalf("nothing was committed; %s", p.err.String())
		}
		feed.some(t, 20)
	}
	server.DeleteStream(t, "web")
	r := p.end(t)
	if r.code != 1 || !strings.Contains(r.stderr, "kinesis://web") || !strings.Contains(r.stderr, "deleted while it was read") {
		t.Errorf("exit code %d, stderr %q; want 1, the stream and the cure", r.code, r.stderr)
	}
	l := accounts(t, e.in("lake"))
	rows := testenv.DuckDB(t, "SELECT count(*) FROM read_parquet('"+e.in("lake", "events/*/*/*/*.parquet")+"')")
	if l.In == 0 || number(t, rows[0][0]) < l.Events {
		t.Errorf("%s events are left, ledger %s", rows[0][0], l)
	}
}
