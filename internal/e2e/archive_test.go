package e2e

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// withoutRaw drops the raw archive from a lake's files.
func withoutRaw(hashes map[string]string) map[string]string {
	maps.DeleteFunc(hashes, func(name, _ string) bool { return strings.HasPrefix(name, "raw"+string(filepath.Separator)) })
	return hashes
}

// archivedWorlds are logs whose archives are read again.
var archivedWorlds = map[string][]string{
	"virtual hosts, broken, a log twice": {"--lines", "30000", "--days", "2", "--servers", "3", "--seed", "71", "--format", "vhost_combined", "--malformed", "0.05", "--disorder", "2m", "--duplicates", "0.03", "--redeliver", "1", "--zone", "+05:30"},
	"without agents, compressed, broken": {"--lines", "20000", "--days", "2", "--seed", "72", "--format", "common", "--malformed", "0.02", "--gzip"},
}

func TestAnArchiveGivesTheLakeThatTheLogsGave(t *testing.T) {
	t.Parallel()
	for name, flags := range archivedWorlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			checkArchive(t, e, generate(t, e, flags...))
		})
	}
	t.Run("real logs", func(t *testing.T) {
		t.Parallel()
		checkArchive(t, newEnv(t), filepath.Join(accessLogs(t), "*.gz"))
	})
}

func checkArchive(t *testing.T, e env, logs string) {
	for _, raw := range []string{"sealed", "plain"} {
		first, second := e.in(raw), e.in(raw+"-again")
		mustRun(t, e, weblogs(logs, first, "--raw", raw)...)
		mustRun(t, e, weblogs(filepath.Join(first, "raw"), second)...)
		want := withoutRaw(hashLake(t, first))
		if diff := gocmp.Diff(want, hashLake(t, second)); diff != "" || len(want) == 0 {
			t.Errorf("%s: -from the logs +from their archive:\n%s", raw, cut(diff))
		}
		before, after := readManifest(t, first), readManifest(t, second)
		if after.Ledger.In != before.Ledger.In-before.Ledger.Duplicate || after.Ledger.Bad != before.Ledger.Bad || after.Ledger.Duplicate != 0 {
			t.Errorf("%s: ledger of the logs %s, of their archive %s", raw, before.Ledger, after.Ledger)
		}
		for _, in := range after.Inputs {
			if in.Format != "raw/1" || !strings.HasPrefix(in.Name, filepath.Join(first, "raw")) {
				t.Errorf("%s: input %+v", raw, in)
			}
		}
		// Archiving what comes from an archive gives that archive, whichever the
		// payloads were.
		mustRun(t, e, weblogs(filepath.Join(first, "raw"), e.in(raw+"-sealed"), "--raw", "sealed")...)
		if diff := gocmp.Diff(hashLake(t, e.in("sealed")), hashLake(t, e.in(raw+"-sealed"))); diff != "" {
			t.Errorf("%s, archived again: -from the logs +from their archive:\n%s", raw, cut(diff))
		}
	}
}

func TestALakeIsRewrittenFromItsOwnArchiveAndKeepsIt(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "20000", "--days", "3", "--servers", "2", "--seed", "73", "--malformed", "0.02")
	lake, archive := e.in("lake"), filepath.Join(e.in("lake"), "raw")
	mustRun(t, e, weblogs(logs, lake, "--raw", "sealed")...)
	before := hashTree(t, archive)
	rows := func() [][]string {
		return sql(t, lake, "SELECT count(*), count(DISTINCT event_id) FROM events UNION ALL SELECT count(*), count(DISTINCT session_id) FROM sessions UNION ALL SELECT count(*), sum(views)::BIGINT FROM traffic UNION ALL SELECT count(*), count(DISTINCT position) FROM raw")
	}
	want := rows()
	for _, more := range [][]string{nil, nil, {"--set", "sessions.gap=30m", "--from", "2025-03-04", "--to", "2025-03-04"}} {
		mustRun(t, e, weblogs(archive, lake, more...)...)
		if diff := gocmp.Diff(before, hashTree(t, archive)); diff != "" {
			t.Fatalf("the archive, -before +after:\n%s", cut(diff))
		}
		if diff := gocmp.Diff(want, rows()); diff != "" {
			t.Errorf("%v: -before +after:\n%s", more, diff)
		}
		checkTidy(t, lake)
	}
	t.Run("after the key changed the archive is sealed under the new one", func(t *testing.T) {
		const newKey = "k9:1f0c1a5be9d27346a1f2e3c4b5a6978889706152433425160708192a3b4c5d6e"
		rotated := e.with("MASK_KEY=" + newKey + "\n" + maskKey)
		mustRun(t, rotated, weblogs(archive, e.in("rotated"), "--raw", "sealed")...)
		mustRun(t, e.with("MASK_KEY="+newKey), weblogs(filepath.Join(e.in("rotated"), "raw"), e.in("new"))...)
		if diff := gocmp.Diff(withoutRaw(hashLake(t, e.in("rotated"))), hashLake(t, e.in("new"))); diff != "" {
			t.Errorf("-both keys +new key:\n%s", cut(diff))
		}
	})
}

func TestAnArchiveThatCannotBeReadIsRefusedAndTouchesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	logs := generate(t, e, "--lines", "2000", "--days", "1", "--seed", "74")
	mustRun(t, e, weblogs(logs, e.in("lake"), "--raw", "sealed")...)
	mustRun(t, e, weblogs(logs, e.in("plain"), "--raw", "plain")...)
	archive := e.in("lake", "raw")
	both := filepath.Join(t.TempDir(), "both")
	writeFile(t, filepath.Join(both, "access.log"), readFile(t, glob(t, logs)[0]))
	for _, name := range glob(t, filepath.Join(archive, "*", "*", "*", "*.parquet")) {
		writeFile(t, filepath.Join(both, filepath.Base(name)), readFile(t, name))
	}
	for name, c := range map[string]struct {
		user env
		code int
		args []string
		want string
	}{
		"another key": {
			e.with("MASK_KEY=other1:" + strings.Repeat("17", 32)), 2,
			weblogs(archive, e.in("new")), "is sealed under key " + maskKeyID + ", and what is given is key other1",
		},
		"no key": {
			e, 2,
			[]string{"run", "weblogs", "--source", archive, "--lake", e.in("new")},
			"is sealed under key " + maskKeyID + ", and there is none",
		},
		"another key of the same name": {
			e.with("MASK_KEY=" + maskKeyID + ":" + strings.Repeat("17", 32)), 1,
			weblogs(archive, e.in("new")), "give the key " + maskKeyID + " with which the archive was written",
		},
		"events":                  {e, 1, weblogs(e.in("lake", "events"), e.in("new")), "it is a Parquet file of schema weblog.events/1"},
		"a log and its archive":   {e, 1, weblogs(both, e.in("new")), "access.log: its records are also in the raw archive"},
		"two archives of one day": {e, 1, weblogs(e.in("[lp]*", "raw"), e.in("new")), "name one of the two as the source"},
	} {
		t.Run(name, func(t *testing.T) {
			rejected(t, c.user, c.code, c.args, c.want)
		})
	}
}

func TestAnArchiveOnS3IsASource(t *testing.T) {
	server := testenv.S3(t)
	e := newEnv(t)
	logs := generate(t, e, "--lines", "20000", "--days", "2", "--servers", "2", "--seed", "75", "--malformed", "0.01")
	mustRun(t, e, weblogs(logs, e.in("lake"), "--raw", "sealed")...)
	mustRun(t, e, weblogs(logs, "s3://"+server.Bucket+"/lake", "--raw", "sealed")...)
	mustRun(t, e, weblogs("s3://"+server.Bucket+"/lake/raw", e.in("again"))...)
	if diff := gocmp.Diff(withoutRaw(hashLake(t, e.in("lake"))), hashLake(t, e.in("again"))); diff != "" {
		t.Errorf("-from the logs +from their archive on S3:\n%s", cut(diff))
	}
}
