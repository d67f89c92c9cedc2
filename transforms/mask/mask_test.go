package mask

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"millrace/schemas/pii"
)

var (
	testKey    = [32]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
	everywhere = []Where{FreeText, Path, Query, Referrer, UserAgent}
)

func testMasker() *Masker { return New("k1", testKey, Options{}) }

func masked(m *Masker, s string, where Where) string {
	return string(m.AppendMasked(nil, pii.Of([]byte(s)), where))
}

func email(s string) string { return Token("k1", testKey, "email", []byte(s)) }
func card(s string) string  { return Token("k1", testKey, "pan", []byte(s)) }

func trimLeft(s string) string { return strings.TrimLeft(s, " ") }
func trim(s string) string     { return strings.TrimSpace(s) }

// jwt is the example of RFC 7519's introduction site, signed with a public key.
const jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

func TestMaskReplacesFindingsAndKeepsTheRest(t *testing.T) {
	alice, visa := email("alice@example.com"), card("4111111111111111")
	phone, iban, ssn := Token("k1", testKey, "phone", []byte("+493012345678")), Token("k1", testKey, "iban", []byte("DE89370400440532013000")), Token("k1", testKey, "usssn", []byte("078051123"))
	tests := []struct {
		name  string
		where Where
		in    string
		want  string
	}{
		{"an address in a path", Path, "/u/Alice@Example.com/edit", "/u/" + alice + "/edit"},
		{"an encoded @", Query, "a=1&email=alice%40example.com&b=2", "a=1&email=" + alice + "&b=2"},
		{"an encoded dot", Path, "/u/alice@example%2Ecom", "/u/" + alice},
		{"an encoded letter", Path, "/u/%61lice@example.com/", "/u/" + alice + "/"},
		{"encoded throughout", Query, "q=%61%6c%69%63%65%40%65%78%61%6D%70%6C%65%2E%63%6F%6D", "q=" + alice},
		{"encoded twice", Referrer, "http://a.example/?u=x%3Fe%3Dalice%2540example.com%26z", "http://a.example/?u=x%3Fe%3D" + alice + "%26z"},
		{"encoded five times", Query, "e=alice%2525252540example.com", "e=" + alice},
		{"an encoded percent sign in pieces", Query, "e=alice%%34%30example.com", "e=" + alice},
		{"an encoded space before", Path, "/%20alice@example.com%20/", "/%20" + alice + "%20/"},
		{"an encoded quotation mark before", Path, "/%E2%80%9Calice@example.com%E2%80%9D", "/%E2%80%9C" + alice + "%E2%80%9D"},
		{"pluses for spaces", Query, "q=mail+to+alice@example.com+now", "q=mail+to+" + alice + "+now"},
		{"a tag", Query, "e=alice%2Bshop%40example.com", "e=" + email("alice+shop@example.com")},
		{"a tag not escaped", Query, "e=alice+shop@example.com", "e=" + email("alice+shop@example.com")},
		{"a robot's contact", UserAgent, "Mozilla/5.0 (compatible; Ezooms/1.0; help@moz.com)", "Mozilla/5.0 (compatible; Ezooms/1.0; " + email("help@moz.com") + ")"},
		{"a clone address", Path, "/git@github.com:a/b", "/" + email("git@github.com") + ":a/b"},
		{"two labels and more", FreeText, "x bob.b-c@mail.example.co.uk. y", "x " + email("bob.b-c@mail.example.co.uk") + ". y"},
		{"a number after the domain", Path, "/alice@example.com-1", "/" + alice + "-1"},
		{"a picture named by an address", Path, "/a/alice@example.com.png", "/a/" + alice + ".png"},
		{"letters of other scripts", FreeText, "an jörg@müller.example!", "an " + email("jörg@müller.example") + "!"},
		{"Punycode", FreeText, "x@xn--e1afmkfd.xn--p1ai", email("x@xn--e1afmkfd.xn--p1ai")},
		{"quotes around", FreeText, "'alice@example.com'", "'" + alice + "'"},
		{"two in a row", FreeText, "alice@example.com,alice@example.com", alice + "," + alice},
		{"two that touch", FreeText, "alice@example.com@example.com", alice + "@example.com"},

		{"an encoding other than UTF-8", Path, "/j%F6rg@example.de", "/" + email("j\xf6rg@example.de")},

		{"a card in a path", Path, "/pay/4111111111111111/ok", "/pay/" + visa + "/ok"},
		{"a card with dashes", Path, "/4111-1111-1111-1111", "/" + visa},
		{"a card with pluses", Query, "n=4111+1111+1111+1111&x", "n=" + visa + "&x"},
		{"a card with encoded spaces", Query, "n=4111%201111%201111%201111&x", "n=" + visa + "&x"},
		{"a card with encoded digits", Query, "n=%34111111111111111", "n=" + visa},
		{"a card among numbers", FreeText, "1 4111 1111 1111 1111 12/27 123", "1 " + visa + " 12/27 123"},
		{"two cards", FreeText, "4111111111111111 378282246310005", visa + " " + card("378282246310005")},
		{"a card after a percent sign", Query, "a=%4111111111111111", "a=%" + visa},
		{"cards around a token", FreeText, "4111111111111111 tok_pan_k1_" + strings.Repeat("2", 32) + " 4111 1111 1111 1111", visa + " tok_pan_k1_" + strings.Repeat("2", 32) + " " + visa},
		{"a card after a word", Path, "/card4111111111111111", "/card" + visa},

		{"a token in a query", Query, "access_token=abc123def456&x=1", "access_token=REDACTED&x=1"},
		{"a name in camel case", Query, "x=1&sessionToken=a", "x=1&sessionToken=REDACTED"},
		{"a name in brackets", Query, "user%5Bpassword%5D=a%26b&x=1", "user%5Bpassword%5D=REDACTED&x=1"},
		{"a signed URL", Query, "X-Amz-Date=20260101T000000Z&X-Amz-Credential=x%2F2026&X-Amz-Signature=0aff", "X-Amz-Date=20260101T000000Z&X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED"},
		{"a password with separators inside", Query, "pwd=a%26b%3Dc;d&x=1", "pwd=REDACTED&x=1"},
		{"a password with a space", Query, "password=a%20b+c&x=1", "password=REDACTED&x=1"},
		{"a nested URL", Referrer, "https://a.example/?next=%2Flogin%3Ftoken%3Dabc%26y%3D1&z=2", "https://a.example/?next=%2Flogin%3Ftoken%3DREDACTED%26y%3D1&z=2"},
		{"a path parameter", Path, "/a;jsessionid=0A1B2C/b", "/a;jsessionid=REDACTED/b"},
		{"a path parameter in a referrer", Referrer, "http://a.example/a;jsessionid=0A1B2C?x=1", "http://a.example/a;jsessionid=REDACTED?x=1"},
		{"a fragment", Referrer, "http://a.example/cb#access_token=abc&state=1", "http://a.example/cb#access_token=REDACTED&state=1"},
		{"an address that is a password", Query, "pass=alice@example.com&x", "pass=REDACTED&x"},
		{"a secret name, no value", Query, "token=&x=1", "token=&x=1"},
		{"a code of OAuth", Query, "code=4%2F0AX4XfWjXyZ0123456789&state=1", "code=REDACTED&state=1"},
		{"a code of a country", Query, "code=DE", "code=DE"},
		{"JSON", Query, "d=%7B%22password%22%3A%22a%5C%22b%22%2C%22x%22%3A1%7D", "d=%7B%22password%22%3A%22REDACTED%22%2C%22x%22%3A1%7D"},
		{"JSON with escaped quotes", FreeText, `{\"api_key\": \"abc\", \"x\": 1}`, `{\"api_key\": \"REDACTED\", \"x\": 1}`},
		{"an unreadable request", FreeText, "GET /x?token=abc HTTP/1.1 x", "GET /x?token=REDACTED HTTP/1.1 x"},

		{"a JWT in a path", Path, "/verify/" + jwt + "/", "/verify/REDACTED/"},
		{"a JWT after Bearer", UserAgent, "curl Authorization: Bearer " + jwt, "curl Authorization: Bearer REDACTED"},
		{"Bearer", Query, "h=Bearer+abcdef0123456789", "h=Bearer+REDACTED"},
		{"Bearer encoded", Query, "h=bearer%20abcdef0123456789%3D%3D&x", "h=bearer%20REDACTED&x"},
		{"Basic", FreeText, "Basic dXNlcjpwYXNzd29yZA==", "Basic REDACTED"},
		{"an access key", Path, "/x/AKIAIOSFODNN7EXAMPLE/y", "/x/REDACTED/y"},
		{"a temporary access key", Query, "id=ASIAIOSFODNN7EXAMPLE&y", "id=REDACTED&y"},
		{"a secret key near its id", Query, "id=AKIAIOSFODNN7EXAMPLE&s=wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY", "id=REDACTED&s=REDACTED"},
		{"a URL's password", Referrer, "ftp://bob:hunter2@example.com/x", "ftp://bob:REDACTED@example.com/x"},
		{"a URL's password with @ and /", Query, "u=ftp%3A%2F%2Fbob%3Ap%40s%252Fs%40example.com%2Fx", "u=ftp%3A%2F%2Fbob%3AREDACTED%40example.com%2Fx"},
		{"a URL's password with &", Referrer, "ftp://bob:a&b@example.com/x", "ftp://bob:REDACTED@example.com/x"},
		{"two URLs' passwords", FreeText, "ftp://a:b@c.example/ ftp://d:e@f.example/", "ftp://a:REDACTED@c.example/ ftp://d:REDACTED@f.example/"},
		{"a URL's password encoded", Referrer, "ftp://bob:a%2Fb@example.com/x", "ftp://bob:REDACTED@example.com/x"},
		{"a URL's user who is an address", Referrer, "https://alice@example.com/x", "https://" + alice + "/x"},
		{"numbers of a person in a query", Query, "iban=DE89370400440532013000&ssn=078-05-1123&tel=%2B493012345678&ip=198.51.100.77", "iban=" + iban + "&ssn=" + ssn + "&tel=" + phone + "&ip=198.51.100.0"},
		{"an IBAN in groups", Referrer, "https://a.example/pay?to=DE89%203704+0044%200532%200130+00&x", "https://a.example/pay?to=" + iban + "&x"},
		{"a client in a user agent", UserAgent, "agent from 198.51.100.77", "agent from 198.51.100.0"},
		{"a client in a comment", UserAgent, "x (client 198.51.100.77; via 2001:db8:abcd:12::1)", "x (client 198.51.100.0; via 2001:db8:abcd::)"},
		{"a host that is an address", Referrer, "http://198.51.100.77:8080/a", "http://198.51.100.0:8080/a"},
		{"an address in a path", Path, "/hosts/198.51.100.77/ports", "/hosts/198.51.100.0/ports"},
		{"bare digits by the name of their parameter", Query, "b=078051123&ssn=078051123&c=1", "b=078051123&ssn=" + ssn + "&c=1"},
		{"a national number by the name of its parameter", Query, "id=03012345678&phone=0301234567", "id=03012345678&phone=" + Token("k1", testKey, "phone", []byte("0301234567"))},
		{"a national number by the segment before it", Path, "/v1/tel/0301234567/x", "/v1/tel/" + Token("k1", testKey, "phone", []byte("0301234567")) + "/x"},
		{"a national number in a search", Query, "q=call+me+at+0301234567&page=2", "q=call+me+at+" + Token("k1", testKey, "phone", []byte("0301234567")) + "&page=2"},
		{"a telephone number in a user agent", UserAgent, "shop/1.2 tel:+493012345678", "shop/1.2 tel:" + phone},

		{"an address after a URL's port", Query, "u=http://h.example:80&e=alice@example.com", "u=http://h.example:80&e=" + alice},
	}
	m := testMasker()
	for _, test := range tests {
		if got := masked(m, test.in, test.where); got != test.want {
			t.Errorf("%s:\n in   %s\n got  %s\n want %s", test.name, test.in, got, test.want)
		} else if again := masked(m, got, test.where); again != got {
			t.Errorf("%s: masked again:\n %s\n %s", test.name, got, again)
		}
	}
}

func TestMaskLeavesOrdinaryTextAlone(t *testing.T) {
	m := testMasker()
	for _, s := range []string{
		"", "/", "-", "%", "%%", "%4", "%zz", "@", "a@b", "@example.com", "a@", "a@.com", "a@b.c", "=", "token", "token=", "eyJ", "AKIA",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
		"/img/logo@2x.png", "/img/logo@2x.min.png", "/img/icon@1.5x.webp", "/img/logo%402x.png?v=1",
		"/@scope/pkg", "/npm/@vue/runtime-dom@3.4.21/dist/x.js", "/npm/jquery@3.6.0/jquery.min.js", "/npm/jquery@3.6.0.slim.js",
		"https://medium.com/@someone/x", "root@10.0.0.0", "bob@localhost",
		"/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/41111111-1111-1111-4111-111111111111",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"/d41d8cd98f4111111111111111ecf8427e", // a hash of 128 bits with a card's digits in it
		"t=1392582678974&n=1716201600000000000", "/2015-10-13+18:31:02.492", "/2013/05/17/12-30-59-000123",
		"/p/4006381333931", "/p/9780306406157", // EAN and ISBN
		"0000000000000000", "1111111111111111", "4111111111111112", "17171215010336145331",
		"key_id=x", "keyword=a&monkey=b&sort_key_x=1&signal=1&tokens=5&author=x&code=DE",
		"the bearer of news", "Basic programming", "basic authentication", "bearer certificates",
		"AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLE1", "XAKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"http://example.com:8080/a@b", "ftp://bob:@example.invalid1/", "/eyJ0eXAi.js", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
		"4111 1111  1111 1111", "4111--1111-1111-1111", "AKIA", "bob@example." + email("alice@example.com"),
		email("alice@example.com"), "x" + card("4111111111111111") + "@example.com",
		"tok_email_4111111111111111_" + strings.Repeat("2", 32), "token=REDACTED&pwd=REDACTED", "REDACTED", "Authorization: Bearer REDACTED",
		"ftp://bob:REDACTED@example.com/", `{"password": "REDACTED"}`,
	} {
		for _, where := range everywhere {
			if got := masked(m, s, where); got != s {
				t.Errorf("%q in %d becomes %q: %v", s, where, got, m.Find(pii.Of([]byte(s)), where))
			}
		}
	}
}

// What logs of requests are full of is none of the numbers that people have.
func TestNumbersOfRequestsAreNobodys(t *testing.T) {
	texts := map[Where][]string{
		UserAgent: {
			"Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.1 Edg/1.2.3.4", "Mozilla/5.0 (X11; U; Linux i686; en-US; rv:1.9.1.3) Gecko/20090913 Firefox/3.5.3",
			"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; .NET CLR 2.0.50727; .NET CLR 3.0.4506.2152; .NET CLR 3.5.30729)", "Mozilla/5.0 (X11; CrOS x86_64 6310.68.0) AppleWebKit/537.73.11",
			"Mozilla/5.0 (Linux; U; Android 2.3.5; de-ch; HTC/Explorer/1.29.166.3 Build/GRJ90)", "Vodafone/1.0/HTC_Elf/1.11.164.2", "NokiaN97_mini/GoBrowser/1.6.0.48", "HTC/Velocity 4G/2.39.169.1 Build/GWK74", "version 1.2.3.4",
			"Opera/9.80 (iPhone; Opera Mini/7.0.3/34.1244; U; de) Presto/2.8.119", "dwb/commit 2014-02-16 6ee2b9e", "okhttp/4.12.0 (tel 0301234567)",
		},
		Path: {
			"/blog/geekery/keynav-0.20100302.html", "/2012/03/07/ec2", "/wp/2011/09/10/a", "/01/2345678", "/415/555/0132", "/messages/12345678", "/contact/12345678", "/mobile/12345678", "/desktop/1234567", "/phone-case-12345678",
			"/questions/17083473/phonegap-get-s", "/12345678/mobile", "/telemetry/0301234567", "/dist/app-1.2.3.4.zip", "/releases/v1.2.3.4/x", "/single/130692544", "/taxonomy/900701234", "/order/078051123",
		},
		Query: {
			"callback=jQuery17208371_1392582678974&_=1392582678974", "contact=1&t=1392582678974", "message_id=12345678", "call_id=12345678", "since_id=130692544", "telemetry=12345678", "last=2015%2F10%2F13+18%3A31", "v=3.0.4506.2152",
			"mobile=1&ts=1392582678", "date=13.05.2015+18:31", "ids=1234567,2345678", "range=0-1048575", "_ga=1.2.1234567890.1234567890", "box=12.345678,48.123456", "n=078051123",
		},
	}
	texts[Referrer] = []string{"https://stackoverflow.com/questions/17083473/phonegap-get-s?lq=1", "http://a.example/2012/02/05/x?callback=cb&_=1392582678974"}
	for _, path := range texts[Path] {
		texts[Referrer] = append(texts[Referrer], "https://www.example.com"+path)
	}
	for _, region := range []string{"", "DE", "GB", "FR"} {
		m := New("k1", testKey, Options{Region: region})
		for where, in := range texts {
			for _, s := range in {
				if got := masked(m, s, where); got != s {
					t.Errorf("region %q: %q in %d becomes %q", region, s, where, got)
				}
			}
		}
	}
}

func TestARegionKnowsItsNumbersWithoutContext(t *testing.T) {
	for _, c := range []struct {
		region, in, e164 string
		where            Where
	}{
		{"DE", "n=030+1234567&x", "+49301234567", Query},
		{"DE", "n=030%2F1234567&x", "+49301234567", Query},
		{"DE", "write to 0151 12345678 then", "+4915112345678", FreeText},
		{"GB", "020 7946 0958", "+442079460958", FreeText},
		{"FR", "06 12 34 56 78", "+33612345678", FreeText},
		{"ES", "612 34 56 78", "+34612345678", FreeText},
		{"DE", "30 1234567", "", FreeText}, // without the prefix of a city it is none
		{"DE", "0.30123456", "", FreeText},
		{"", "030 1234567", "", FreeText},
	} {
		m := New("k1", testKey, Options{Region: c.region})
		got := masked(m, c.in, c.where)
		if want := Token("k1", testKey, "phone", []byte(c.e164)); c.e164 != "" && !strings.Contains(got, want) || c.e164 == "" && got != c.in {
			t.Errorf("%s: %q becomes %q", c.region, c.in, got)
		}
	}
}

func TestHashesNearAnAccessKeyAreNoSecretKeys(t *testing.T) {
	in := "AKIAIOSFODNN7EXAMPLE da39a3ee5e6b4b0d3255bfef95601890afd80709 " + strings.Repeat("Ab1", 14)
	if got, want := masked(testMasker(), in, FreeText), redacted+in[20:]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Each canary must vanish in each encoding and surrounding.
func TestMaskHoldsInEveryEncodingAndSurrounding(t *testing.T) {
	canaries := map[string][]string{} // the places that make something else of it
	for _, canary := range []string{"carol.smith@mail.example.org", "5555555555554444", "3782-822463-10005", "6011 0004 0000 0000", "AKIAIOSFODNN7EXAMPLE", jwt, "DE89370400440532013000", "078-05-1123", "+493012345678"} {
		canaries[canary] = nil
	}
	canaries["198.51.100.77"] = []string{"q=x+y/"} // the version of a product
	encodings := map[string]func(string) string{
		"plain":       func(s string) string { return s },
		"query":       url.QueryEscape,
		"path":        url.PathEscape,
		"twice":       func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"every byte":  func(s string) string { return escapeWhere(s, func(int) bool { return true }) },
		"every other": func(s string) string { return escapeWhere(s, func(i int) bool { return i%2 == 0 }) },
		"upper half":  func(s string) string { return escapeWhere(s, func(i int) bool { return i > len(s)/2 }) },
		"both rounds": func(s string) string {
			return escapeWhere(escapeWhere(s, func(i int) bool { return i%3 == 0 }), func(i int) bool { return i%5 == 0 })
		},
	}
	surroundings := [][2]string{{"", ""}, {"/", "/"}, {"/a/b,", "/c"}, {"q=", "&r=1"}, {"q=%20", "%20"}, {"q=x+y/", "+z"}, {"http://h.example/?a=", "#f"}, {"(", ")"}, {"id:", ";"}, {"<", ">"}, {"%22", "%22"}, {"ä ", "\""}, {"a=1&b=%7B%22x%22%3A%22", "%22%7D"}}
	m := testMasker()
	for canary, except := range canaries {
		for name, encode := range encodings {
			for _, around := range surroundings {
				if slices.Contains(except, around[0]) {
					continue
				}
				for _, where := range everywhere {
					in := around[0] + encode(canary) + around[1]
					out := masked(m, in, where)
					if survives(out, canary) {
						t.Errorf("%s of %s in %d: %s stays in %s", name, canary, where, in, out)
					}
					if !strings.HasPrefix(out, around[0]) || !strings.HasSuffix(out, around[1]) {
						t.Errorf("%s of %s in %d: %s lost its surroundings: %s", name, canary, where, in, out)
					}
				}
			}
		}
	}
}

func escapeWhere(s string, where func(int) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if where(i) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func TestSecretNamesAreReplaceable(t *testing.T) {
	m := New("k1", testKey, Options{Secrets: []SecretName{{Name: "X-Pin"}, {Name: "ticket", Suffix: true, MinLen: 3}, {Name: "z"}}})
	for in, want := range map[string]string{
		"token=abc&password=x":          "token=abc&password=x",
		"xpin=1&x_pin=2&XPin=3&pin=4":   "xpin=REDACTED&x_pin=REDACTED&XPin=REDACTED&pin=4",
		"my_ticket=ab&user[ticket]=abc": "my_ticket=ab&user[ticket]=REDACTED",
		"z=1&y=2&zz=3":                  "z=REDACTED&y=2&zz=3",
	} {
		if got := masked(m, in, Query); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
