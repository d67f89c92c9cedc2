package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// canary values of the formats below, by what they are. Names and notes have no shape
// to be found by: they stand in members and columns that nobody asked for.
var canary = map[string]string{
	"email": "canary.person@example.com", "client_address": "203.0.113.177", "user": "canary-user-4711", "card_number": "4111111111111111",
	"name": "Zacharias Quimbleton", "note": "allergic to gooseberries", "ssn": "ssn 078-05-1120", "patient": "canary-patient-0815", "token": "canarysecretvalue01",
	"iban": "DE89370400440532013000", "us_ssn": "078-05-1123", "phone": "+493012345678", "ip": "198.51.100.177",
}

// numbers are those of a person in a query, and said what they are in a text.
const (
	numbers     = "iban=DE89370400440532013000&ssn=078-05-1123&tel=%2B493012345678&ip=198.51.100.177"
	saidNumbers = "DE89370400440532013000, 078-05-1123, +493012345678 from 198.51.100.177"
)

// jsonMapping is a mapping file, canaryJSON a line for it with members that it does not
// name and a query. MINUTE and PATH are to be filled in.
const (
	jsonMapping = "\"@timestamp\": time\nclient.address: ip\nuser.name: user\nurl.original: url\nhttp.response.status_code: status\nhttp.response.body.bytes: bytes\nuser_agent.original: agent\n"
	canaryJSON  = `{"time":"2026-03-02T11:MINUTE:00Z","ip":"203.0.113.177","user":"canary-user-4711","url":"PATH?` + canaryQuery + `","status":200,"bytes":4711,"agent":"agent canary.person@example.com",` + unknownMembers + `}`
	canaryQuery = "mail=canary.person%40example.com&token=canarysecretvalue01&pan=4111111111111111&" + numbers
)

const unknownMembers = `"customer":{"name":"Zacharias Quimbleton","contact":[{"mail":"canary.person@example.com"},"ssn 078-05-1120"]},"Zacharias Quimbleton":{"note":"allergic to gooseberries"},"pan":4111111111111111,"extra":"allergic to gooseberries"`

// TestNoCanaryOfAnyFormatIsFoundInAnyOutput: one file in each format of each job that no
// generator writes with planted values, JSON with members and CSV with columns that
// nobody knows among them. All outputs that need a setting have it.
func TestNoCanaryOfAnyFormatIsFoundInAnyOutput(t *testing.T) {
	t.Parallel()
	e := newEnv(t).with("VAULT_KEY=v1:" + strings.Repeat("5a", 32))
	writeFile(t, e.in("mapping.yaml"), []byte(jsonMapping))
	writeFile(t, e.in("funnels.yaml"), []byte("funnels:\n  - name: buy\n    within: 1h\n    steps:\n      - {name: look, where: 'path == \"/a\"'}\n      - {name: cart, where: 'path == \"/b\"'}\n"))
	writeFile(t, e.in("logins.yaml"), []byte("- name: many\n  input: events\n  aggregate: count\n  by: [program, user]\n  above: 0\n"))
	canaryList(t, e.in("truth_canaries.txt"))
	clf := `203.0.113.177 - canary-user-4711 [02/Mar/2026:11:MINUTE:00 +0000] "GET PATH?` + canaryQuery + ` HTTP/1.1" 200 5`
	for _, c := range []struct {
		name, job, content string
		flags              []string
		want               []string // outputs with rows
	}{
		{"common", "weblogs", repeat(clf), []string{"--format", "common"}, []string{"events", "vault", "funnels", "funnel_steps", "anomalies", "sources"}},
		{"combined", "weblogs", repeat(clf+` "https://ref.example/?u=canary.person@example.com&`+numbers+`" "agent canary.person@example.com `+saidNumbers+`"`) + "canary-user-4711 broken \"canary.person@example.com\n", nil, []string{"events", "vault", "bad_rows", "alerts"}},
		{"json", "weblogs", repeat(canaryJSON), []string{"--format", "json@" + e.in("mapping.yaml")}, []string{"events", "vault"}},
		{"apigateway", "weblogs", repeat(`{"requestId":"id-1","ip":"203.0.113.177","caller":"-","user":"canary-user-4711","requestTime":"02/Mar/2026:11:MINUTE:00 +0000","httpMethod":"GET","resourcePath":"PATH","status":"200","protocol":"HTTP/1.1","responseLength":"12",` + unknownMembers + `}`), []string{"--format", "apigateway"}, []string{"events", "vault"}},
		{"vpcflow", "weblogs", "2 123456789012 eni-1 203.0.113.177 10.0.0.1 20641 22 6 20 4249 1772449200 1772449260 ACCEPT OK\n2 123456789012 eni-1 203.0.113.177 10.0.0.1 20641 22 6 20 4249 canary.person@example.com 1772449260 ACCEPT OK\n", []string{"--format", "vpcflow"}, []string{"events", "bad_rows"}},
		{
			"clickstream", "clickstream", repeat(`{"v":2,"event_id":"eMINUTE","name":"page_view","time":"2026-03-02T11:MINUTE:00Z","client_id":"canary-user-4711","user_id":"canary-user-4711","ip":"203.0.113.177","consent":{"analytics":true,"ads":true,"by":"Zacharias Quimbleton"},"page":{"location":"https://shop.example/PATH?`+canaryQuery+`","title":"Zacharias Quimbleton"},"device":{"os":"Linux","owner":"Zacharias Quimbleton"},`+unknownMembers+`}`) + `{"v":2,"name":"no such event","customer":"Zacharias Quimbleton"}` + "\n",
			[]string{"--mask-policy", e.in("clicks.yaml"), "--vault-key", "env://VAULT_KEY", "--raw", "sealed"},
			[]string{"events", "sessions", "vault", "bad_rows", "identities"},
		},
		{
			"devices json", "devices", repeat(`{"event_time":"2026-03-02T11:MINUTE:00Z","device_id":"canary-user-4711","patient_id":"canary-patient-0815","code":"8867-4","value":72,"unit":"/min","quality":"seen by canary.person@example.com `+saidNumbers+`",`+unknownMembers+`}`) + `{"event_time":"2026-03-02T11:00:00Z","device_id":"d","code":"canary.person@example.com","value":1}` + "\n",
			[]string{"--raw", "sealed", "--set", "anomalies=true"},
			[]string{"readings", "rollups", "bad_rows"},
		},
		{"devices csv", "devices", "event_time,device_id,patient_id,code,value,unit,quality,customer\n" + repeat(`2026-03-02T11:MINUTE:00Z,canary-user-4711,canary-patient-0815,8867-4,72,/min,"ok `+saidNumbers+`",Zacharias Quimbleton`), []string{"--raw", "sealed"}, []string{"readings", "rollups"}},
		{"devices fhir", "devices", repeat(`{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}],"text":"pulse of Zacharias Quimbleton"},"subject":{"reference":"Patient/canary-patient-0815","display":"Zacharias Quimbleton"},"device":{"reference":"Device/canary-user-4711"},"effectiveDateTime":"2026-03-02T11:MINUTE:00Z","valueQuantity":{"value":72,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"},"note":[{"text":"allergic to gooseberries"}],` + unknownMembers + `}`), []string{"--raw", "sealed"}, []string{"readings", "rollups"}},
		{
			"authlogs", "authlogs", repeat(`Mar  2 11:MINUTE:00 bastion sshd[4711]: Failed password for invalid user canary-user-4711 from 203.0.113.177 port 40022 ssh2
Mar  2 11:MINUTE:01 bastion sshd[4711]: Invalid user canary.person@example.com from 203.0.113.177 port 40022
Mar  2 11:MINUTE:02 bastion sshd[4711]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.177  user=canary-user-4711
Mar  2 11:MINUTE:03 bastion sshd[4712]: Accepted publickey for canary-user-4711 from 203.0.113.177 port 40023 ssh2: RSA SHA256:canarysecretvalue01
2026-03-02T11:MINUTE:04.123456+00:00 bastion sudo: canary-user-4711 : TTY=pts/0 ; PWD=/home/canary-user-4711 ; USER=root ; COMMAND=/usr/bin/mail -s "Zacharias Quimbleton" canary.person@example.com
Mar  2 11:MINUTE:05 bastion sudo:     root : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/curl -u canary-user-4711:canarysecretvalue01 http://203.0.113.177/PATH?`+canaryQuery+`
Mar  2 11:MINUTE:06 bastion canary.person@example.com[7]: allergic to gooseberries, ssn 078-05-1120
Mar  2 11:MINUTE:07 canary.person@example.com CRON[8]: pam_unix(cron:session): session opened for user canary-user-4711 by (uid=0)`) + "canary-user-4711 from 203.0.113.177 broken\n",
			[]string{"--format", "syslog until=2026-03-31", "--alerts", e.in("logins.yaml"), "--raw", "sealed"},
			[]string{"events", "sources", "alerts", "bad_rows"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			find := newFinder(t, e.in("truth_canaries.txt"))
			name := strings.ReplaceAll(c.name, " ", "-")
			log, lake := e.in("logs", name, "input"+map[bool]string{true: ".csv", false: ".log"}[name == "devices-csv"]), e.in("lake-"+name)
			writeFile(t, log, []byte(c.content))
			args := append([]string{"run", c.job, "--source", log, "--lake", lake, "--mask-key", "env://MASK_KEY"}, c.flags...)
			if c.job == "weblogs" {
				args = append(append(args, withVault(t, e)...), "--funnels", e.in("funnels.yaml"), "--set", "anomalies=true", "--set", "top_pages.sketches=true", "--raw", "sealed")
			}
			if c.job == "clickstream" {
				writeFile(t, e.in("clicks.yaml"), []byte("fields:\n  search_term: {class: text, method: redact}\nreversible: [user]\n"))
			}
			r := mustRun(t, e, args...)
			find.in(t, "what the run says", []byte(r.stdout+r.stderr))
			find.inFolder(t, lake)
			texts := find.inRows(t, lake)
			for _, output := range append(c.want, "raw") {
				if texts[output] == 0 {
					t.Errorf("no text of %s was searched", output)
				}
			}
			if m := readManifest(t, lake); !m.Ledger.Balanced {
				t.Errorf("ledger %s", m.Ledger)
			}
			find.report(t)
			// The search finds all of it in what was read.
			find.in(t, "the log", readFile(t, filepath.Clean(log)))
			if len(find.found["the log"]) < 2 {
				t.Errorf("the log holds %v", find.found)
			}
		})
	}
}

// canaryList writes the canary values for a finder.
func canaryList(t testing.TB, name string) {
	t.Helper()
	list := ""
	for _, kind := range slices.Sorted(maps.Keys(canary)) {
		list += kind + "\t" + canary[kind] + "\n"
	}
	writeFile(t, name, []byte(list))
}

// repeat is pages of one visitor, a minute apart.
func repeat(format string) string {
	var b strings.Builder
	for i, path := range []string{"/a", "/b", "/etc/passwd", "/c"} {
		b.WriteString(strings.NewReplacer("MINUTE", fmt.Sprintf("%02d", i), "PATH", path).Replace(format) + "\n")
	}
	return b.String()
}

// withVault are the flags by which a run of weblogs also has rows of vault, alerts and
// sources. The vault's key is in VAULT_KEY.
func withVault(t testing.TB, e env) []string {
	t.Helper()
	writeFile(t, e.in("policy.yaml"), []byte("fields:\n  user: {class: user, method: token}\nreversible: [user, email]\n"))
	writeFile(t, e.in("alerts.yaml"), []byte("- name: many\n  input: events\n  aggregate: count\n  by: [user_agent]\n  above: 0\n"))
	return []string{"--mask-policy", e.in("policy.yaml"), "--vault-key", "env://VAULT_KEY", "--alerts", e.in("alerts.yaml"), "--set", "security=true"}
}

// TestNoCanaryInJSONIsFoundInALiveLake: members that the mapping does not name, in
// events, in such as come late and in bad rows, of a stream.
func TestNoCanaryInJSONIsFoundInALiveLake(t *testing.T) {
	server, e := testenv.Kinesis(t), newEnv(t).with("VAULT_KEY=v1:"+strings.Repeat("5a", 32))
	server.CreateStream(t, "canary-json", 1)
	canaryList(t, e.in("truth_canaries.txt"))
	writeFile(t, e.in("mapping.yaml"), []byte(jsonMapping))
	find := newFinder(t, e.in("truth_canaries.txt"))
	lines := strings.SplitAfter(strings.TrimSpace(repeat(canaryJSON)), "\n")
	late := strings.ReplaceAll(lines[0], "T11:", "T07:")
	for _, line := range append(lines, strings.ReplaceAll(lines[0], "T11:", "T15:"), late, `{"time":"canary.person@example.com",`+unknownMembers+`}`, `{"time":"2026-03-02T15:00:00Z",`+unknownMembers) {
		server.Put(t, "canary-json", testenv.KinesisRecord{Key: "a", Data: []byte(strings.TrimSpace(line))})
		find.in(t, "the stream", []byte(line))
	}
	if len(find.found["the stream"]) != len(canary)-1 { // a patient is of devices
		t.Errorf("the search finds %v in the stream", find.found)
	}
	clear(find.found)
	lake := e.in("lake")
	r := mustRun(t, e, live("canary-json", everything, lake, append(withVault(t, e), "--format", "json@"+e.in("mapping.yaml"), "--raw", "sealed", "--max-disorder", "1m", "--allowed-lateness", "1m")...)...)
	find.in(t, "what the run says", []byte(r.stdout+r.stderr))
	find.inFolder(t, lake)
	texts := find.inRows(t, lake)
	for _, output := range []string{"events", "sessions", "alerts", "sources", "late", "bad_rows", "vault", "raw"} {
		if texts[output] == 0 {
			t.Errorf("no text of %s was searched", output)
		}
	}
	if left := hashGlob(lake, "_staging/*/segments/*"); len(left) > 0 {
		t.Errorf("rows that came when their roll was closed: %v", left)
	}
	if l := accounts(t, lake); l.In != int64(len(lines)+4) || l.Late != 1 || l.Bad != 2 {
		t.Errorf("ledger %s", l)
	}
	find.report(t)
}
