package influxio

import (
	"testing"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/schemas/weblog"
)

// FuzzRefusal: whatever a server says of a call that it does not take, it becomes a short
// error of some class, a short code, and no more rows dropped than digits can say.
func FuzzRefusal(tf *testing.F) {
	f := mutate.Of(tf)
	for _, answer := range []string{
		`{"error":"partial write: field type conflict: input field \"views\" on measurement \"traffic\" is type float, already exists as type integer dropped=2"}`,
		`{"code":"invalid","message":"partial write: points beyond retention policy dropped=999999"}`,
		`{"error":"partial write: max-values-per-tag limit exceeded (100010/100000): measurement=\"m\" dropped=1000000"}`,
		`{"error":"unable to parse 'x': missing fields"}`, `{"error":"database not found: \"web\""}`, `{"error":7}`, `{"message":["x"]}`, `<html>`, ``, `null`, " dropped=5", "x dropped=-1", "x dropped=5 ",
	} {
		f.Add(uint16(400), []byte(answer))
	}
	c := offline(f, "", weblog.Sessions).config
	f.Fuzz(func(t *testing.T, status uint16, answer []byte) {
		number := 200 + int(status)%400
		told := message(answer)
		if n := dropped(told); n < 0 || n > 999_999 {
			t.Errorf("%d rows dropped", n)
		}
		if word := code(number, told); word == "" || len(word) > 50 {
			t.Errorf("the code %q", word)
		}
		err := c.answerError(number, told)
		if len(err.Error()) > 1000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		if e, ok := err.(*driver.Error); !ok || e.Class == nil { //nolint:errorlint // it is made there
			t.Errorf("an error without a class: %v", err)
		}
	})
}
