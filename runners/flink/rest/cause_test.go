package rest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"millrace/internal/mutate"
	"millrace/runners/flink/rest"
)

func TestTheRootCauseOfATrace(t *testing.T) {
	for trace, want := range map[string]string{
		"a.B: outer\n\tat x(Y.java:1)\nCaused by: a.C: inner\n\tat z(Y.java:2)\n\t... 3 more\n": "a.C: inner",
		"only a text":                       "only a text",
		"":                                  "",
		"a.B: two\nlines\n\tat x(Y.java:1)": "a.B: two\nlines",
		"a.B: b\r\n\tat x(Y.java)\r\nCaused by: c\r\n":                                             "c",
		"a.B: b\n\tat x(Y.java)\n\tSuppressed: a.D: no":                                            "a.B: b",
		"<Exception on server side:\na.B: b\n\tat x(Y.java:1)\n\nEnd of exception on server side>": "a.B: b",
	} {
		if got := rest.RootCause(trace); got != want {
			t.Errorf("root cause of %q is %q, want %q", trace, got, want)
		}
	}
	if long := rest.RootCause("a.B: " + strings.Repeat("ä", 5000)); len(long) > 1000 || !utf8.ValidString(long) || !strings.HasSuffix(long, " ...") {
		t.Errorf("a long cause became %d bytes ending in %q", len(long), long[len(long)-10:])
	}
}

func FuzzRootCause(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("a.B: outer\n\tat x(Y.java:1)\nCaused by: a.C: inner\n\tat z(Y.java:2)\n")
	f.Fuzz(func(t *testing.T, trace string) {
		cause := rest.RootCause(trace)
		if len(cause) > 1000 {
			t.Errorf("%d bytes, want 1000 at most", len(cause))
		}
		if utf8.ValidString(trace) && !utf8.ValidString(cause) {
			t.Errorf("a character was cut in two: %q", cause)
		}
		if again := rest.RootCause(cause); len(again) > len(cause) {
			t.Errorf("the cause of %q is the longer %q", cause, again)
		}
	})
}
