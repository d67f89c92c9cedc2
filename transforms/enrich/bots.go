package enrich

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

//go:embed bots.txt
var botList []byte

// DefaultBots is the list that comes with the program, bots.txt.
var DefaultBots = sync.OnceValue(func() *Bots {
	b, err := ParseBots(bytes.NewReader(botList))
	if err != nil {
		panic(err) // a test holds that the list is sound
	}
	return b
})

// Bots recognises bots by their user agent. It is safe for concurrent use.
//
// All patterns are looked for in one pass, with the automaton of Aho and
// Corasick ("Efficient string matching", CACM 1975), so the length of the list
// costs nothing.
type Bots struct {
	version string
	names   []string
	reasons []string   // why, by entry
	class   [256]uint8 // of a byte; bytes in no pattern share class 0
	classes int
	next    []uint16 // state and class -> state
	first   []uint16 // state -> the first list entry that ends here, plus one; 0 for none
}

// Bytes that stand for the ends of a user agent; there, they would be control
// characters and are read as a space.
const (
	begin = 0x02
	end   = 0x03
)

// ParseBots reads a list: a pattern, a tab and a name on each line. bots.txt
// explains it. Errors name the line, all of them.
func ParseBots(r io.Reader) (*Bots, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the bot list: %w", err)
	}
	var (
		build = newTrie()
		names []string
		why   []string
		lines = map[string]int{}
		errs  []error
	)
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pattern, name, err := parseBotLine(line)
		if err == nil && lines[pattern] > 0 {
			err = fmt.Errorf("pattern %q stands on line %d already", pattern, lines[pattern])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("bot list, line %d: %w", i+1, err))
			continue
		}
		lines[pattern] = i + 1
		names = append(names, name)
		why = append(why, reasonOf(pattern))
		build.add(anchored(pattern), len(names))
	}
	if len(build.first) > maxStates {
		errs = append(errs, fmt.Errorf("bot list: its patterns need %d states, %d are possible", len(build.first), maxStates))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	sum := sha256.Sum256(text)
	b := build.automaton()
	b.names, b.reasons, b.version = names, why, hex.EncodeToString(sum[:8])
	return b, nil
}

func parseBotLine(line string) (pattern, name string, err error) {
	pattern, name, ok := strings.Cut(line, "\t")
	name = strings.TrimSpace(name)
	switch {
	case !ok:
		return "", "", errors.New("no tab between pattern and name")
	case pattern == "" || pattern == "^" || pattern == "$":
		return "", "", errors.New("the pattern is empty and would match everything")
	case name == "":
		return "", "", fmt.Errorf("pattern %q has no name", pattern)
	case strings.ContainsFunc(pattern, func(r rune) bool { return r >= 'A' && r <= 'Z' }):
		return "", "", fmt.Errorf("pattern %q must be in lower case", pattern)
	case strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' }):
		return "", "", fmt.Errorf("pattern %q contains a control character", pattern)
	}
	return pattern, name, nil
}

func anchored(pattern string) string {
	if p, ok := strings.CutPrefix(pattern, "^"); ok {
		pattern = string(rune(begin)) + p
	}
	if p, ok := strings.CutSuffix(pattern, "$"); ok {
		pattern = p + string(rune(end))
	}
	return pattern
}

// Version identifies the list by its content: 16 hex digits of SHA-256.
func (b *Bots) Version() string { return b.version }

// Len is the number of patterns.
func (b *Bots) Len() int { return len(b.names) }

// Match returns the name of the bot whose user agent this is. It does not
// allocate and takes time by the length of the user agent alone; callers that
// see the same one often keep the answer all the same.
func (b *Bots) Match(userAgent []byte) (name string, ok bool) {
	n := b.find(userAgent)
	if n == 0 {
		return "", false
	}
	return b.names[n-1], true
}

// Why is Match with the reason: the pattern of the list that the user agent has,
// for example `user agent has "googlebot"`. It says nothing of the rest of it.
func (b *Bots) Why(userAgent []byte) (name, reason string, ok bool) {
	n := b.find(userAgent)
	if n == 0 {
		return "", "", false
	}
	return b.names[n-1], b.reasons[n-1], true
}

// find returns the first list entry in a user agent, plus one; 0 for none.
func (b *Bots) find(userAgent []byte) uint16 {
	state, best := b.step(0, begin), uint16(0)
	for _, c := range userAgent {
		state = b.step(state, fold(c))
		best = earlier(best, b.first[state])
	}
	return earlier(best, b.first[b.step(state, end)])
}

// reasonOf says in words what a pattern asks for.
func reasonOf(pattern string) string {
	text, first := strings.CutPrefix(pattern, "^")
	text, last := strings.CutSuffix(text, "$")
	switch {
	case first && last:
		return fmt.Sprintf("user agent is %q", text)
	case first:
		return fmt.Sprintf("user agent begins with %q", text)
	case last:
		return fmt.Sprintf("user agent ends with %q", text)
	}
	return fmt.Sprintf("user agent has %q", text)
}

func (b *Bots) step(state uint16, c byte) uint16 {
	return b.next[int(state)*b.classes+int(b.class[c])]
}

func fold(c byte) byte {
	switch {
	case c-'A' < 26:
		return c + 'a' - 'A'
	case c < ' ':
		return ' '
	}
	return c
}

// earlier is the one that stands first in the list; 0 is none.
func earlier(a, b uint16) uint16 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
