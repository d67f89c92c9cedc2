package enrich

import "math"

// maxStates is what a uint16 can number.
const maxStates = math.MaxUint16

// trie holds patterns until all are known.
type trie struct {
	children []map[byte]int
	first    []int // the first list entry that ends here, plus one
}

func newTrie() *trie {
	return &trie{children: []map[byte]int{{}}, first: []int{0}}
}

// add adds a pattern as entry n, counted from 1.
func (t *trie) add(pattern string, n int) {
	state := 0
	for i := range len(pattern) {
		child, ok := t.children[state][pattern[i]]
		if !ok {
			child = len(t.children)
			t.children = append(t.children, map[byte]int{})
			t.first = append(t.first, 0)
			t.children[state][pattern[i]] = child
		}
		state = child
	}
	t.first[state] = n
}

// automaton turns the trie into a table with a transition for every state and
// class of bytes: where the trie has none, that of the longest suffix which is a
// state too.
func (t *trie) automaton() *Bots {
	b := &Bots{classes: 1}
	for _, children := range t.children {
		for c := range children {
			b.class[c] = 1 // numbered below, in the order of bytes
		}
	}
	for c := range b.class {
		if b.class[c] != 0 {
			b.class[c] = uint8(b.classes)
			b.classes++
		}
	}
	b.next = make([]uint16, len(t.children)*b.classes)
	b.first = make([]uint16, len(t.children))
	suffix := make([]int, len(t.children))
	queue := []int{0}
	for len(queue) > 0 { // breadth first: a suffix is complete before it is needed
		state := queue[0]
		queue = queue[1:]
		b.first[state] = earlier(uint16(t.first[state]), b.first[suffix[state]])
		row := b.next[state*b.classes : (state+1)*b.classes]
		if state != 0 {
			copy(row, b.next[suffix[state]*b.classes:(suffix[state]+1)*b.classes])
		}
		for c := range len(b.class) {
			child, ok := t.children[state][byte(c)]
			if !ok {
				continue
			}
			class := b.class[c]
			if state != 0 {
				suffix[child] = int(row[class]) // before it is replaced
			}
			row[class] = uint16(child)
			queue = append(queue, child)
		}
	}
	return b
}
