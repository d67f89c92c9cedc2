package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/internal/localservers"
	"millrace/internal/machine"
)

// Of a sink that someone looks at: how long until a view counts, and until an alert comes.

// probes are a share of what comes that is made for the measurement, so that what follows
// from each is told from everything else.
type probes struct {
	put    map[int]time.Time
	known  map[int]bool
	delays []delayed
}

func newProbes() *probes { return &probes{put: map[int]time.Time{}, known: map[int]bool{}} }

// seen notes that a row came which follows from a probe.
func (p *probes) seen(n int, now time.Time) {
	at, ok := p.put[n]
	if !ok || p.known[n] {
		return
	}
	p.known[n] = true
	p.delays = append(p.delays, delayed{at, now.Sub(at)})
}

// probeEvery is the pause between two probes. It is no divisor of a second, so that they
// come at all times of one.
const probeEvery = 170 * time.Millisecond

// counter measures the time from a view of an item to the row of products that counts it.
func (b *bencher) counter(ctx context.Context) error {
	const in, rows = "shop", "shop-products"
	before := machine.Load()
	if err := b.streams(ctx, in, rows); err != nil {
		return err
	}
	views := newProbes()
	err := b.whileItComes(ctx, played{
		job: func(ctx context.Context, until string) (*localservers.Program, error) {
			return b.jobOf(ctx, "clickstream", in, until, "--output", "products=kinesis://"+rows, "--max-disorder", "5s", "--set", "dedup.horizon=1h")
		},
		player: func(ctx context.Context) (*localservers.Program, error) {
			b.step("the shop has %d events/s for %v", b.rate, b.latency)
			return b.place().Start(ctx, "generate", nil, b.millrace, "generate", "clickstream", "--to", "kinesis://"+in,
				"--rate", fmt.Sprintf("%d/s", b.rate), "--for", b.latency.String(), "--aggregate=false")
		},
		to: in, probe: probeView, probes: views,
		read: map[string]func([]byte, time.Time) error{rows: views.product},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## From view to counter, %d events/s, parallelism %d\n\n", b.rate, parallelism)
	fmt.Fprintf(b.out, "Besides those events, an item that nobody else looks at is viewed every %v: from when the view is put to the moment a provisional row of `products` that counts it is read from a stream (looked at every %v). Events come up to three seconds after they happened, `--max-disorder 5s`. %s\n\n", probeEvery, peek, b.warmUpNote())
	b.reportProbes(views, before)
	return nil
}

// streams makes one that is read and one for rows.
func (b *bencher) streams(ctx context.Context, in, rows string) error {
	if err := b.servers.kinesis.CreateStream(ctx, in, b.shards); err != nil {
		return err
	}
	return b.servers.kinesis.CreateStream(ctx, rows, 1)
}

// probedItem precedes the number of a probe.
const probedItem = "probe-"

// probeView is the view of an item that nobody else looks at.
func probeView(n int, now time.Time) []byte {
	ms := now.UnixMilli()
	return fmt.Appendf(nil, `{"v":1,"event_id":"probe-event-%d","name":"view_item","time":%d,"sent_at":%d,"received_at":%d,"consent":{"analytics":true,"ads":true},`+
		`"client_id":"visitor-probe-%d","ip":"203.0.113.63","platform":"web","page":{"location":"https://shop.example/item/%s%d"},`+
		`"currency":"EUR","value":45.00,"items":[{"item_id":"%s%d","item_name":"A thing","item_category":"Probes","price":45.00,"quantity":1}]}`,
		n, ms, ms, ms, n, probedItem, n, probedItem, n)
}

func (p *probes) product(data []byte, now time.Time) error {
	var r struct {
		Item  string `json:"item_id"`
		Views int    `json:"views"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("reading a row of products: %w: %.200s", err, data)
	}
	if number, ok := strings.CutPrefix(r.Item, probedItem); ok && r.Views > 0 {
		n, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("reading a row of products: %w", err)
		}
		p.seen(n, now)
	}
	return nil
}

// A probe among readings has a value beyond all others, which says its number.
const (
	probedValue = 1_000_000
	probeRules  = `alerts:
  - {name: probe, input: readings, field: value, by: [device_id, code], aggregate: max, above: 999999, every: 1s, severity: info}
`
)

// probeReading is the reading of a machine that gives no other.
func probeReading(n int, now time.Time) []byte {
	return fmt.Appendf(nil, `{"event_time":%q,"device_id":"probe-%d","asset_id":"hall-probe","code":"vibration","value":%d,"unit":"mm/s","device_time":%d,"sequence":1}`,
		now.UTC().Format("2006-01-02T15:04:05.000Z07:00"), n, probedValue+n, now.UnixMilli())
}

// alert measures the time from a reading to its alert.
func (b *bencher) alert(ctx context.Context) error {
	const in, rows = "ward", "ward-alerts"
	before := machine.Load()
	if err := b.streams(ctx, in, rows); err != nil {
		return err
	}
	rules := b.path("input", "alerts.yaml")
	if err := os.WriteFile(rules, []byte(probeRules), 0o600); err != nil {
		return err
	}
	readings := newProbes()
	rate := b.rate / 10
	err := b.whileItComes(ctx, played{
		job: func(ctx context.Context, until string) (*localservers.Program, error) {
			return b.jobOf(ctx, "devices", in, until, "--output", "alerts=kinesis://"+rows, "--max-disorder", "500ms", "--alerts", rules)
		},
		player: func(ctx context.Context) (*localservers.Program, error) {
			b.step("devices give %d readings/s for %v", rate, b.latency)
			return b.place().Start(ctx, "generate", nil, b.millrace, "generate", "device", "--to", "kinesis://"+in,
				"--rate", fmt.Sprintf("%d/s", rate), "--for", b.latency.String(), "--aggregate=false")
		},
		to: in, probe: probeReading, probes: readings,
		read: map[string]func([]byte, time.Time) error{rows: readings.alerted},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## From reading to alert, %d readings/s, parallelism %d\n\n", rate, parallelism)
	fmt.Fprintf(b.out, "Besides those readings, a machine of its own gives one beyond a limit every %v: from when it is put to the moment its alert is read from a stream (looked at every %v). The rule looks at windows of a second, `--max-disorder 500ms`. %s\n\n", probeEvery, peek, b.warmUpNote())
	b.reportProbes(readings, before)
	return nil
}

func (p *probes) alerted(data []byte, now time.Time) error {
	var r struct {
		State string   `json:"state"`
		Value *float64 `json:"value"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("reading an alert: %w: %.200s", err, data)
	}
	if r.State == "firing" && r.Value != nil {
		p.seen(int(*r.Value)-probedValue, now)
	}
	return nil
}

// lastProbes are left out: what follows from them waits for something later to come, which
// nothing does.
const lastProbes = 10 * time.Second

// reportProbes prints how long it took, of those that came while the job ran steadily.
func (b *bencher) reportProbes(p *probes, before string) {
	var last time.Time
	for _, at := range p.put {
		if at.After(last) {
			last = at
		}
	}
	delays := b.afterWarmUp(slices.DeleteFunc(p.delays, func(d delayed) bool { return last.Sub(d.at) < lastProbes }))
	if len(delays) == 0 {
		fmt.Fprintf(b.out, "Of %d, none was seen.\n\n", len(p.put))
		return
	}
	b.quantiles(delays, before, fmt.Sprintf("%d of the %d that were seen; %d were put", len(delays), len(p.known), len(p.put)))
}

// delayed is how long something took that happened at a time.
type delayed struct {
	at   time.Time
	took time.Duration
}

// warmUpNote says what afterWarmUp leaves out.
func (b *bencher) warmUpNote() string {
	return fmt.Sprintf("What came in the first half, %v, is left out: it waited for the job to begin and for Java to compile it. So is what came in the last %v, which waits for what comes later.", b.latency/2, lastProbes)
}

// afterWarmUp leaves out what came while the job began.
func (b *bencher) afterWarmUp(all []delayed) (delays []time.Duration) {
	if len(all) == 0 {
		return nil
	}
	first := slices.MinFunc(all, func(a, b delayed) int { return a.at.Compare(b.at) }).at
	for _, d := range all {
		if d.at.Sub(first) >= b.latency/2 {
			delays = append(delays, d.took)
		}
	}
	return delays
}
