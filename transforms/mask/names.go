package mask

import "strings"

// SecretName names parameters whose values are secrets. Names are compared in
// lower case and without the characters _ - . [ ], so "apikey" stands for
// api_key, API-Key and apiKey, too.
type SecretName struct {
	Name string
	// Suffix makes every name that ends in Name match: with "token" also
	// csrf_token and user[token].
	Suffix bool
	// MinLen leaves shorter values alone; for names with an innocent meaning,
	// too. 1 when zero.
	MinLen int
}

// DefaultSecrets returns the names that are secrets unless Options say
// otherwise: what logs people or machines in, and what signs. Two innocent
// words are secrets when their values are long, the code of an OAuth redirect
// and the ticket of CAS.
func DefaultSecrets() []SecretName {
	var out []SecretName
	for _, n := range []string{
		"token", "password", "passwd", "passphrase", "pwd", "secret", "signature", "credential", "credentials",
		"apikey", "accesskey", "secretkey", "privatekey", "sessionid", "sessid", "authorization",
	} {
		out = append(out, SecretName{Name: n, Suffix: true})
	}
	for _, n := range []string{
		"key", "sig", "pass", "session", "sid", "connectsid", "auth", "jwt", "bearer", "otp", "cvv", "cvc", "csrf",
		"cookie", "samlresponse", "idtokenhint", "awsaccesskeyid",
	} {
		out = append(out, SecretName{Name: n})
	}
	return append(out, SecretName{Name: "code", MinLen: 20}, SecretName{Name: "ticket", MinLen: 20})
}

// nameSet looks names up. Most names are dismissed by their last two letters.
type nameSet struct {
	ends   [1 << 10]bool // by the low five bits of the last two characters
	exact  map[string]int
	suffix []SecretName
}

func newNameSet(names []SecretName) nameSet {
	s := nameSet{exact: map[string]int{}}
	for _, n := range names {
		n.Name = string(appendFolded(nil, []byte(n.Name)))
		n.MinLen = max(n.MinLen, 1)
		if n.Name == "" {
			continue
		}
		if n.Suffix {
			s.suffix = append(s.suffix, n)
		} else {
			s.exact[n.Name] = n.MinLen
		}
		if len(n.Name) == 1 {
			for c := range 32 {
				s.ends[c<<5|int(n.Name[0]&31)] = true
			}
		} else {
			s.ends[lastTwo([]byte(n.Name))] = true
		}
	}
	return s
}

// maxName bounds the part of a name that is looked at.
const maxName = 64

// match returns the least length a parameter's value must have to be a secret,
// or 0 when the name is not a secret's.
func (s *nameSet) match(name []byte) int {
	for len(name) > 0 && name[len(name)-1] == ']' {
		name = name[:len(name)-1]
	}
	if len(name) == 0 {
		return 0
	}
	if len(name) >= 2 && isAlnum(name[len(name)-2]) && !s.ends[lastTwo(name)] {
		return 0
	}
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	var buf [maxName]byte
	folded := appendFolded(buf[:0], name)
	if n := s.exact[string(folded)]; n > 0 {
		return n
	}
	for i := range s.suffix {
		if n := &s.suffix[i]; strings.HasSuffix(string(folded), n.Name) {
			return n.MinLen
		}
	}
	return 0
}

func lastTwo(b []byte) int { return int(b[len(b)-2]&31)<<5 | int(b[len(b)-1]&31) }

// appendFolded appends a name in lower case and without punctuation.
func appendFolded(dst, name []byte) []byte {
	for _, c := range name {
		if isAlnum(c) {
			dst = append(dst, lower(c))
		}
	}
	return dst
}
