package funnels

// matching gives steps rows of one moment, each row to one step at most: bipartite
// matching by augmenting paths, one step after another.
type matching struct {
	rows  [MaxSteps][]int32 // that satisfy a step: as many as can ever be needed
	given [MaxSteps]int32   // row of a step
	steps []int             // that have a row
	bar   int32             // a row that may not be given
	seen  []int32           // rows that the search has tried
}

const noRow = -1

// reset begins a moment of so many rows, of which bits tells the steps.
func (m *matching) reset(steps, rows int, bits func(row int) uint64) {
	for s := range steps {
		m.rows[s] = m.rows[s][:0]
		// Of one more than there are steps, one is always free.
		for i := 0; i < rows && len(m.rows[s]) <= steps; i++ {
			if bits(i)>>s&1 != 0 {
				m.rows[s] = append(m.rows[s], int32(i))
			}
		}
	}
	m.begin(noRow)
}

// begin takes all rows back, and bars one.
func (m *matching) begin(bar int) {
	m.steps, m.bar = m.steps[:0], int32(bar)
}

// add gives a step a row, if need be by giving others another one.
func (m *matching) add(step int) bool {
	m.seen = m.seen[:0]
	if !m.augment(step) {
		return false
	}
	m.steps = append(m.steps, step)
	return true
}

func (m *matching) augment(step int) bool {
next:
	for _, row := range m.rows[step] {
		if row == m.bar {
			continue
		}
		for _, s := range m.seen {
			if s == row {
				continue next
			}
		}
		m.seen = append(m.seen, row)
		owner := m.owner(row)
		if owner < 0 || m.augment(owner) {
			m.given[step] = row
			return true
		}
	}
	return false
}

func (m *matching) owner(row int32) int {
	for _, s := range m.steps {
		if m.given[s] == row {
			return s
		}
	}
	return -1
}
