package clickevents

import "millrace/schemas/clickstream"

// Needs say which columns of the rows somebody reads: others are null, and what they
// would take is not done. Columns that cannot be null are always there.
type Needs struct {
	// ItemTexts asks for names, categories, brands and variants in the column items.
	ItemTexts bool
	// IDs asks for Rows.IDs.
	IDs bool

	columns []bool
}

// AllNeeds are those of who writes events.
func AllNeeds() Needs {
	n := OnlyNeeds()
	for col := range n.columns {
		n.columns[col] = true
	}
	n.ItemTexts = true
	return n
}

// OnlyNeeds are those of who reads some columns.
func OnlyNeeds(columns ...int) Needs {
	n := Needs{columns: make([]bool, len(clickstream.Events.Columns))}
	for col, c := range clickstream.Events.Columns {
		n.columns[col] = !c.Null
	}
	for _, always := range []int{clickstream.EventArrivalTime, clickstream.EventLateByMs, clickstream.EventSequence} {
		n.columns[always] = true // they cost nothing
	}
	for _, col := range columns {
		n.columns[col] = true
	}
	return n
}

// Add asks for a column.
func (n *Needs) Add(column int) { n.columns[column] = true }

func (n *Needs) traffic() bool {
	for col := clickstream.EventTrafficSource; col <= clickstream.EventTrafficChannel; col++ {
		if n.columns[col] {
			return true
		}
	}
	return false
}
