package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// thinSpace separates groups of three digits; it does not break a line.
const thinSpace = "\u202f"

var templateFuncs = template.FuncMap{
	"num": num, "fig": figure, "figBytes": figureBytes, "figTime": figureSpan,
	"bytes": byteSize, "span": span, "pct": percent, "money": money, "bar": bar,
	"day": dayName, "longday": longDay, "minute": minute, "clock": clock, "dates": dates, "spark": spark,
	"plural": plural, "key": shortKey, "amount": func(f *float64) string { return amount(*f) }, "word": word, "between": between, "sub": func(a, b int64) int64 { return a - b }, "value": amount, "token": shortToken, "count": func(all []Measured) int64 { return int64(len(all)) }, "sub1": func(n int) int { return n - 1 },
	"lower": strings.ToLower, "fixed": func(f float64) string { return num(int64(f + 0.5)) },
	"hours": func() (all [24]int) {
		for h := range all {
			all[h] = h
		}
		return all
	},
}

// num groups digits: 1 234 567.
func num(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	if len(digits) < 5 {
		return sign + digits
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(thinSpace)
		}
		b.WriteRune(c)
	}
	return b.String()
}

// figure marks a number so that a test, or a script, can find it by name and
// compare it with a query on the lake.
func figure(name string, n int64) template.HTML { return marked(name, n, num(n)) }

func figureBytes(name string, n int64) template.HTML { return marked(name, n, byteSize(n)) }

func figureSpan(name string, ms int64) template.HTML { return marked(name, ms, span(ms)) }

func marked(name string, n int64, shown string) template.HTML {
	//nolint:gosec // both texts are escaped
	return template.HTML(fmt.Sprintf(`<span class="n" data-figure="%s" data-value="%d">%s</span>`,
		template.HTMLEscapeString(name), n, template.HTMLEscapeString(shown)))
}

// amount writes a number that need not be whole: three digits of a small one.
func amount(f float64) string {
	if f == math.Trunc(f) || f >= 1000 || f <= -1000 {
		return num(int64(math.Round(min(max(f, -1<<53), 1<<53))))
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

// byteSize writes a size with three digits and a decimal unit.
func byteSize(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	f, u := float64(n), 0
	for f >= 999.5 && u < len(units)-1 {
		f, u = f/1000, u+1
	}
	return threeDigits(f, u == 0) + "\u00a0" + units[u]
}

func threeDigits(f float64, whole bool) string {
	switch {
	case whole || f >= 99.95:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 9.995:
		return strconv.FormatFloat(f, 'f', 1, 64)
	default:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
}

// span writes a duration in its two greatest units: 2 min 10 s.
func span(ms int64) string {
	const s, m, h, d = 1000, 60_000, 3_600_000, 86_400_000
	two := func(a int64, unit string, b int64, small string) string {
		out := num(a) + "\u00a0" + unit
		if b > 0 {
			out += " " + num(b) + "\u00a0" + small
		}
		return out
	}
	switch {
	case ms == 0:
		return "0\u00a0s"
	case ms < s:
		return num(ms) + "\u00a0ms"
	case ms < 10*s:
		return strconv.FormatFloat(float64(ms)/s, 'f', 1, 64) + "\u00a0s"
	case ms < m:
		return num(ms/s) + "\u00a0s"
	case ms < h:
		return two(ms/m, "min", ms%m/s, "s")
	case ms < d:
		return two(ms/h, "h", ms%h/m, "min")
	default:
		return two(ms/d, "d", ms%d/h, "h")
	}
}

// percent writes the share part/whole with enough digits to tell it from 0 and 1.
func percent(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part == 0:
		return "0%"
	case part == whole:
		return "100%"
	case p < 0.01:
		return "< 0.01%"
	case p < 1:
		return strconv.FormatFloat(p, 'f', 2, 64) + "%"
	case p > 99.9:
		return "> 99.9%"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	}
}

// bar is the length of a bar in percent.
func bar(part, whole int64) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 2, 64) + "%"
}

func minute(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2\u00a0Jan\u00a02006, 15:04")
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04") }

// dates writes the range of days from first to end (excluded).
func dates(first, end int64) string {
	a, b := time.UnixMilli(first).UTC(), time.UnixMilli(max(end-1, first)).UTC()
	const nb = "\u00a0"
	switch {
	case a.YearDay() == b.YearDay() && a.Year() == b.Year():
		return a.Format("2" + nb + "January" + nb + "2006")
	case a.Month() == b.Month() && a.Year() == b.Year():
		return a.Format("2") + "–" + b.Format("2"+nb+"January"+nb+"2006")
	case a.Year() == b.Year():
		return a.Format("2"+nb+"January") + " – " + b.Format("2"+nb+"January"+nb+"2006")
	default:
		return a.Format("2"+nb+"January"+nb+"2006") + " – " + b.Format("2"+nb+"January"+nb+"2006")
	}
}

// longDay writes a day for a sentence; text that is no day stays as it is.
func longDay(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format("2\u00a0January")
}

func plural(n int64, singular, many string) string { return num(n) + " " + word(n, singular, many) }

// word is the form of a word that follows a number.
func word(n int64, singular, many string) string {
	if n == 1 {
		return singular
	}
	return many
}

// between writes a range of time; on a single day the hours are enough.
func between(first, end int64) string {
	if dayName(first) == dayName(end-1) {
		if end%dayMs == 0 {
			return "from " + clock(first) + " to midnight"
		}
		return "from " + clock(first) + " to " + clock(end)
	}
	return "from " + minute(first) + " to " + minute(end)
}

// spark is the outline of a small line chart, 100 wide and 20 high.
func spark(values []int64) string {
	var top int64 = 1
	for _, v := range values {
		top = max(top, v)
	}
	var b strings.Builder
	for i, v := range values {
		x := 100 * float64(i) / float64(max(len(values)-1, 1))
		fmt.Fprintf(&b, "%.1f,%.1f ", x, 19-18*float64(v)/float64(top))
	}
	return strings.TrimSpace(b.String())
}
