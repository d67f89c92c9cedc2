package nab

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// Report is what a detector reached on a corpus.
type Report struct {
	Results    []Result // of the three profiles
	Categories []string
	Detections Detections
	Files      int
}

// Detections says what a threshold means in daily work.
type Detections struct {
	Rows, Count int // judged; with a score at the threshold or above
	False       int // of these, outside of windows
	Windows     int // that end after the probation
	Found       int
	Delay       float64 // median over windows found: share of the window that is over at its first detection
	DelayRows   int     // the same in rows
}

// NewReport scores all series under the three profiles. The detections are those
// at the threshold of the standard one.
func NewReport(all []Series) *Report {
	r := &Report{Categories: categories(all), Files: len(all)}
	for _, p := range Profiles {
		r.Results = append(r.Results, Score(all, p))
	}
	r.Detections = Detect(all, r.Results[0].Threshold)
	return r
}

// Detect counts the detections at a threshold.
func Detect(all []Series, threshold float64) Detections {
	var d Detections
	var delays []float64
	var rows []int
	for i := range all {
		s := &all[i]
		from := Probation(len(s.Scores))
		inside := make([]bool, len(s.Scores))
		for _, w := range s.Windows {
			first := -1
			for row := w.First; row <= w.Last; row++ {
				inside[row] = true
				if first < 0 && row >= from && s.Scores[row] >= threshold {
					first = row
				}
			}
			if w.Last >= from {
				d.Windows++
			}
			if first >= 0 {
				d.Found++
				rows = append(rows, first-w.First)
				delays = append(delays, float64(first-w.First)/float64(w.Last-w.First+1))
			}
		}
		for row := from; row < len(s.Scores); row++ {
			d.Rows++
			if s.Scores[row] < threshold {
				continue
			}
			d.Count++
			if !inside[row] {
				d.False++
			}
		}
	}
	if d.Found > 0 {
		slices.Sort(delays)
		slices.Sort(rows)
		d.Delay, d.DelayRows = delays[len(delays)/2], rows[len(rows)/2]
	}
	return d
}

// Write prints the report as text.
func (r *Report) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "score\t")
	for _, res := range r.Results {
		fmt.Fprintf(w, "%s\t", res.Profile.Name)
	}
	fmt.Fprintf(w, "\nall %d files\t", r.Files)
	for _, res := range r.Results {
		fmt.Fprintf(w, "%.2f\t", res.Score)
	}
	for _, c := range r.Categories {
		fmt.Fprintf(w, "\n%s\t", c)
		for _, res := range r.Results {
			if v := res.ByCategory[c]; math.IsNaN(v) {
				fmt.Fprint(w, "no windows\t")
			} else {
				fmt.Fprintf(w, "%.2f\t", v)
			}
		}
	}
	fmt.Fprint(w, "\nthreshold\t")
	for _, res := range r.Results {
		fmt.Fprintf(w, "%.4f\t", res.Threshold)
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s", r.Detections)
	return err
}

// String is two lines of text.
func (d Detections) String() string {
	return fmt.Sprintf("At the standard threshold: %d of %d windows found, %d detections in %d rows (%.2f in 1,000), %d of them outside of windows.\nMedian delay: %d rows, %.0f %% of the window.\n",
		d.Found, d.Windows, d.Count, d.Rows, 1000*float64(d.Count)/float64(max(d.Rows, 1)), d.False, d.DelayRows, 100*d.Delay)
}

// WriteMarkdown prints the report as tables.
func (r *Report) WriteMarkdown(out io.Writer) error {
	fmt.Fprint(out, "| |")
	for _, res := range r.Results {
		fmt.Fprintf(out, " %s |", res.Profile.Name)
	}
	fmt.Fprint(out, "\n|---|---:|---:|---:|\n")
	line := func(name string, value func(Result) float64, digits int) {
		fmt.Fprintf(out, "| %s |", name)
		for _, res := range r.Results {
			if v := value(res); math.IsNaN(v) {
				fmt.Fprint(out, " no windows |")
			} else {
				fmt.Fprintf(out, " %.*f |", digits, v)
			}
		}
		fmt.Fprintln(out)
	}
	line(fmt.Sprintf("all %d files", r.Files), func(res Result) float64 { return res.Score }, 2)
	for _, c := range r.Categories {
		line(c, func(res Result) float64 { return res.ByCategory[c] }, 2)
	}
	line("threshold", func(res Result) float64 { return res.Threshold }, 4)
	_, err := fmt.Fprintf(out, "\n%s", r.Detections)
	return err
}
