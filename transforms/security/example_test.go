package security_test

import (
	"fmt"

	"millrace/transforms/security"
)

func Example() {
	var c security.Classifier
	var s security.Sources
	for i, r := range []security.Request{
		{Method: []byte("GET"), Target: []byte("/product?id=1%2527%2520or%2520%25271"), Status: 500}, // decoded twice: 1' or '1
		{Method: []byte("GET"), Target: []byte("/search?q=union+jack"), Status: 200},                 // nothing to count
		{Method: []byte("GET"), Target: []byte("/.git/config"), Status: 200, Bytes: 92},
		{Method: []byte("POST"), Target: []byte("/login"), Status: 401},
	} {
		if n, some := c.Request(&r); some {
			s.Add(int64(i)*1000, security.Source{Token: "tok_ip_k1_a", Network: "203.0.113.0"}, &n)
		}
	}
	// What is too much of that is said by the rules of alerts.yaml.
	for _, row := range s.Rows() {
		fmt.Println(row.Token, row.Requests, "requests:", row.Injection, "injection,", row.Leaks, "secret served,", row.AuthFailed, "failed login")
	}
	// Output:
	// tok_ip_k1_a 3 requests: 1 injection, 1 secret served, 1 failed login
}
