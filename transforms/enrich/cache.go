package enrich

import (
	"net/netip"
	"sync"
)

// cache remembers answers by key. One goroutine uses it. Its size is bounded: what
// was not asked for while a half filled up is dropped, and never shows.
type cache[K comparable, V any] struct{ recent, before map[K]V }

// cachedAnswers is how many answers one half holds.
const cachedAnswers = 1 << 13

func newCache[K comparable, V any]() cache[K, V] {
	return cache[K, V]{map[K]V{}, map[K]V{}}
}

func (c *cache[K, V]) put(key K, v V) {
	if len(c.recent) >= cachedAnswers {
		c.before, c.recent = c.recent, map[K]V{}
	}
	c.recent[key] = v
}

// AgentCache remembers what Agents said. One goroutine uses it.
type AgentCache struct {
	agents *Agents
	cache  cache[string, *Agent]
}

// NewAgentCache makes a cache in front of rules.
func NewAgentCache(a *Agents) *AgentCache {
	return &AgentCache{a, newCache[string, *Agent]()}
}

// Version is that of the rules.
func (c *AgentCache) Version() string { return c.agents.version }

// Parse is Agents.Parse. The result is shared: it must not be changed.
func (c *AgentCache) Parse(userAgent []byte) *Agent {
	if a, ok := c.cache.recent[string(userAgent)]; ok {
		return a
	}
	a, ok := c.cache.before[string(userAgent)]
	if !ok {
		said := c.agents.Parse(string(userAgent))
		a = &said
	}
	c.cache.put(string(userAgent), a)
	return a
}

// Known is Agents.Parse with a memory that all goroutines share, so that a user agent
// is worked out once in a process. The result must not be changed.
func (a *Agents) Known(userAgent []byte) *Agent {
	userAgent = userAgent[:min(len(userAgent), maxAgent)]
	a.known.mu.RLock()
	said, ok := a.known.recent[string(userAgent)]
	if !ok {
		said, ok = a.known.before[string(userAgent)]
	}
	a.known.mu.RUnlock()
	if ok {
		return said
	}
	parsed := a.Parse(string(userAgent))
	a.known.mu.Lock()
	defer a.known.mu.Unlock()
	if a.known.recent == nil {
		a.known.cache = newCache[string, *Agent]()
	}
	a.known.put(string(userAgent), &parsed)
	return &parsed
}

// sharedCache is a cache for many goroutines.
type sharedCache struct {
	mu sync.RWMutex
	cache[string, *Agent]
}

// GeoCache remembers what a Geo said. One goroutine uses it. Where an address
// stands in the database is looked up each time; what stands there is read once.
type GeoCache struct {
	geo   *Geo
	cache cache[uintptr, *answer]
}

type answer struct {
	Place
	err error
}

// NewGeoCache makes a cache in front of a database.
func NewGeoCache(g *Geo) *GeoCache { return &GeoCache{g, newCache[uintptr, *answer]()} }

// Version is that of the database.
func (c *GeoCache) Version() string { return c.geo.version }

// Lookup is Geo.Lookup. The place is shared by the addresses that have it: it must
// not be changed.
func (c *GeoCache) Lookup(addr netip.Addr) (p *Place, ok bool, err error) {
	at, ok, err := c.geo.find(addr)
	if !ok || err != nil {
		return nil, false, err
	}
	a, hit := c.cache.recent[at]
	if !hit {
		if a, hit = c.cache.before[at]; !hit {
			a = &answer{}
			a.Place, a.err = c.geo.read(at)
		}
		c.cache.put(at, a)
	}
	return &a.Place, a.err == nil, a.err
}
