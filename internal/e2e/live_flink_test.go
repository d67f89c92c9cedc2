package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	farms "millrace/internal/generate"
	"millrace/internal/testenv"
)

// onFlink adds to a run's arguments that it is to be on the cluster, at
// parallelism 2, with a checkpoint a second and a half: what a runner does wrong it does
// around these. More of them would be most of the work. Workers do not see the test's variables, so the masking key comes
// from a file; it is the one that MASK_KEY has.
func onFlink(t testing.TB, e env, f *testenv.FlinkCluster, args []string, more ...string) []string {
	t.Helper()
	writeFile(t, filepath.Join(e.home, "mask.key"), []byte(maskKey+"\n"))
	args = append(args, "--mask-key", "file://"+filepath.Join(e.home, "mask.key"),
		"--runner", "flink", "--parallelism", "2", "--flink-master", f.Master(), "--job-server", f.JobServer(t), "--boot", f.Dist.Boot,
		"--flink-option", "checkpointing_interval=1500")
	return append(args, more...)
}

// allEnded fails for jobs that the program left on the cluster.
func allEnded(t testing.TB, f *testenv.FlinkCluster) {
	t.Helper()
	jobs, err := f.Client().Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if !job.State.Ended() {
			t.Errorf("job %s is left %s", job.Name, job.State)
		}
	}
}

func TestLiveOnFlinkEqualsBatch(t *testing.T) {
	server := testenv.Kinesis(t)
	s3 := testenv.S3(t)
	f := testenv.Flink(t)
	e := newEnv(t)
	t.Run("real logs, archive sealed", func(t *testing.T) {
		lines := putDemo(t, server, "demo")
		merges, more := putLateMerges(t, server, "demo")
		server.CreateStream(t, "demo-sessions", 2)
		mustRun(t, e, onFlink(t, e, f, live("demo", everything, e.in("demo"), "--max-disorder", "30m", "--output", "sessions=kinesis://demo-sessions"))...)
		allEnded(t, f)
		mustRun(t, e, weblogs(e.in("demo", "raw"), e.in("demo-batch"))...)
		same(t, e.in("demo"), e.in("demo-batch"), least(t, demoRows))
		if l := accounts(t, e.in("demo")); l.In != int64(len(lines)+more) || l.Late != 0 {
			t.Errorf("%d lines were put, ledger %s", len(lines)+more, l)
		}
		lateMergesAreSealed(t, e.in("demo"), merges)
		if n := readersHaveSessions(t, server, "demo-sessions", e.in("demo")); n > 0 {
			t.Errorf("%d sessions were written before it was known that they are none", n)
		}
	})
	t.Run("a farm's log of JSON out of order, with countries and a vault, on S3", func(t *testing.T) {
		tr := playFarm(t, server, e, "farm", "--format", "json")
		server.Put(t, "farm", testenv.KinesisRecord{Key: "known", Data: []byte(`{"time":"2026-01-05T13:59:59Z","client":{"ip":"89.160.20.113"},"user":"ann","request":{"method":"GET","url":"/"},"status":200,"bytes":5}`)})
		lake := "s3://" + s3.Bucket + "/farm"
		objects := filepath.Join(s3.Dir, s3.Bucket, "farm")
		writeFile(t, e.in("policy.yaml"), []byte("fields:\n  client_ip: {class: ip, method: token}\nreversible: [ip]\n"))
		writeFile(t, filepath.Join(e.home, "vault.key"), []byte("v1:"+strings.Repeat("5a", 32)+"\n"))
		vault := "file://" + filepath.Join(e.home, "vault.key")
		watched := newWatchedSinks(t, server)
		told := append([]string{"--funnels", farmFunnels(t, e), "--mask-policy", e.in("policy.yaml"), "--vault-key", vault, "--set", "enrich.geo=" + geoTable(t, "GeoLite2-City-Test")}, farmAlerts(t, e)...)
		args := slices.Concat(told, []string{"--format", "json@" + e.in("truth", "mapping.yaml"), "--raw", "plain", "--max-disorder", "13m"}, watched.outputs())
		mustRun(t, e, onFlink(t, e, f, live("farm", everything, lake, args...))...)
		allEnded(t, f)
		watched.haveThoseOf(t, objects)
		mustRun(t, e, weblogs(lake+"/raw", e.in("farm-batch"), told...)...)
		rows := least(t, farmRows+farmFunnelRows+farmAlertRows)
		rows["alerts"] = counted{rows["alerts"].least, "* EXCLUDE (replay)"} // which names the key as it was named
		rows["anomalies"] = counted{least: 2900}
		rows["vault"] = counted{11000, "* EXCLUDE (sealed)"}
		same(t, objects, e.in("farm-batch"), rows)
		l := accounts(t, lake)
		if l.In != tr.Lines+1 || l.Events != tr.Events+1 || l.Bad != tr.Bad || l.Late != 0 {
			t.Errorf("the truth is %d lines = %d events + %d bad, and one; ledger %s", tr.Lines, tr.Events, tr.Bad, l)
		}
		found := sql(t, objects, `SELECT client_ip FROM events WHERE country = 'SE' AND "user" IS NOT NULL`)
		if len(found) != 1 {
			t.Fatalf("events of a known country: %v", found)
		}
		if r := mustRun(t, e, "reveal", "--case", "C-1", "--vault", lake+"/vault", "--vault-key", vault, "--audit", e.in("audit.log"), found[0][0]); strings.TrimSpace(r.stdout) != "89.160.20.113" {
			t.Errorf("its token stands for %s", r.stdout)
		}
	})
	t.Run("a log of sshd", func(t *testing.T) {
		mustRun(t, e, "generate", "authlog", "--out", e.in("host"), "--seed", "6")
		var truth farms.AuthTruth
		readJSON(t, e.in("host", "truth.json"), &truth)
		server.CreateStream(t, "logins", 2)
		server.Put(t, "logins", together(logLines(t, e.in("host", "auth.log")), 50)...)
		logins := func(source, lake string, more ...string) []string {
			return authlogs(source, lake, truth.Until, more...)
		}
		mustRun(t, e, onFlink(t, e, f, streaming(logins, "logins", everything, e.in("logins"), "--raw", "sealed"))...)
		allEnded(t, f)
		mustRun(t, e, "run", "authlogs", "--source", e.in("logins", "raw"), "--lake", e.in("logins-batch"), "--mask-key", "env://MASK_KEY")
		rows := least(t, "events 4000, sources 400")
		rows["alerts"] = counted{30, "* EXCLUDE (replay)"}
		same(t, e.in("logins"), e.in("logins-batch"), rows)
		if l := accounts(t, e.in("logins")); l.Events != truth.Lines || l.Late != 0 {
			t.Errorf("the truth is %d lines, ledger %s", truth.Lines, l)
		}
	})
}
