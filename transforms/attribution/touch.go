package attribution

import "millrace/schemas/pii"

// Kind says what a touch follows from.
type Kind uint8

// The kinds, in the order in which they decide.
const (
	Tagged   Kind = iota + 1 // by parameters of a campaign
	Clicked                  // by a click id alone
	Internal                 // a page of the site itself: no touch
	Referred                 // by another site or an app
	Direct                   // by nothing known
)

var kindNames = [...]string{"", "tagged", "clicked", "internal", "referred", "direct"}

// String is the kind's name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// Touch is where a request comes from. Its texts are views of the attributor's
// memory and of the rules', valid until the next call; those that were not said
// are empty. An Internal touch has none.
type Touch struct {
	Kind     Kind
	Channel  string // of the rules; empty when Internal
	Click    string // name of the click id's parameter; empty without one
	Source   pii.Text
	Medium   pii.Text
	Campaign pii.Text
	ID       pii.Text // of the campaign
	Term     pii.Text
	Content  pii.Text
}

// Request is what is known of a request. All of it may be empty.
type Request struct {
	Query    []byte // without the question mark
	Referrer []byte // whole URL
	Host     []byte // to which it went, with or without a port
}
