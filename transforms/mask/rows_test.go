package mask

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/pii"
	"millrace/schemas/table"
	"millrace/schemas/vault"
)

// visit is a row of a job that has fields of four classes.
type visit struct {
	ID   table.ID     `col:"id" doc:"id"`
	At   table.Millis `col:"at,sort1,day" doc:"time"`
	IP   *string      `col:"ip,null" mask:"truncated" doc:"address"`
	User *string      `col:"user,null" mask:"token" doc:"user"`
	Note *string      `col:"note,null" mask:"scanned" doc:"text"`
	Host *string      `col:"host,null" mask:"none" doc:"host"`
}

var (
	visits      = table.MustOf[visit]("visits", 1)
	visitFields = Fields{"ip": Class(IP), "user": User, "note": Text, "host": None}
)

func TestAPolicyTreatsOnlyWhatItSpeaksOf(t *testing.T) {
	for name, c := range map[string]struct {
		policy *Policy
		want   map[string]Treatment
	}{
		"none":                           {nil, nil},
		"an empty one":                   {&Policy{}, nil},
		"the job's own method":           {&Policy{Fields: map[string]Rule{"ip": {Class: Class(IP)}, "user": {Class: User, Method: Tokenise}}}, nil},
		"by name":                        {&Policy{Fields: map[string]Rule{"ip": {Class: Class(IP), Method: Drop}}}, map[string]Treatment{"ip": {Class(IP), Drop}}},
		"by class":                       {&Policy{Classes: map[Class]Method{User: Redact}}, map[string]Treatment{"user": {User, Redact}}},
		"a name wins over its class":     {&Policy{Fields: map[string]Rule{"user": {Class: User, Method: FPE}}, Classes: map[Class]Method{User: Redact}}, map[string]Treatment{"user": {User, FPE}}},
		"a star stands for all the rest": {&Policy{Fields: map[string]Rule{"*": {Class: Secret}, "ip": {Class: Class(IP)}}}, map[string]Treatment{"user": {Secret, Redact}, "note": {Secret, Redact}, "host": {Secret, Redact}}},
		"another class, another token":   {&Policy{Fields: map[string]Rule{"user": {Class: Class(Email)}}}, map[string]Treatment{"user": {Class(Email), Tokenise}}},
	} {
		got := map[string]Treatment{}
		for i, treatment := range c.policy.Treatments(visits, visitFields) {
			if treatment.Set() {
				got[visits.Columns[i].Name] = treatment
			}
		}
		if c.want == nil {
			c.want = map[string]Treatment{}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAPolicyCannotLetThroughWhatTheClassForbids(t *testing.T) {
	for _, c := range []struct {
		field string
		rule  Rule
		want  string // in the error; empty for none
	}{
		{"ip", Rule{Class: Class(IP), Method: Tokenise}, ""},
		{"ip", Rule{Class: None}, "field ip is of class ip, which method keep would let through"},
		{"ip", Rule{Class: Text}, "method scan would let through"},
		{"user", Rule{Class: Zip}, "method generalise would let through"},
		{"user", Rule{Class: User, Method: Scan}, "method scan would let through (drop, redact, token, fpe do)"},
		{"note", Rule{Class: None}, "method keep would let through (drop, redact, scan do)"},
		{"note", Rule{Class: Class(Email)}, ""}, // a token of the whole
		{"note", Rule{Class: Class(IP)}, "method truncate would let through"},
		{"host", Rule{Class: None, Method: Scan}, ""},
		{"nots", Rule{Class: Text}, "the job has no field nots for a policy to set, did you mean note?"},
		{"zzzzzz", Rule{Class: Text}, "(there are host, ip, note, user)"},
		{"*", Rule{Class: Text}, "the star stands for ip, too: field ip is of class ip"},
		{"*", Rule{Class: Secret}, ""},
	} {
		p := &Policy{Fields: map[string]Rule{c.field: c.rule}}
		err := p.CheckRule(visitFields, c.field, c.rule)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %v: %v, want %q", c.field, c.rule, err, c.want)
		}
	}
	if err := CheckRowFinding(JWT, Keep); err == nil {
		t.Error("tokens of logins may be kept")
	}
	if err := CheckRowFinding(Phone, Keep); err != nil {
		t.Error(err)
	}
	if err := CheckRowTypes([]Type{Email}); err == nil || !strings.Contains(err.Error(), "pan") || strings.Contains(err.Error(), "email") {
		t.Errorf("types that leave cards out: %v", err)
	}
	if err := CheckRowTypes(AllTypes()); err != nil {
		t.Error(err)
	}
	for m, ok := range map[Method]bool{"": true, Drop: true, Scan: false, Redact: false} {
		if err := CheckRowUnknown(m); (err == nil) != ok {
			t.Errorf("unknown %q: %v", m, err)
		}
	}
}

// TestTheVaultHasARowForEachEventAndReversibleToken, whether the text was masked anew or
// remembered, and opens to the normal form.
func TestTheVaultHasARowForEachEventAndReversibleToken(t *testing.T) {
	p := &Policy{Reversible: []Class{User, Class(Email)}}
	vaultKey := [32]byte{9}
	e, err := NewEscrow(p, "v1", vaultKey)
	if err != nil {
		t.Fatal(err)
	}
	m := New("k1", testKey, p.RowOptions(e.Tell))
	user := m.User(pii.Of([]byte("ann")))
	note := string(m.AppendMasked(nil, pii.Of([]byte("from Ann@Example.com, card 4111111111111111, again ann@example.com")), FreeText))
	strange := Token("k1", testKey, "email", []byte("nobody@example.com")) // came as it is
	other := "no token"
	events := table.NewBatch(visits)
	day := int64(86_400_000)
	for i, row := range []visit{
		{At: table.Millis(day), User: &user, Note: &note},
		{At: table.Millis(day), Note: &note},
		{At: table.Millis(day), Note: &other},
		{At: table.Millis(day), Note: &strange},
		{At: table.Millis(2 * day), User: &user}, // beyond the days to write
	} {
		row.ID = table.ID{byte(i)}
		events.Append(&row)
	}
	rows := e.Rows(events, func(day int64) bool { return day == 1 })
	if err := rows.Check(); err != nil {
		t.Fatal(err)
	}
	v, err := NewVault(vaultKey)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range rows.Len() {
		var r vault.Row
		rows.Row(i, &r)
		value, err := v.Open(nil, []byte(r.Token), r.Sealed)
		if err != nil || r.KeyID != "v1" {
			t.Errorf("%+v: %v", r, err)
		}
		typ, _, _ := IsToken([]byte(r.Token))
		got = append(got, string('0'+rune(r.EventID[0]))+" "+typ+" "+string(value))
	}
	if diff := cmp.Diff([]string{"0 email ann@example.com", "0 user ann", "1 email ann@example.com"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e.Forget()
	if n := e.Rows(events, func(int64) bool { return true }).Len(); n != 0 {
		t.Errorf("%d rows of what is forgotten", n)
	}
	if e, err := NewEscrow(&Policy{}, "v1", vaultKey); e != nil || err != nil {
		t.Error("an escrow of nothing")
	}
}
