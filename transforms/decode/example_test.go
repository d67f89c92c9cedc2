package decode_test

import (
	"fmt"
	"time"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// A worker owns one parser and goes through a block line by line.
func Example() {
	block := []byte(`203.0.113.7 - - [17/May/2015:10:05:03 +0200] "GET /cart?id=7 HTTP/1.1" 200 512 "-" "curl/8.5.0"
203.0.113.7 - - [17/May/2015:10:05:04 +0200] "\x16\x03\x01" 400 226 "-" "-"
203.0.113.7 - - [17/May/2015:10:05:05 +0200] "GET / HTTP/1.1" 200 99 "-" "curl/8
`)
	const base = 4096 // where the block lies in the file
	var (
		format = decode.Detect(block)
		parser decode.Parser
		log    decode.AccessLog
	)
	fmt.Println(format)
	for lines := decode.NewLines(block, base); ; {
		line, offset, ok := lines.Next()
		if !ok {
			break
		}
		if reason := parser.Parse(line, format, &log); reason != badrow.None {
			fmt.Println(offset, "bad:", reason)
			continue
		}
		at := time.UnixMilli(log.Time).UTC().Format(time.TimeOnly)
		// The texts that may hold personal data do not print; masking reads them.
		fmt.Printf("%d %s %s %d %d %t\n", offset, at, log.Method, log.Status, log.Bytes, log.Request.Empty())
	}
	// Output:
	// combined
	// 4096 08:05:03 GET 200 512 true
	// 4192 08:05:04  400 226 false
	// 4268 bad: truncated
}
