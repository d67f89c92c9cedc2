package mask

// Luhn tells whether digits (ASCII) end in the right check digit of ISO/IEC
// 7812-1. Anything but digits, and nothing at all, is invalid.
func Luhn(digits []byte) bool {
	sum := 0
	for i := len(digits) - 1; i >= 0; i-- {
		if !isDigit(digits[i]) {
			return false
		}
		d := int(digits[i] - '0')
		if (len(digits)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(digits) > 0 && sum%10 == 0
}

// IsPAN tells whether digits are a card number: 12 to 19 digits that begin with
// an issuer's range of that length and pass Luhn. All zeros are none.
func IsPAN(digits []byte) bool {
	return len(digits) >= minPAN && len(digits) <= maxPAN && knownIssuer(digits) && Luhn(digits)
}

const minPAN, maxPAN = 12, 19

// issuers lists the ranges of the first six digits, per network, with the
// lengths the network issues (ISO/IEC 7812 ranges as the networks publish
// them). UATP (1...) is left out: it would catch epoch timestamps.
var issuers = [...]struct {
	lo, hi   int // first six digits
	min, max int // length
	only     int // 0, or a bit set of lengths between min and max
}{
	{400000, 499999, 13, 19, 1<<13 | 1<<16 | 1<<19}, // Visa
	{510000, 559999, 16, 16, 0},                     // Mastercard
	{222100, 272099, 16, 16, 0},                     // Mastercard
	{340000, 349999, 15, 15, 0},                     // American Express
	{370000, 379999, 15, 15, 0},                     // American Express
	{300000, 305999, 14, 19, 0},                     // Diners Club
	{309500, 309599, 14, 19, 0},                     // Diners Club
	{360000, 369999, 14, 19, 0},                     // Diners Club
	{380000, 399999, 14, 19, 0},                     // Diners Club
	{350000, 359999, 16, 19, 0},                     // JCB (3528 to 3589; what passes for it, too)
	{180000, 180099, 15, 15, 0},                     // JCB
	{213100, 213199, 15, 15, 0},                     // JCB
	{600000, 609999, 16, 19, 0},                     // Discover (6011), RuPay, Hipercard
	{620000, 629999, 16, 19, 0},                     // UnionPay
	{637000, 638999, 16, 16, 0},                     // InstaPayment
	{640000, 659999, 16, 19, 0},                     // Discover
	{810000, 829999, 16, 19, 0},                     // UnionPay, RuPay
	{220000, 220499, 16, 19, 0},                     // Mir
	{979200, 979299, 16, 16, 0},                     // Troy
	{500000, 509999, 12, 19, 0},                     // Maestro, Verve
	{560000, 589999, 12, 19, 0},                     // Maestro
	{630400, 630499, 12, 19, 0},                     // Maestro
	{639000, 639999, 12, 19, 0},                     // Maestro
	{670000, 679999, 12, 19, 0},                     // Maestro
}

func knownIssuer(digits []byte) bool {
	head := 0
	for _, c := range digits[:6] {
		head = head*10 + int(c-'0')
	}
	n := len(digits)
	for i := range issuers {
		r := &issuers[i]
		if head >= r.lo && head <= r.hi && n >= r.min && n <= r.max && (r.only == 0 || r.only>>n&1 == 1) {
			return true
		}
	}
	return false
}
