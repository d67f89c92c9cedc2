package generate

import "strconv"

// Who sends requests. People are numbered from 0 and everything about them
// follows from the number; the others are few and stand in Farm.others.

// actor is a client that is not one of the people.
type actor struct {
	addr, agent string
	bot         bool // the agent says so itself
}

// maxPeople bounds the numbers of people by the addresses there are for them.
const maxPeople = 50_000_000

// homes are first octets of addresses handed out to people. The networks of
// crawlers, monitors and attackers begin otherwise, so no address has two owners.
var homes = []string{
	"2.", "24.", "31.", "37.", "46.", "50.", "62.", "67.", "71.", "73.", "76.", "78.", "79.", "80.", "81.", "82.",
	"83.", "84.", "85.", "86.", "87.", "88.", "89.", "90.", "91.", "92.", "93.", "94.", "95.", "97.", "98.", "99.",
}

var carriers = []string{"2a02:8108:", "2a01:e0a:", "2001:4860:", "2600:1700:", "2a00:23c7:", "2409:4042:", "2804:14c:", "2a09:bac2:"}

// octets are the decimal numbers of a byte.
var octets = func() (t [256]string) {
	for i := range t {
		t[i] = strconv.Itoa(i)
	}
	return t
}()

// people derives who person v is.
type people struct {
	salt  uint64 // from the seed
	alone bool   // nobody shares an address, because the log has no agent to tell two apart
}

// household is whose address v uses. Every eighth person lives with the one before.
func (p people) household(v int) int {
	if v&7 == 5 && !p.alone {
		return v - 1
	}
	return v
}

func (p people) agent(v int) string {
	// Neighbours in the numbering have different agents, so those who share an
	// address remain two visitors.
	h := mix(p.salt ^ uint64(v&^1))
	i := int(h >> 40 % uint64(len(browsers)))
	if h>>32&1 == 1 {
		i = i * i / len(browsers) // the first ones are more common
	}
	if v&1 == 1 {
		i = (i + 1 + int(h>>16%uint64(len(browsers)-1))) % len(browsers)
	}
	return browsers[i]
}

// appendAddr writes the address of v. Multiplying by an odd number permutes the
// 29 bits below, so different households have different addresses. Every ninth
// one has IPv6.
func (p people) appendAddr(dst []byte, v int) []byte {
	h := p.household(v)
	x := uint32(uint64(h)*0x9e3779b1+p.salt) & (1<<29 - 1)
	if h%9 == 4 {
		dst = append(dst, carriers[x&7]...)
		dst = strconv.AppendUint(dst, uint64(x>>3&0xfff)+0x1000, 16)
		dst = append(dst, ':')
		dst = strconv.AppendUint(dst, uint64(x>>15)+1, 16)
		dst = append(dst, "::"...)
		return strconv.AppendUint(dst, mix(uint64(x))&0xffff|1, 16)
	}
	dst = append(dst, homes[x&31]...)
	dst = append(dst, octets[x>>5&255]...)
	dst = append(dst, '.')
	dst = append(dst, octets[x>>13&255]...)
	dst = append(dst, '.')
	return append(dst, octets[x>>21&255]...)
}

// isStaff tells whether v works for the shop and signs in by basic auth.
func isStaff(v int) bool { return v%61 == 7 }

var (
	firstNames = []string{"ada", "bo", "carla", "dmitri", "ewa", "farid", "greta", "hiro", "ines", "jonas", "kofi", "lena", "mina", "nils", "olga", "pablo"}
	lastNames  = []string{"adler", "brandt", "costa", "dahl", "engel", "fischer", "grant", "hale", "ito", "jensen", "klein", "lopez", "moreau", "novak", "okafor", "petrov"}
)

// appendUser writes the name under which v signs in; every fourth has a space.
func (p people) appendUser(dst []byte, v int) []byte {
	h := mix(p.salt + uint64(v))
	dst = append(dst, firstNames[h&15]...)
	if h>>4&3 == 0 {
		dst = append(dst, ' ')
	} else {
		dst = append(dst, '.')
	}
	dst = append(dst, lastNames[h>>6&15]...)
	return strconv.AppendInt(dst, int64(v/61), 10)
}
