package clickevents

// maxAmount bounds amounts in minor units, and what an item costs times its quantity,
// so that sums of a million of them cannot overflow.
const maxAmount = 1 << 42

// minor reads an amount: whole minor units, or decimal with so many digits after the
// point, exactly. It is a JSON number, or a string of one; exponents of ten are refused.
func minor(text []byte, digits int, whole bool) (n int64, ok bool) {
	if len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	if whole {
		digits = 0
	}
	after, seen := -1, 0 // digits after the point; -1 before it
	for _, c := range text {
		switch {
		case c == '.' && after < 0 && seen > 0 && !whole:
			after = 0
			continue
		case c-'0' > 9:
			return 0, false
		}
		seen++
		if after >= 0 {
			if after++; after > digits {
				if c != '0' {
					return 0, false
				}
				continue
			}
		}
		if n = n*10 + int64(c-'0'); n > maxAmount {
			return 0, false
		}
	}
	if seen == 0 || after == 0 {
		return 0, false
	}
	for i := max(after, 0); i < digits; i++ {
		if n *= 10; n > maxAmount {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}
