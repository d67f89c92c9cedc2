package decode_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/vectors"
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

const testdata = "../../testdata"

func readLog(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := os.Open(filepath.Join(testdata, "access-logs", name+".log.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func countLines(data []byte) int { return bytes.Count(data, []byte{'\n'}) }

func rewrite(data []byte, change func(line []byte) []byte) []byte {
	var out []byte
	for lines := decode.NewLines(data, 0); ; {
		line, _, ok := lines.Next()
		if !ok {
			return out
		}
		out = append(append(out, change(line)...), '\n')
	}
}

func replaceOnce(line []byte, old, replacement string) []byte {
	return bytes.Replace(line, []byte(old), []byte(replacement), 1)
}

// counts are the figures of testdata/vectors/golden_real.json that decoding
// alone decides.
type counts struct {
	Parsed   int            `json:"lines_parsed"`
	Rejected int            `json:"lines_rejected"`
	Hosts    int            `json:"unique_hosts"`
	Keys     int            `json:"keys_host_useragent"`
	Bytes    int64          `json:"bytes"`
	Status   map[string]int `json:"status"`
	Top5     []hostCount    `json:"top5_hosts"`
	Disorder int            `json:"out_of_order_lines"`
}

type hostCount struct {
	host string
	n    int
}

func (h *hostCount) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&h.host, &h.n})
}

func TestCountsOfRealLogsEqualTheIndependentOnes(t *testing.T) {
	var golden struct {
		Logs map[string]counts `json:"access_logs"`
	}
	if err := vectors.Read("golden_real.json", &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Logs) < 2 {
		t.Fatalf("golden_real.json names %d logs, want at least 2", len(golden.Logs))
	}
	for name, want := range golden.Logs {
		t.Run(name, func(t *testing.T) {
			data := readLog(t, name)
			if got := decode.Detect(data); got != decode.Combined {
				t.Errorf("Detect = %v, want combined", got)
			}
			if diff := cmp.Diff(want, count(data), cmp.AllowUnexported(hostCount{})); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func count(data []byte) counts {
	var (
		p        decode.Parser
		log      decode.AccessLog
		got      = counts{Status: map[string]int{}}
		hosts    = map[string]int{}
		keys     = map[[2]string]bool{}
		previous int64
	)
	for lines := decode.NewLines(data, 0); ; {
		line, _, ok := lines.Next()
		if !ok {
			break
		}
		if p.Parse(line, decode.Combined, &log) != badrow.None {
			got.Rejected++
			continue
		}
		got.Parsed++
		got.Bytes += max(log.Bytes, 0)
		got.Status[strconv.Itoa(int(log.Status))]++
		host := string(pii.Reveal(log.Client))
		hosts[host]++
		keys[[2]string{host, string(pii.Reveal(log.UserAgent))}] = true
		if log.Time < previous {
			got.Disorder++
		}
		previous = log.Time
	}
	got.Hosts, got.Keys = len(hosts), len(keys)
	for host, n := range hosts {
		got.Top5 = append(got.Top5, hostCount{host, n})
	}
	slices.SortFunc(got.Top5, func(a, b hostCount) int {
		if a.n != b.n {
			return b.n - a.n
		}
		return bytes.Compare([]byte(a.host), []byte(b.host))
	})
	got.Top5 = got.Top5[:5]
	return got
}
