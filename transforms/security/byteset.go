package security

// byteSet says which kinds of bytes a text has: each letter, digits, each sign, and
// all others. A pattern whose kinds are not all in a text is not in it either, which
// spares most searches.
type byteSet uint64

// What each byte is in a text that is looked at, and the set of it alone: letters in
// lower case, '+' as a space.
var normal, kindsOf = byteTables()

func byteTables() (normal [256]byte, kindsOf [256]byteSet) {
	const digits, others, firstSign = 26, 27, 28
	sign := firstSign
	for i := range normal {
		c := byte(i)
		switch {
		case c-'A' < 26:
			normal[i], kindsOf[i] = c+'a'-'A', 1<<(c-'A')
		case c-'a' < 26:
			normal[i], kindsOf[i] = c, 1<<(c-'a')
		case c-'0' < 10:
			normal[i], kindsOf[i] = c, 1<<digits
		case c >= ' ' && c <= '~': // 33 signs
			normal[i], kindsOf[i] = c, 1<<sign
			sign++
		default:
			normal[i], kindsOf[i] = c, 1<<others
		}
	}
	normal['+'], kindsOf['+'] = ' ', kindsOf[' ']
	return normal, kindsOf
}

func kinds[T ~string | ~[]byte](text T) (s byteSet) {
	for i := range len(text) {
		s |= kindsOf[text[i]]
	}
	return s
}

func (s byteSet) has(all byteSet) bool { return all&^s == 0 }

var (
	percent  = kinds("%")
	comment  = kinds("/*")
	space    = kinds(" ")
	equals   = kinds("=")
	triggers = kinds(` '"<;:({|`) // of which one is in nearly every injection, and seldom in what people ask for
)
