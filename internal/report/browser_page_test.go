package report

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// collected is the data of a lake, with run and ledger as a manifest would give.
func collected(t testing.TB, l *lake) Data {
	t.Helper()
	return collectedIn(t, l, t.TempDir())
}

func collectedIn(t testing.TB, l *lake, root string) Data {
	t.Helper()
	l.write(t, root)
	d, err := Collect(t.Context(), Dir(root))
	if err != nil {
		t.Fatal(err)
	}
	d.Run, d.Ledger = exampleRun(), exampleLedger(d)
	return d
}

func TestEverySectionIsDrawnOnEveryDevice(t *testing.T) {
	all := farm(2, 6_000, 3)
	all.steps = funnelSteps(3)
	all.clients = clientRows(2)
	all.watch()
	page := written(t, collected(t, all))
	for name, l := range looks {
		t.Run(name, func(t *testing.T) {
			b := open(t, page, l)
			elsewhere := []string{shopSection.ID, devicesSection.ID, loginsSection.ID, anomaliesSection.ID} // in reports of other jobs
			for _, s := range sections {
				if slices.Contains(elsewhere, s.ID) {
					continue
				}
				text := ask(t, b, chromedp.Evaluate[string](`document.querySelector("#`+s.ID+`").innerText`))
				if lines := strings.Count(text, "\n"); lines < 4 {
					t.Errorf("section %s is nearly empty: %q", s.ID, text)
				}
				if !strings.HasPrefix(text, s.Title) {
					t.Errorf("section %s has another title: %.60q", s.ID, text)
				}
			}
			// A chart without data still has axes; with data it has many more shapes.
			shapes := ask(t, b, chromedp.Evaluate[map[string]int](`Object.fromEntries([...document.querySelectorAll("[data-chart]")]
				.map((e) => [e.dataset.chart, e.querySelectorAll("svg path[fill]:not([fill=none])").length]))`))
			for _, chart := range []string{"traffic", "hours", "visitors", "lengths", "depths", "sessions", "sizes"} {
				if shapes[chart] < 3 {
					t.Errorf("chart %s has %d shapes", chart, shapes[chart])
				}
			}
			if width := ask(t, b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > l.width {
				t.Errorf("the page is %d wide on a screen of %d: it scrolls sideways", width, l.width)
			}
			light := ask(t, b, chromedp.Evaluate[float64](`getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((a, x) => a + x / 765, 0)`))
			if (light < 0.5) != l.dark {
				t.Errorf("background lightness %.2f, dark wanted: %v", light, l.dark)
			}
			quiet(t, b)
		})
	}
}

// quiet fails when the console has complaints or the page asked for anything
// but itself.
func quiet(t *testing.T, b *tab) {
	t.Helper()
	if said := b.complaints(); len(said) > 0 {
		t.Errorf("console: %s", strings.Join(said, "\n"))
	}
	for _, url := range b.fetched() {
		if !strings.HasPrefix(url, "file://") || !strings.HasSuffix(url, "/report.html") {
			t.Errorf("the page fetched %.200s", url)
		}
	}
}

func TestTheTimeAxisZooms(t *testing.T) {
	b := open(t, written(t, collected(t, farm(3, 6_000, 4))), looks["desktop-light"])
	const shown = `(() => { const z = live.traffic.getOption().dataZoom[0]; return [z.start, z.end] })()`
	press := func(button string) []float64 {
		b.run(t, chromedp.Click(chromedp.CSS(`[data-zoom="`+button+`"]`)))
		return ask(t, b, chromedp.Evaluate[[]float64](shown))
	}
	caption := func() string {
		return ask(t, b, chromedp.Evaluate[string](`live.traffic.getOption().yAxis[0].name`))
	}
	whole := caption()
	for _, step := range []struct {
		button string
		want   []float64
	}{{"in", []float64{25, 75}}, {"left", []float64{0, 50}}, {"right", []float64{25, 75}}, {"in", []float64{37.5, 62.5}}, {"in", []float64{43.75, 56.25}}} {
		if got := press(step.button); !cmp.Equal(got, step.want) {
			t.Errorf("after %s the axis shows %v, want %v", step.button, got, step.want)
		}
	}
	if near := caption(); near == whole || !strings.Contains(near, "minute") {
		t.Errorf("zoomed in, a point still is %q (%q on the whole axis)", near, whole)
	}
	const lines = `[0, 1].map((i) => Math.round(live.traffic.convertToPixel({ xAxisIndex: i }, live.traffic.getOption().series[0].data[3][0])))`
	if at := ask(t, b, chromedp.Evaluate[[]int64](lines)); at[0] != at[1] {
		t.Errorf("the same time stands at %d in the upper and at %d in the lower chart", at[0], at[1])
	}
	if got := press("all"); !cmp.Equal(got, []float64{0, 100}) || caption() != whole {
		t.Errorf("after all the axis shows %v %q", got, caption())
	}
	quiet(t, b)
}

func TestPointingAtTheChartTellsItsNumbers(t *testing.T) {
	d := collected(t, farm(3, 6_000, 1))
	b := open(t, written(t, d), looks["desktop-light"])
	text := ask(t, b, chromedp.Evaluate[string](`(() => {
		const i = live.traffic.getOption().series[0].data.length / 2 | 0;
		live.traffic.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: i });
		return document.querySelector("[data-chart=traffic] .tip").innerText;
	})()`))
	for _, want := range []string{"15 Aug", "2xx", "all", "5xx share"} {
		if !strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), want) {
			t.Errorf("tooltip %q does not say %q", text, want)
		}
	}
}

func TestPaperIsLightAndNothingIsCutOff(t *testing.T) {
	b := open(t, written(t, collected(t, farm(3, 6_000, 2))), looks["desktop-dark"])
	const paper = 688 // A4 without margins, in CSS pixels
	b.run(t,
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: paper, Height: 1000, DeviceScaleFactor: 1}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}),
		chromedp.Evaluate[chromedp.Void](`void dispatchEvent(new Event("beforeprint"))`),
	)
	if width := ask(t, b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > paper {
		t.Errorf("the page is %d wide on paper of %d", width, paper)
	}
	if color := ask(t, b, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`)); color != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s", color)
	}
	if cut := ask(t, b, chromedp.Evaluate[int64](`[...document.querySelectorAll(".scroll")].filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight + 1 && getComputedStyle(e).overflowY !== "visible").length`)); cut > 0 {
		t.Errorf("%d tables are cut off on paper", cut)
	}
	quiet(t, b)
}

func TestChartsFollowTheColourScheme(t *testing.T) {
	b := open(t, written(t, collected(t, farm(3, 2_000, 1))), looks["desktop-light"])
	const color = `live.traffic.getOption().series[0].itemStyle.color`
	before := ask(t, b, chromedp.Evaluate[string](color))
	b.run(t, call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	}))
	changed := ask(t, b, chromedp.Poll[bool](color+` !== "`+before+`"`))
	if !changed {
		t.Errorf("still %s in the dark", before)
	}
}

// Every string of the data is replaced by text that tries to become markup or
// script. On the page it must be text and nothing else.
func TestHostileTextStaysText(t *testing.T) {
	d := collected(t, farm(4, 6_000, 2))
	n := 0
	poison(reflect.ValueOf(&d).Elem(), &n)
	b := open(t, written(t, d), looks["desktop-light"])
	if broken := ask(t, b, chromedp.Evaluate[bool](`"broken" in window`)); broken {
		t.Error("hostile text ran as script")
	}
	strange := ask(t, b, chromedp.Evaluate[[]string](`[...document.querySelectorAll("img, iframe, object, embed, b b, section script:not([type='application/json']), [onerror], [onload], svg[onload]")].map((e) => e.outerHTML.slice(0, 120))`))
	if len(strange) > 0 {
		t.Errorf("hostile text became elements: %q", strange)
	}
	text := ask(t, b, chromedp.Evaluate[string](`document.body.textContent`))
	for _, h := range hostile[:4] {
		if !strings.Contains(text, h) {
			t.Errorf("the page does not show %q as it is", h)
		}
	}
	quiet(t, b)
}

// poison replaces all strings but those that the page reads as days.
func poison(v reflect.Value, n *int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), n)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			poison(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && v.Type().Field(i).Name != "Day" {
				poison(v.Field(i), n)
			}
		}
	case reflect.String:
		v.SetString(hostile[*n%len(hostile)])
		*n++
	}
}
