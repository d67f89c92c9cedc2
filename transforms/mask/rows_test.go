package mask

import (
	"slices"
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
	if err := CheckRowFinding(IP, Keep); err == nil {
		t.Error("addresses may be kept")
	}
	if err := CheckRowFinding(Phone, Keep); err != nil {
		t.Error(err)
	}
	if err := CheckRowTypes(RequiredTypes()); err != nil {
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

// TestAPolicySearchesInARunWhatItSearchesInATrial, which is what a run without a policy
// searches, and its region counts in both.
func TestAPolicySearchesInARunWhatItSearchesInATrial(t *testing.T) {
	none, some := &Policy{}, &Policy{Region: "DE", Findings: map[Type]Method{Email: Redact}}
	alone, same := New("k1", testKey, (*Policy)(nil).RowOptions(nil)), map[string]*Masker{}
	for name, o := range map[string]Options{"a trial": none.Options(), "a run": none.RowOptions(nil), "no policy": {}} {
		same[name] = New("k1", testKey, o)
	}
	german, tried := New("k1", testKey, some.RowOptions(nil)), New("k1", testKey, some.Options())
	for _, s := range append(slices.Clone(allPieces), "call 0301234567", "030 1234567", "0151 12345678 of alice@example.com", "nhs 943 476 5919", "12345678Z", "198.51.100.77") {
		for _, where := range everywhere {
			want := masked(alone, s, where)
			for name, m := range same {
				if got := masked(m, s, where); got != want {
					t.Errorf("%s: %q becomes %q, and %q in a run without a policy", name, s, got, want)
				}
			}
			if trial, run := masked(tried, s, where), masked(german, s, where); trial != run {
				t.Errorf("%q becomes %q in a trial and %q in a run", s, trial, run)
			}
		}
	}
	if got := masked(german, "030 1234567", Query); strings.Contains(got, "030") {
		t.Errorf("a number of the region becomes %q", got)
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
