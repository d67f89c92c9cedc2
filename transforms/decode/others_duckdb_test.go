package decode_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// TestCountsAgreeWithDuckDB: the same file, read by its readers of CSV and JSON, has the
// same events per status with the same bytes, and flows per action.
func TestCountsAgreeWithDuckDB(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		spec, sql string
		line      func() string
	}{
		{"alb", `SELECT status, count(*), sum(size) FROM (SELECT column08 AS status, column11::BIGINT AS size FROM read_csv('%s', delim=' ', quote='"', escape='"', header=false, all_varchar=true)) GROUP BY ALL ORDER BY 1`, func() string {
			return fmt.Sprintf(`https 2024-05-%02dT%02d:%02d:59.%06dZ app/lb/1 192.0.2.%d:%d 10.0.0.1:80 0.001 0.%03d 0.000 %d 200 %d %d "GET https://x.example:443/p/%d?a=b c HTTP/2.0" "agent (%d)" ECDHE TLSv1.2 arn:aws "Root=1" "x.example" "-" 0 2024-05-01T00:00:00.000000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`,
				1+r.IntN(31), r.IntN(24), r.IntN(60), r.IntN(1e6), r.IntN(256), 1024+r.IntN(6e4), r.IntN(1000), 200+r.IntN(4)*100, r.IntN(900), r.IntN(1e6), r.IntN(99), r.IntN(9))
		}},
		{"cloudfront", `SELECT status, count(*), sum(size) FROM (SELECT column08 AS status, column03::BIGINT AS size FROM read_csv('%s', delim='\t', quote='', header=false, all_varchar=true, comment='#')) GROUP BY ALL ORDER BY 1`, func() string {
			if r.IntN(500) == 0 {
				return "#Version: 1.0"
			}
			return fmt.Sprintf("2024-05-%02d\t%02d:%02d:01\tFRA2\t%d\t2001:db8::%x\tGET\td1.cloudfront.net\t/p%d\t%d\t-\tMozilla%%2F5.0%%20(X)\tq=%d", 1+r.IntN(31), r.IntN(24), r.IntN(60), r.IntN(1e6), 1+r.IntN(1e4), r.IntN(50), 200+r.IntN(4)*100, r.IntN(9)) + strings.Repeat("\t-", 21)
		}},
		{ngSpec, `SELECT f[1], count(*), sum(nullif(f[2], '-')::BIGINT) FROM (
			SELECT regexp_extract_all(column0, '" (\d+ \S+) "', 1)[1].split(' ') AS f FROM read_csv('%s', delim='\x01', quote='', escape='', header=false, all_varchar=true)
		) GROUP BY ALL ORDER BY 1`, func() string {
			return fmt.Sprintf(`192.0.2.%d - ann [02/Mar/2026:%02d:%02d:00 +0100] "GET /p/%d?q=%d HTTP/1.1" %d %d "https://x.example/%d" "agent (%d)" rt=0.%03d xff="-"`, r.IntN(256), r.IntN(24), r.IntN(60), r.IntN(99), r.IntN(9), 200+r.IntN(4)*100, r.IntN(1e6), r.IntN(9), r.IntN(9), r.IntN(1000))
		}},
		{"apigateway", `SELECT status, count(*), sum(responseLength::BIGINT) FROM read_json('%s', format='newline_delimited', columns={status: 'VARCHAR', responseLength: 'VARCHAR'}) GROUP BY ALL ORDER BY 1`, func() string {
			return fmt.Sprintf(`{"requestId":"id-%d","ip":"192.0.2.%d","caller":"-","user":"-","requestTime":"%02d/Mar/2026:%02d:00:00 +0000","httpMethod":"GET","resourcePath":"/p/%d","status":"%d","protocol":"HTTP/1.1","responseLength":"%d"}`, r.IntN(1e6), r.IntN(256), 1+r.IntN(31), r.IntN(24), r.IntN(99), 200+r.IntN(4)*100, r.IntN(1e6))
		}},
		{jsonSpec, `SELECT status::VARCHAR, count(*), sum(bytes) FROM read_json('%s', format='newline_delimited', columns={status: 'INT', bytes: 'BIGINT'}) GROUP BY ALL ORDER BY 1`, func() string {
			return fmt.Sprintf(`{"more":[{"status":%d}],"time":"2026-03-%02dT%02d:00:00Z","client":{"ip":"2001:db8::%x"},"request":{"method":"GET","url":"/p\u002f%d"},"status":%d,"bytes":%d}`, r.IntN(9), 1+r.IntN(31), r.IntN(24), 1+r.IntN(1e4), r.IntN(99), 200+r.IntN(4)*100, r.IntN(1e6))
		}},
		{"vpcflow", `SELECT column12 AS action, count(*), sum(column09::BIGINT) FROM read_csv('%s', delim=' ', quote='', header=false, all_varchar=true) WHERE column13 NOT IN ('NODATA', 'SKIPDATA') GROUP BY ALL ORDER BY 1`, func() string {
			if r.IntN(20) == 0 {
				return "2 123456789010 eni-1 - - - - - - - 1714521600 1714521660 - " + []string{"NODATA", "SKIPDATA"}[r.IntN(2)]
			}
			return fmt.Sprintf("2 123456789010 eni-1 192.0.2.%d 198.51.100.%d %d %d 6 %d %d %d %d %s OK", r.IntN(256), r.IntN(256), r.IntN(65536), r.IntN(65536), r.IntN(99), r.IntN(1e6), 1714521600+r.IntN(1000), 1714523600, []string{"ACCEPT", "REJECT"}[r.IntN(2)])
		}},
	} {
		t.Run(c.spec, func(t *testing.T) {
			var content strings.Builder
			for range 5000 {
				content.WriteString(c.line() + "\n")
			}
			name := filepath.Join(t.TempDir(), "a.log")
			if err := os.WriteFile(name, []byte(content.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			counts, sums := map[string]int{}, map[string]int64{}
			read := accessCounter(t, c.spec, counts, sums)
			for lines := decode.NewLines([]byte(content.String()), 0); ; {
				line, _, ok := lines.Next()
				if !ok {
					break
				}
				if reason := read(line); reason != badrow.None {
					t.Fatalf("%q: %s", line, reason)
				}
			}
			got := map[string][2]string{}
			for key, n := range counts {
				got[key] = [2]string{fmt.Sprint(n), fmt.Sprint(sums[key])}
			}
			want := map[string][2]string{}
			for _, row := range testenv.DuckDB(t, fmt.Sprintf(c.sql, name)) {
				want[row[0]] = [2]string{row[1], row[2]}
			}
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 2 {
				t.Errorf("-DuckDB +here:\n%s", diff)
			}
		})
	}
}

// accessCounter counts events by status, or flows by action.
func accessCounter(t *testing.T, spec string, counts map[string]int, sums map[string]int64) func(line []byte) badrow.Reason {
	if spec == "vpcflow" {
		d, err := decode.NewFlowDecoder("")
		if err != nil {
			t.Fatal(err)
		}
		return func(line []byte) badrow.Reason {
			var f decode.Flow
			skip, reason := d.Decode(line, &f)
			if !skip {
				counts[string(f.Action)]++
				sums[string(f.Action)] += f.Bytes
			}
			return reason
		}
	}
	d := open(t, spec)
	return func(line []byte) badrow.Reason {
		var log decode.AccessLog
		skip, reason := d.Decode(line, &log)
		if !skip {
			counts[fmt.Sprint(log.Status)]++
			sums[fmt.Sprint(log.Status)] += log.Bytes
		}
		return reason
	}
}
