package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// albLines are lines as an Application Load Balancer writes them.
func albLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `https 2026-03-02T11:%02d:00.5Z app/shop/50dc 203.0.113.%d:2817 10.0.0.1:80 0.001 0.041 0.000 %d 500 34 %d "GET https://www.example.com:443/p/%d?mail=ann%%40example.com HTTP/2.0" "Firefox" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:x "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-03-02T11:00:00.000000Z "forward" "-" "-"`+"\n",
			i%60, 1+i%9, 200+100*(i%4), i, i%7)
	}
	return b.String()
}

// cloudFrontLines are lines as CloudFront writes them, header and all, with the
// fields in an order of their own, and more behind.
func cloudFrontLines(n int, fields ...string) string {
	var b strings.Builder
	b.WriteString("#Version: 1.0\n#Fields: date time c-ip x-edge-location sc-bytes cs-method x-host-header cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id time-taken " + strings.Join(fields, " ") + "\n")
	for i := range n {
		fmt.Fprintf(&b, "2026-03-02\t11:%02d:00\t203.0.113.%d\tFRA56-P4\t%d\tGET\twww.example.com\t/p/%d\t%d\t-\tMozilla/5.0%%20(X11)\tmail=ann@example.com\tsession=secret\tHit\tid%d==\t0.042\n", i%60, 1+i%9, i, i%7, 200+100*(i%4), i)
	}
	return b.String()
}

// TestEachFileIsReadInItsFormat: balancers', CloudFront's and Apache's logs in one run,
// by their looks, compressed as the services deliver them or not, with blocks far
// from a header, and from the archive once more.
func TestEachFileIsReadInItsFormat(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const n = 3000
	writeFile(t, e.in("logs", "lb.log.gz"), gzipped(t, []byte(albLines(n))))
	writeFile(t, e.in("logs", "E1.2026-03-02.gz"), gzipped(t, []byte(cloudFrontLines(n))))
	writeFile(t, e.in("logs", "plain.log"), []byte(cloudFrontLines(n-1, "more")+"broken\n"))
	writeFile(t, e.in("logs", "access.log"), []byte(strings.Repeat(`203.0.113.9 - - [02/Mar/2026:11:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "Firefox"`+"\n", n)))
	source := "file://" + e.in("logs", "*") + "?block=64KiB&split=128KiB"
	lake := e.in("lake")
	said := mustRun(t, e, append([]string{"plan"}, weblogs(source, lake)[1:]...)...).stdout
	for _, want := range []string{"alb", "cloudfront date time c-ip", "combined"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in the plan:\n%s", want, said)
		}
	}
	mustRun(t, e, weblogs(source, lake, "--raw", "sealed")...)
	m := readManifest(t, lake)
	if l := m.Ledger; l.In != 4*n+4 || l.Events != 4*n-1 || l.Bad != 1 || l.Skipped != 4 || !l.Balanced {
		t.Errorf("ledger %s", l)
	}
	got := sql(t, lake, `SELECT edge, edge_result, target_status, host, tls_version, count(*), sum(bytes), sum(bytes_received), round(sum(duration_ms))::BIGINT, count(request_id), count(DISTINCT visitor_id)
		FROM events GROUP BY ALL ORDER BY 1`)
	want := [][]string{
		{"FRA56-P4", "Hit", "NULL", "www.example.com", "NULL", fmt.Sprint(2*n - 1), fmt.Sprint(n*(n-1)/2 + (n-1)*(n-2)/2), "NULL", fmt.Sprint((2*n - 1) * 42), fmt.Sprint(2*n - 1), "9"},
		{"app/shop/50dc", "forward", "500", "www.example.com", "TLSv1.3", fmt.Sprint(n), fmt.Sprint(n * (n - 1) / 2), fmt.Sprint(34 * n), fmt.Sprint(42 * n), fmt.Sprint(n), "9"},
		{"NULL", "NULL", "NULL", "NULL", "NULL", fmt.Sprint(n), fmt.Sprint(5 * n), "NULL", "NULL", "0", "1"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	again := e.in("again")
	mustRun(t, e, weblogs(filepath.Join(lake, "raw"), again)...)
	if diff := gocmp.Diff(withoutRaw(hashLake(t, lake)), hashLake(t, again)); diff != "" {
		t.Errorf("-from the logs +from their archive:\n%s", cut(diff))
	}
}

// givenFormat gives the flags that tell a run of a layout that the generator makes.
func givenFormat(e env, format string) []string {
	switch format {
	case "nginx":
		return []string{"--format", "nginx@" + e.in(format, "nginx.conf")}
	case "json":
		return []string{"--format", "json@" + e.in(format, "mapping.yaml")}
	}
	return nil // detected
}

// withoutPages leaves out where visits begin and end.
func withoutPages(rows [][]string) (out [][]string) {
	for _, r := range rows {
		r = slices.Clone(r)
		r[7], r[8] = "", ""
		out = append(out, r)
	}
	return out
}

// TestOneFarmInEveryFormatGivesTheSameVisits: events, sessions and rollups of one
// traffic, whichever server wrote it down, and none of the personal data planted in
// it. Load balancers log no referrers, so where visits came from is left out.
func TestOneFarmInEveryFormatGivesTheSameVisits(t *testing.T) {
	t.Parallel()
	e := newEnv(t).with("VAULT_KEY=v1:" + strings.Repeat("5a", 32))
	const rows = `SELECT 'sessions', session_id, visitor_id, start_time::VARCHAR, end_time::VARCHAR, events, page_views, entry_page, exit_page, bot FROM sessions
		UNION ALL SELECT 'traffic', window_start::VARCHAR, window_seconds::VARCHAR, status_class, '', views, bytes, '', '', false FROM traffic
		UNION ALL SELECT 'visitors', day::VARCHAR, '', '', '', 0, 0, '', '', false FROM visitors
		UNION ALL SELECT 'bots', day::VARCHAR, bot_name, '', '', hits, visitors, '', '', false FROM bots
		ORDER BY ALL`
	var want [][]string
	for _, format := range []string{"combined", "alb", "cloudfront", "nginx", "json"} {
		mustRun(t, e, "generate", "weblog", "--out", e.in(format), "--lines", "96000", "--canaries", "--seed", "81", "--malformed", "-1", "--format", format, "--gzip")
		lake := e.in("lake-" + format)
		mustRun(t, e, weblogs(e.in(format, "access*"), lake, append(append(givenFormat(e, format), withVault(t, e)...), "--raw", "sealed")...)...)
		m := readManifest(t, lake)
		var truth struct{ Lines, Events int64 }
		readJSON(t, e.in(format, "truth.json"), &truth)
		headers := int64(0)
		if format == "cloudfront" {
			headers = 2
		}
		if l := m.Ledger; l.In != truth.Lines+headers || l.Events != truth.Events || l.Bad != 0 || l.Skipped != headers || !l.Balanced {
			t.Errorf("%s: ledger %s, truth %+v", format, l, truth)
		}
		got := sql(t, lake, rows)
		if format == "combined" {
			want = got
		}
		of := want
		if format == "alb" { // some is planted elsewhere, as there is no referrer
			of, got = withoutPages(want), withoutPages(got)
		}
		if diff := gocmp.Diff(of, got); diff != "" || len(got) < 100 {
			t.Errorf("%s: %d rows (-combined):\n%s", format, len(got), cut(diff))
		}
		if foreign[format] != "" {
			agreeWithDuckDB(t, lake, format, glob(t, e.in(format, "access*"))[0])
		}
		find := newFinder(t, e.in(format, "truth_canaries.txt"))
		find.inFolder(t, lake)
		texts := find.inRows(t, lake)
		for _, output := range []string{"events", "sessions", "traffic", "top_pages", "bots", "clients", "sources", "alerts", "vault", "raw"} {
			if texts[output] == 0 {
				t.Errorf("%s: nothing of %s was searched: %v", format, output, texts)
			}
		}
		find.report(t)
	}
}

// foreign are queries by which DuckDB's own readers find status, bytes and time in the
// lines of a format that are requests.
var foreign = map[string]string{
	"alb":        "SELECT column08::INT AS status, column11::BIGINT AS bytes, column01::TIMESTAMPTZ AS moment FROM read_csv('%s', delim=' ', quote='\"', escape='\"', header=false, all_varchar=true)",
	"cloudfront": "SELECT column08::INT AS status, nullif(column03, '-')::BIGINT AS bytes, (column00 || ' ' || column01 || 'Z')::TIMESTAMPTZ AS moment FROM read_csv('%s', delim='\t', quote='', escape='', skip=2, header=false, all_varchar=true)",
	"nginx": `SELECT f.status::INT AS status, nullif(f.bytes, '-')::BIGINT AS bytes, f.moment::TIMESTAMPTZ AS moment FROM (
		SELECT regexp_extract(column0, '\[([^\]]+)\] "(?:[^"\\]|\\.)*" (\d+) (\S+) "', ['moment', 'status', 'bytes']) AS f
		FROM read_csv('%s', delim='\1', quote='', escape='', header=false, all_varchar=true))`,
	"json": "SELECT status, bytes, time::TIMESTAMPTZ AS moment FROM read_json('%s', format='newline_delimited', columns={status: 'INT', bytes: 'BIGINT', time: 'VARCHAR'})",
}

// agreeWithDuckDB compares the events of a log with what DuckDB's readers find in it.
func agreeWithDuckDB(t *testing.T, lake, format, log string) {
	t.Helper()
	want := testenv.DuckDB(t, fmt.Sprintf("SELECT status, count(*), sum(bytes), min(moment), max(moment) FROM ("+foreign[format]+") GROUP BY ALL ORDER BY 1", log))
	got := sql(t, lake, "SELECT status, count(*), sum(bytes), min(event_time), max(event_time) FROM events GROUP BY ALL ORDER BY 1")
	if diff := gocmp.Diff(want, got); diff != "" || len(want) < 4 {
		t.Errorf("%s: -DuckDB +events:\n%s", format, diff)
	}
}

// TestSampleLogsRunFully: the samples beside the repository, which are not ours to
// ship. Flows are asked for by themselves.
func TestSampleLogsRunFully(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	samples := filepath.Join(testenv.Root(t), "..", "shared", "data", "aws-logs")
	for name, c := range map[string]struct {
		events, skipped int64
		flags           []string
	}{"alb.log": {2, 0, nil}, "cloudfront.log": {3, 2, nil}, "vpcflow.log": {5, 0, []string{"--format", "vpcflow"}}} {
		if !exists(filepath.Join(samples, name)) {
			t.Skipf("the samples beside the repository are not there: %s", samples)
		}
		lake := e.in(name)
		mustRun(t, e, weblogs(filepath.Join(samples, name), lake, append(c.flags, "--raw", "sealed")...)...)
		if l := readManifest(t, lake).Ledger; l.Events != c.events || l.Bad != 0 || l.In != l.Events+l.Skipped || !l.Balanced {
			t.Errorf("%s: ledger %s", name, l)
		}
	}
	if r := run(t, e, weblogs(filepath.Join(samples, "*.log"), e.in("all"))...); r.code != 2 || !strings.Contains(r.stderr, "vpcflow.log: it holds network flows") {
		t.Errorf("flows among others: exit code %d, %s", r.code, r.stderr)
	}
}

func TestMistakesInFormatsAreNamedBeforeTheRun(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	writeFile(t, e.in("lb.log"), []byte(albLines(10)))
	writeFile(t, e.in("app.log"), []byte(`{"t":"yesterday","u":"/"}`+"\n"))
	writeFile(t, e.in("m.yaml"), []byte("\"@timestamp\": t\nurl.pth: u\n"))
	writeFile(t, e.in("good.yaml"), []byte("\"@timestamp\": t\nurl.path: u\n"))
	writeFile(t, e.in("job.yaml"), []byte("job: weblogs\nsource: lb.log\nformat: albb\nlake: out\n"))
	archive := e.in("kept")
	mustRun(t, e, weblogs("lb.log", archive, "--raw", "sealed")...)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an unknown name":           {weblogs("lb.log", "out", "--format", "cloudfrnt"), "--format cloudfrnt: reading log format \"cloudfrnt\": want one of"},
		"the name that is meant":    {weblogs("lb.log", "out", "--format", "cloudfrnt"), "did you mean cloudfront?"},
		"in a file":                 {[]string{"run", "--config", "job.yaml"}, "job.yaml:3: format albb"},
		"in the source":             {weblogs("file://"+e.in("lb.log")+"?format=albb", "out"), "--source: format=albb"},
		"twice":                     {weblogs("file://"+e.in("lb.log")+"?format=alb", "out", "--format", "alb"), "the source names a format, too"},
		"a field of a mapping":      {weblogs("app.log", "out", "--format", "json@m.yaml"), `m.yaml:2: unknown field "url.pth"; did you mean url.path?`},
		"no mapping":                {weblogs("app.log", "out", "--format", "json"), "json@mapping.yaml"},
		"a file that is not there":  {weblogs("app.log", "out", "--format", "json@none.yaml"), "none.yaml: no such file"},
		"a log_format without time": {weblogs("app.log", "out", "--format", "nginx $remote_addr $request"), "it has no time"},
		"another format":            {weblogs("lb.log", "out", "--format", "cloudfront"), "lb.log: none of its first 10 lines is in format cloudfront, and they look like alb"},
		"an archive":                {weblogs(filepath.Join(archive, "raw"), "out", "--format", "alb"), "is of a raw archive"},
	} {
		if r := run(t, e, c.args...); r.code != 2 || !strings.Contains(r.stderr, c.want) || exists(e.in("out")) {
			t.Errorf("%s: exit code %d, want %q in\n%s", name, r.code, c.want, r.stderr)
		}
	}
	said := mustRun(t, e, append([]string{"plan"}, weblogs("app.log", "out", "--format", "json@good.yaml")[1:]...)...).stdout
	if !strings.Contains(said, "app.log: none of the first 1 lines can be read in format json (timestamp: 1)") {
		t.Errorf("the plan says\n%s", said)
	}
	if r := mustRun(t, e, "jobs", "show", "weblogs"); !strings.Contains(r.stdout, "json@mapping.yaml") || !strings.Contains(r.stdout, "cloudfront") {
		t.Errorf("jobs show weblogs says\n%s", r.stdout)
	}
	// The parameter of a source takes files, too, and what is in them makes the run.
	source := "file://" + e.in("app.log") + "?format=json@good.yaml"
	mustRun(t, e, weblogs(source, e.in("first"))...)
	writeFile(t, e.in("good.yaml"), []byte("\"@timestamp\": t\nurl.original: u\n"))
	mustRun(t, e, weblogs(source, e.in("second"))...)
	if one, other := readManifest(t, e.in("first")).Run, readManifest(t, e.in("second")).Run; one == other {
		t.Errorf("with another mapping it is still run %s", one)
	}
}

// gatewayLines are lines as API Gateway writes them.
func gatewayLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"requestId":"id-%d","ip":"203.0.113.%d","caller":"-","user":"-","requestTime":"02/Mar/2026:%02d:%02d:%02d +0100","httpMethod":"GET","resourcePath":"/p/%d","status":"%d","protocol":"HTTP/1.1","responseLength":"%d","stage":"prod"}`+"\n",
			i, 1+i%9, 10+i/3600, i/60%60, i%60, i%7, 200+100*(i%4), i)
	}
	return b.String()
}

// flowLines are lines as VPC flow logs have them, a second apart, every hundredth
// without data.
func flowLines(n int) string {
	var b strings.Builder
	for i := range n {
		at := 1772449200 + i
		if i%100 == 99 {
			fmt.Fprintf(&b, "2 123456789010 eni-1 - - - - - - - %d %d - NODATA\n", at, at+60)
			continue
		}
		fmt.Fprintf(&b, "2 123456789010 eni-1 203.0.113.%d 10.0.0.1 49761 443 %d 20 %d %d %d %s OK\n", 1+i%90, []int{6, 17}[i%2], i, at, at+60, []string{"ACCEPT", "REJECT"}[i%3/2])
	}
	return b.String()
}

// playLines puts the lines of a format that the generator does not make into a stream,
// each up to five minutes out of order, bad ones among them.
func playLines(t *testing.T, server *testenv.KinesisServer, stream, format string) (tr truth) {
	t.Helper()
	lines := bytes.Split([]byte(strings.TrimSpace(map[string]func(int) string{"apigateway": gatewayLines, "vpcflow": flowLines}[format](6000))), []byte("\n"))
	tr.Lines = int64(len(lines))
	for i := range lines {
		switch {
		case bytes.HasSuffix(lines[i], []byte("NODATA")):
		case i%50 == 7:
			lines[i] = lines[i][:len(lines[i])/2]
			tr.Bad++
		default:
			tr.Events++
		}
	}
	r := rand.New(rand.NewPCG(92, 1))
	for some := range slices.Chunk(lines, 300) {
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	}
	server.Put(t, stream, together(lines, 20)...)
	return tr
}

// TestLiveEqualsBatchInOtherFormats: a stream out of order with bad lines, sealed, and
// the batch job over the archive that it left, which knows the format of each row.
func TestLiveEqualsBatchInOtherFormats(t *testing.T) {
	server := testenv.Kinesis(t)
	const farmed = "events 5500, sessions 200, traffic 500, top_pages 30, visitors 1, bots 3, bad_rows 100"
	for format, rows := range map[string]string{
		"alb": farmed, "json": farmed, "cloudfront": farmed, "nginx": farmed,
		"apigateway": "events 5800, sessions 9, traffic 200, top_pages 10, visitors 1, bad_rows 100",
		"vpcflow":    "events 5800, sessions 90, traffic 100, visitors 1, bad_rows 100",
	} {
		t.Run(format, func(t *testing.T) {
			e := newEnv(t)
			stream := "formats-" + format
			server.CreateStream(t, stream, 2)
			var tr truth
			if rows == farmed {
				mustRun(t, e, "generate", "weblog", "--to", "kinesis://"+stream, "--format", format, "--out", e.in(format),
					"--lines", "6000", "--rate", "2000/s", "--speed", "3600", "--start", "2026-01-05T08:00:00Z", "--servers", "4", "--seed", "92",
					"--disorder", "2m", "--shuffle", "10m", "--duplicates", "0.03", "--malformed", "0.02")
				readJSON(t, e.in(format, "truth.json"), &tr)
			} else {
				tr = playLines(t, server, stream, format)
			}
			given := givenFormat(e, format)
			if given == nil {
				given = []string{"--format", format}
			}
			// With less patience than the disorder some are late: so the source reads the
			// times of this format.
			hasty := start(t, e, live(stream, everything, e.in("hasty"), slices.Concat(given, []string{"--raw", "off", "--max-disorder", "10s"})...)...)
			mustRun(t, e, live(stream, everything, e.in("live"), slices.Concat(given, []string{"--raw", "sealed", "--max-disorder", "13m"})...)...)
			mustRun(t, e, weblogs(e.in("live", "raw"), e.in("batch"))...)
			same(t, e.in("live"), e.in("batch"), least(t, rows))
			if l := accounts(t, e.in("live")); l.In != tr.Lines || l.Events != tr.Events || l.Bad != tr.Bad || l.Late != 0 {
				t.Errorf("the truth is %d lines = %d events + %d bad, ledger %s", tr.Lines, tr.Events, tr.Bad, l)
			}
			if r := hasty.end(t); r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			if l := accounts(t, e.in("hasty")); l.In != tr.Lines || l.Events != tr.Events || l.Late == 0 {
				t.Errorf("the truth is %d lines = %d events, the ledger of a hasty run %s", tr.Lines, tr.Events, l)
			}
		})
	}
}

// TestUnreadFieldsReachNoOutput: personal data in the fields that formats have and
// events do not, of the formats that the generator does not make, and in those that
// are masked.
func TestUnreadFieldsReachNoOutput(t *testing.T) {
	t.Parallel()
	const (
		name, address, far = "hidden.person.zq81x", "203.0.113.147", "198.51.100.233"
		mail, card         = "ann.hidden@mail.example.org", "4532015112830366"
	)
	logs := map[string]struct {
		flags []string
		lines []string
		bad   int64
	}{
		"apigateway": {nil, []string{
			`{"requestId":"` + mail + `","ip":"` + address + `","caller":"` + name + `","user":"` + name + `","requestTime":"02/Mar/2026:11:00:00 +0000","httpMethod":"GET","resourcePath":"/pay/` + card + `","status":"200","protocol":"HTTP/1.1","responseLength":"5","` + name + `":{"x":"` + mail + `"}}`,
			`{"requestId":"` + mail + `","ip":"` + name + `","requestTime":"02/Mar/2026:11:00:00 +0000","resourcePath":"/"}`,
			`{"requestId":"` + mail + `","ip":"` + address,
		}, 1},
		"vpcflow": {[]string{"--format", "vpcflow"}, []string{
			"2 123456789010 eni-1 " + address + " " + far + " 49761 443 6 20 4249 1772449200 1772449260 ACCEPT OK",
			"2 123456789010 " + mail + " " + far + " " + address + " 443 49761 6 20 4249 1772449200 1772449260 " + mail + " OK",
			"2 123456789010 eni-1 " + name + " " + far + " 443 49761 6 20 4249 1772449200 1772449260 REJECT OK",
		}, 1},
		"cloudfront": {[]string{"--format", "cloudfront timestamp c-ip cs-method cs-uri-stem sc-status cs(Cookie) cs-headers x-forwarded-for x-edge-location x-edge-result-type ssl-cipher x-edge-request-id"}, []string{
			strings.Join([]string{"1772449200.123", address, "GET", "/", "200", name, name, far, mail, mail, mail, mail}, "\t"),
			strings.Join([]string{"1772449200.123", name, "GET", "/", "200"}, "\t"), // a client can be a host name
		}, 0},
	}
	e := newEnv(t)
	writeFile(t, e.in("canaries"), []byte("user\t"+name+"\nclient_address\t"+address+"\nclient_address\t"+far+"\nemail\t"+mail+"\ncard_number\t"+card+"\n"))
	find := newFinder(t, e.in("canaries"))
	for format, c := range logs {
		log, lake := e.in(format+".log"), e.in(format)
		writeFile(t, log, []byte(strings.Join(c.lines, "\n")+"\n"))
		r := mustRun(t, e, weblogs(log, lake, append(c.flags, "--raw", "sealed")...)...)
		find.in(t, format+": stdout", []byte(r.stdout))
		find.in(t, format+": stderr", []byte(r.stderr))
		if l := readManifest(t, lake).Ledger; l.In != int64(len(c.lines)) || l.Bad != c.bad || l.Skipped != 0 || !l.Balanced {
			t.Errorf("%s: ledger %s", format, l)
		}
		find.inFolder(t, lake)
		find.inRows(t, lake)
		find.report(t)
	}
}
