package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"millrace/internal/localservers"
	"millrace/internal/machine"
)

// Of a sink that someone looks at: how long until a view counts, and until an alert comes.

// counter measures the time from a view of an item to the row of products that counts it.
func (b *bencher) counter(ctx context.Context) error {
	const in, rows = "shop", "shop-products"
	before := machine.Load()
	views := itemViews{put: map[itemHour][]time.Time{}, counted: map[itemHour]map[string]int{}}
	if err := b.streams(ctx, in, rows); err != nil {
		return err
	}
	err := b.whileItComes(ctx, played{
		job: func(ctx context.Context, until string) (*localservers.Program, error) {
			return b.jobOf(ctx, "clickstream", in, until, "--output", "products=kinesis://"+rows, "--max-disorder", "1s", "--set", "dedup.horizon=1h")
		},
		player: func(ctx context.Context) (*localservers.Program, error) {
			b.step("the shop has %d events/s for %v", b.rate, b.latency)
			return b.place().Start(ctx, "generate", nil, b.millrace, "generate", "clickstream", "--to", "kinesis://"+in,
				"--rate", fmt.Sprintf("%d/s", b.rate), "--for", b.latency.String(), "--aggregate=false")
		},
		read: map[string]func([]byte, time.Time) error{in: views.event, rows: views.row},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## From view to counter, %d events/s, parallelism %d\n\n", b.rate, parallelism)
	fmt.Fprintf(b.out, "For each view of an item (`view_item`): from when the shop received it to the moment a provisional row of `products` that counts it is read from a stream (looked at every %v). `--max-disorder 1s`. %s\n\n", peek, b.warmUpNote())
	delays := b.afterWarmUp(views.delays)
	if len(delays) == 0 {
		fmt.Fprint(b.out, "No row came.\n\n")
		return nil
	}
	b.quantiles(delays, before, fmt.Sprintf("%d views of %d", len(delays), views.all))
	return nil
}

// streams makes one that is read and one for rows.
func (b *bencher) streams(ctx context.Context, in, rows string) error {
	if err := b.servers.kinesis.CreateStream(ctx, in, b.shards); err != nil {
		return err
	}
	return b.servers.kinesis.CreateStream(ctx, rows, 1)
}

// itemHour is an item in a window of products.
type itemHour struct {
	item string
	hour time.Time
}

// itemViews pairs the n-th view of an item that was put with the row that counts n.
type itemViews struct {
	put     map[itemHour][]time.Time
	counted map[itemHour]map[string]int // by currency
	all     int
	delays  []delayed
}

func (v *itemViews) event(data []byte, _ time.Time) error {
	var e struct {
		Name     string `json:"name"`
		Received int64  `json:"received_at"`
		Items    []struct {
			ID string `json:"item_id"`
		} `json:"items"`
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Name != "view_item" {
		return nil //nolint:nilerr // a broken line is what a shop sends, too
	}
	at := time.UnixMilli(e.Received)
	for _, item := range e.Items {
		key := itemHour{item.ID, at.UTC().Truncate(time.Hour)}
		v.put[key] = append(v.put[key], at)
		v.all++
	}
	return nil
}

func (v *itemViews) row(data []byte, now time.Time) error {
	var r struct {
		Start    time.Time `json:"window_start"`
		Item     string    `json:"item_id"`
		Currency string    `json:"currency"`
		Views    int       `json:"views"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("reading a row of products: %w: %.200s", err, data)
	}
	key := itemHour{r.Item, r.Start.UTC()}
	of := v.counted[key]
	if of == nil {
		of = map[string]int{}
		v.counted[key] = of
	}
	before := 0
	for _, n := range of {
		before += n
	}
	news := r.Views - of[r.Currency]
	if news <= 0 {
		return nil
	}
	of[r.Currency] = r.Views
	// What is not counted, because it came late or twice, makes this look longer, not shorter.
	for n := before; n < min(before+news, len(v.put[key])); n++ {
		v.delays = append(v.delays, delayed{v.put[key][n], now.Sub(v.put[key][n])})
	}
	return nil
}

// watchedReadings are the rules of the measured alert: each series alerts with its first reading.
const watchedReadings = `alerts:
  - {name: reading, input: readings, by: [device_id, code], aggregate: count, above: 0, every: 1s, severity: info}
`

// alert measures the time from a reading to its alert.
func (b *bencher) alert(ctx context.Context) error {
	const in, rows = "ward", "ward-alerts"
	before := machine.Load()
	if err := b.streams(ctx, in, rows); err != nil {
		return err
	}
	rules := b.path("input", "alerts.yaml")
	if err := os.WriteFile(rules, []byte(watchedReadings), 0o600); err != nil {
		return err
	}
	watched := watchedSeries{put: map[time.Time][]time.Time{}, alerted: map[time.Time]int{}, known: map[string]bool{}}
	rate := b.rate / 10
	err := b.whileItComes(ctx, played{
		job: func(ctx context.Context, until string) (*localservers.Program, error) {
			return b.jobOf(ctx, "devices", in, until, "--output", "alerts=kinesis://"+rows, "--max-disorder", "1s", "--alerts", rules)
		},
		player: func(ctx context.Context) (*localservers.Program, error) {
			b.step("devices give %d readings/s for %v", rate, b.latency)
			return b.place().Start(ctx, "generate", nil, b.millrace, "generate", "device", "--to", "kinesis://"+in,
				"--rate", fmt.Sprintf("%d/s", rate), "--for", b.latency.String(), "--aggregate=false")
		},
		read: map[string]func([]byte, time.Time) error{in: watched.reading, rows: watched.alert},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## From reading to alert, %d readings/s, parallelism %d\n\n", rate, parallelism)
	fmt.Fprintf(b.out, "For each alert of a rule over readings with windows of a second: from the time of a reading to the moment its alert is read from a stream (looked at every %v); the n-th alert of a second belongs to its n-th reading. `--max-disorder 1s`. %s\n\n", peek, b.warmUpNote())
	delays := b.afterWarmUp(watched.delays)
	if len(delays) == 0 {
		fmt.Fprint(b.out, "No alert came.\n\n")
		return nil
	}
	b.quantiles(delays, before, fmt.Sprintf("%d alerts for %d readings", len(delays), watched.all))
	return nil
}

// watchedSeries pairs the n-th alert of a second with its n-th reading.
type watchedSeries struct {
	put     map[time.Time][]time.Time
	alerted map[time.Time]int
	known   map[string]bool
	all     int
	delays  []delayed
}

func (w *watchedSeries) reading(data []byte, _ time.Time) error {
	var r struct {
		Time time.Time `json:"event_time"`
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Time.IsZero() {
		return nil //nolint:nilerr // a broken line is what a device sends, too
	}
	second := r.Time.UTC().Truncate(time.Second)
	w.put[second] = append(w.put[second], r.Time)
	w.all++
	return nil
}

func (w *watchedSeries) alert(data []byte, now time.Time) error {
	var r struct {
		ID    string    `json:"alert_id"`
		State string    `json:"state"`
		Since time.Time `json:"firing_since"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("reading an alert: %w: %.200s", err, data)
	}
	if w.known[r.ID] || r.State != "firing" {
		return nil
	}
	w.known[r.ID] = true
	second := r.Since.UTC().Truncate(time.Second)
	if n := w.alerted[second]; n < len(w.put[second]) {
		w.delays = append(w.delays, delayed{w.put[second][n], now.Sub(w.put[second][n])})
	}
	w.alerted[second]++
	return nil
}

// delayed is how long something took that happened at a time.
type delayed struct {
	at   time.Time
	took time.Duration
}

// warmUpNote says what afterWarmUp leaves out.
func (b *bencher) warmUpNote() string {
	return fmt.Sprintf("What came in the first half, %v, is left out: it waited for the job to begin and for Java to compile it.", b.latency/2)
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
