package generate

// visitKind says who moves a visit on.
type visitKind uint8

const (
	person   visitKind = iota
	crawler            // an honest bot reading the site
	regular            // a monitor, or the crawler that never rests
	attacker           // one of the attacks of the truth
	stray              // one odd but valid line
)

// visit is an open visit, waiting for its next second.
type visit struct {
	kind     visitKind
	source   uint8 // of a person: where from, an index into sources
	campaign uint8 // of a person: 1 + index into campaigns, 0 for none
	assets   uint8 // files to load before the next page
	cached   bool  // the browser knows the common files
	posted   bool  // the form that leads to the page has been sent
	server   uint16
	who      int32 // number of the client
	left     int32 // pages, or lines, still to come
	plan     int32 // lines still to come, by estimate
	episode  int32 // of an attacker: index of its attack
	page     page
	prev     page
	due      int64
	at, next int32 // own index; the next visit of the same slot
}

// slots is one more than the longest wait, in seconds.
const slots = 4096

// wheel is a timing wheel: a queue of visits for each of the coming seconds.
type wheel struct {
	visits      []visit
	unused      []int32
	first, last [slots]int32 // 1 + index into visits; 0 for none
}

func (w *wheel) add(v visit) *visit {
	if n := len(w.unused); n > 0 {
		v.at = w.unused[n-1]
		w.unused = w.unused[:n-1]
		w.visits[v.at] = v
	} else {
		v.at = int32(len(w.visits))
		w.visits = append(w.visits, v)
	}
	return &w.visits[v.at]
}

func (w *wheel) free(v *visit) { w.unused = append(w.unused, v.at) }

// put queues v for a second that is not past.
func (w *wheel) put(v *visit, due int64) {
	v.due, v.next = due, 0
	slot := due % slots
	if w.first[slot] == 0 {
		w.first[slot] = v.at + 1
	} else {
		w.visits[w.last[slot]-1].next = v.at + 1
	}
	w.last[slot] = v.at + 1
}

// pop takes the visit that is first in line for this second, or nil. It is valid
// until the next add.
func (w *wheel) pop(second int64) *visit {
	slot := second % slots
	if w.first[slot] == 0 {
		return nil
	}
	v := &w.visits[w.first[slot]-1]
	w.first[slot] = v.next
	return v
}
