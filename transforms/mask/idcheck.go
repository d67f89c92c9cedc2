package mask

// Checks of national identifiers. Each gets the identifier without separators,
// letters in upper case, in the shape of its pattern.

// luhnFrom is the sum of ISO/IEC 7812-1 with a constant added.
func luhnFrom(add int, d []byte) bool {
	sum := add
	for i := len(d) - 1; i >= 0; i-- {
		n := int(d[i] - '0')
		if (len(d)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// weigh is the sum of digits times weights.
func weigh(d []byte, weights ...int) (sum int) {
	for i, w := range weights {
		sum += w * int(d[i]-'0')
	}
	return sum
}

func same(d []byte) bool {
	for _, c := range d {
		if c != d[0] {
			return false
		}
	}
	return true
}

// validSSN follows the numbering of the Social Security Administration, less
// two numbers that were printed in advertisements.
func validSSN(d []byte) bool {
	area, group, serial := string(d[:3]), string(d[3:5]), string(d[5:])
	return area != "000" && area != "666" && d[0] != '9' && group != "00" && serial != "0000" &&
		string(d) != "078051120" && string(d) != "219099999"
}

func validITIN(d []byte) bool {
	g := int(d[3]-'0')*10 + int(d[4]-'0')
	return d[0] == '9' && (g >= 50 && g <= 65 || g >= 70 && g <= 88 || g >= 90 && g <= 92 || g >= 94 && g <= 99)
}

// validMBI: no S, L, O, I, B, Z; positions by the format of CMS.
func validMBI(b []byte) bool {
	for i, kind := range "DAXDAXDAADD" { // digit, letter, either
		c := b[i]
		letter := isUpper(c) && c != 'S' && c != 'L' && c != 'O' && c != 'I' && c != 'B' && c != 'Z'
		switch {
		case kind == 'D' && !isDigit(c), kind == 'A' && !letter, kind == 'X' && !letter && !isDigit(c):
			return false
		}
	}
	return b[0] != '0'
}

// validNPI prefixes 80840, whose part of the sum is 24.
func validNPI(d []byte) bool { return (d[0] == '1' || d[0] == '2') && luhnFrom(24, d) }

func validRouting(d []byte) bool {
	return (d[0] <= '3' || d[0] == '6' || d[0] == '7' || d[0] == '8') && !same(d) && weigh(d, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0
}

// validINPAN: the fourth letter is the kind of holder.
func validINPAN(b []byte) bool {
	switch b[3] {
	case 'A', 'B', 'C', 'F', 'G', 'H', 'J', 'L', 'P', 'T', 'K':
		return true
	}
	return false
}

func validNHS(d []byte) bool {
	check := 11 - weigh(d, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return check != 10 && check%11 == int(d[9]-'0') && !same(d)
}

// validNINO follows the prefixes that HMRC allots.
func validNINO(b []byte) bool {
	for _, c := range b[:2] {
		switch c {
		case 'D', 'F', 'I', 'Q', 'U', 'V':
			return false
		}
	}
	switch string(b[:2]) {
	case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
		return false
	}
	return b[1] != 'O' && b[8] >= 'A' && b[8] <= 'D'
}

func validTFN(d []byte) bool { return !same(d) && weigh(d, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 }

func validMedicare(d []byte) bool {
	return d[0] >= '2' && d[0] <= '6' && weigh(d, 1, 3, 7, 9, 1, 3, 7, 9)%10 == int(d[8]-'0')
}

func validSIN(d []byte) bool { return d[0] != '0' && d[0] != '8' && Luhn(d) }

// validSteuerID is ISO/IEC 7064 mod 11,10 over ten digits of which one stands
// two or three times and another is missing.
func validSteuerID(d []byte) bool {
	var count [10]int
	product := 10
	for _, c := range d[:10] {
		count[c-'0']++
		sum := (int(c-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	repeated := 0
	for _, n := range count {
		if n > 3 {
			return false
		}
		if n > 1 {
			repeated++
		}
	}
	return d[0] != '0' && repeated == 1 && (11-product)%10 == int(d[10]-'0')
}

const nifLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

// validNIF: the letter is the number modulo 23; X, Y, Z of a NIE count 0, 1, 2.
func validNIF(b []byte) bool {
	n := 0
	for _, c := range b[:len(b)-1] {
		if isUpper(c) {
			c = c - 'X' + '0'
		}
		n = n*10 + int(c-'0')
	}
	return nifLetters[n%23] == b[len(b)-1]
}

// validPESEL: a weighted sum, and a date of birth with the century in the month.
func validPESEL(d []byte) bool {
	month, day := (int(d[2]-'0')*10+int(d[3]-'0'))%20, int(d[4]-'0')*10+int(d[5]-'0')
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
		weigh(d, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

// validFiscal is the check letter of the Codice Fiscale.
func validFiscal(b []byte) bool {
	sum := 0
	for i, c := range b[:15] {
		n := int(c - 'A')
		if isDigit(c) {
			n = int(c - '0')
		}
		if i%2 == 0 {
			n = fiscalOdd[n]
		}
		sum += n
	}
	return b[15] == byte('A'+sum%26)
}

// validAadhaar is Verhoeff's check over twelve digits, the first 2 to 9, no
// palindrome.
func validAadhaar(d []byte) bool {
	if d[0] < '2' {
		return false
	}
	c, palindrome := 0, true
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		c = dihedral(c, verhoeff[i%8][n])
		palindrome = palindrome && d[i] == d[len(d)-1-i]
	}
	return c == 0 && !palindrome
}

// verhoeff permutes a digit by its position.
var verhoeff = func() (t [8][10]int) {
	first := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	for d := range 10 {
		t[0][d] = d
		for i := 1; i < 8; i++ {
			t[i][d] = first[t[i-1][d]]
		}
	}
	return t
}()

// dihedral is the product in the group of the pentagon: 0 to 4 turn, 5 to 9
// turn and flip.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return (a+b-5)%5 + 5
	case b < 5:
		return (a-5-b+5)%5 + 5
	}
	return (a - b + 10) % 5
}

// fiscalOdd are the values of characters in odd places of a Codice Fiscale; a
// digit counts as the letter of its number.
var fiscalOdd = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
