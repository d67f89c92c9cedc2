package funnels

// Answer is what a question found. Answers of disjoint visitors merge, in any order.
type Answer struct {
	Question  Question
	Visitors  []int64 // window funnel: by level, those who went that far or further; retention: by condition; sequence: one number, those who match
	Matches   int64   // of a sequence: those that do not overlap, of all visitors
	Truncated int64   // visitors of whom events were not looked at, see Options
	took      durations
}

// Total is how long a sequence took all visitors who match: from the first to the last event of
// each one's first match, in milliseconds.
func (a *Answer) Total() int64 { return a.took.total() }

// Average is the mean of the same; false when nobody matches.
func (a *Answer) Average() (float64, bool) { return a.took.average() }

// Median is the median of the same; of an even number, the mean of the middle two.
func (a *Answer) Median() (float64, bool) { return a.took.median() }

// MergeAnswers adds answers to the same questions by other visitors.
func MergeAnswers(to, from []Answer) {
	for i := range to {
		for k, n := range from[i].Visitors {
			to[i].Visitors[k] += n
		}
		to[i].Matches += from[i].Matches
		to[i].Truncated += from[i].Truncated
		to[i].took = append(to[i].took, from[i].took...)
	}
}

// answer counts a visitor.
func (a *asked) answer(hits []Hit, to *Answer) error {
	switch a.Kind {
	case WindowFunnels:
		for level := range WindowFunnel(hits, len(a.Conditions), a.Within.Milliseconds(), a.mode) {
			to.Visitors[level]++
		}
	case Retentions:
		union := uint64(0)
		for _, h := range hits {
			union |= h.Steps
		}
		Retention(to.Visitors).Add(union)
	default:
		return a.sequence(hits, to)
	}
	return nil
}

func (a *asked) sequence(hits []Hit, to *Answer) error {
	n, err := a.pattern.Count(hits)
	if n == 0 || err != nil {
		return err
	}
	times, err := a.pattern.Events(hits)
	if err != nil {
		return err
	}
	to.Visitors[0]++
	to.Matches += int64(n)
	to.took = append(to.took, times[len(times)-1]-times[0])
	return nil
}
