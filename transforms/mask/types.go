package mask

import (
	"slices"
	"strings"
)

// Type says what a finding is.
type Type string

// The types of findings, in order of precedence where findings coincide. Those
// marked "context" have a shape that many innocent numbers share: a free text
// yields them only near a word that says so, or when Options.Assume names them.
const (
	JWT         Type = "jwt"               // JSON web token
	AWSKeyID    Type = "aws_access_key_id" // AKIA... or ASIA...
	AWSSecret   Type = "aws_secret_key"    // 40 characters near a key id
	Bearer      Type = "bearer"            // credentials after "Bearer "
	Basic       Type = "basic"             // credentials after "Basic "
	URLPassword Type = "url_password"      // scheme://user:password@host
	QuerySecret Type = "query_token"       // value of a parameter with a secret's name
	Email       Type = "email"
	Card        Type = "pan"               // 12 to 19 digits of a known issuer, Luhn
	IBAN        Type = "iban"              // length of its country, ISO 7064 mod 97-10
	IP          Type = "ip"                // IPv4 or IPv6
	MAC         Type = "mac"               // EUI-48
	Crypto      Type = "crypto"            // Bitcoin address: Base58Check or Bech32
	SSN         Type = "us_ssn"            // grouped; nine bare digits: context
	ITIN        Type = "us_itin"           // grouped; nine bare digits: context
	MBI         Type = "us_mbi"            // US Medicare beneficiary
	NPI         Type = "us_npi"            // US health provider, Luhn; context
	USBank      Type = "us_bank"           // US bank account; context
	Routing     Type = "aba_routing"       // US bank, weighted sum; context
	USPassport  Type = "us_passport"       // context
	USLicense   Type = "us_driver_license" // context
	Aadhaar     Type = "in_aadhaar"        // Verhoeff; context
	INPAN       Type = "in_pan"            // Indian tax number
	NHS         Type = "uk_nhs"            // mod 11; context
	NINO        Type = "uk_nino"           // UK national insurance
	TFN         Type = "au_tfn"            // Australian tax file, weighted mod 11; context
	Medicare    Type = "au_medicare"       // Australian, weighted mod 10; context
	SIN         Type = "ca_sin"            // Canadian social insurance, Luhn; context
	SteuerID    Type = "de_tax_id"         // German tax number, ISO 7064 mod 11,10; context
	NIF         Type = "es_nif"            // Spanish NIF and NIE, letter mod 23
	CodFiscale  Type = "it_fiscal_code"    // Italian, check letter
	PESEL       Type = "pl_pesel"          // Polish, weighted mod 10 and a date; context
	Phone       Type = "phone"             // valid with country code or as in North America; others: context
)

var allTypes = []Type{
	JWT, AWSKeyID, AWSSecret, Bearer, Basic, URLPassword, QuerySecret, Email, Card, IBAN, IP, MAC, Crypto, SSN, ITIN, MBI, NPI,
	USBank, Routing, USPassport, USLicense, Aadhaar, INPAN, NHS, NINO, TFN, Medicare, SIN, SteuerID, NIF, CodFiscale, PESEL, Phone,
}

// AllTypes lists every type that a scan can find, which is also what it looks for
// unless Options or a Policy say otherwise.
func AllTypes() []Type { return slices.Clone(allTypes) }

// RequiredTypes lists what a policy cannot take out of the texts of a job: findings
// whose shape or check leaves little room for chance. The others share a shape with
// innocent numbers here or there, and then a policy may leave them alone.
func RequiredTypes() []Type { return slices.Clone(allTypes[:SSN.rank()+1]) }

// TokenName is the type as tokens spell it, 1 to 16 of a-z.
func (t Type) TokenName() string {
	name := strings.ReplaceAll(string(t), "_", "")
	return name[:min(len(name), maxTypeLen)]
}

// secret tells whether findings of the type are credentials: they become
// REDACTED, and a token of them would be a handle on a login.
func (t Type) secret() bool { return t.rank() < Email.rank() }

// rank orders types by precedence.
func (t Type) rank() int {
	for i, o := range allTypes {
		if t == o {
			return i
		}
	}
	return len(allTypes)
}

// typeSet is a set of types by rank.
type typeSet uint64

func setOf(types []Type) (s typeSet) {
	for _, t := range types {
		if r := t.rank(); r < len(allTypes) {
			s |= 1 << r
		}
	}
	return s
}

func (s typeSet) has(t Type) bool { return s>>t.rank()&1 == 1 }
