package driver

import (
	"errors"
	"strings"
	"testing"
)

func TestLoginsAreReadFromTheEnvironment(t *testing.T) {
	t.Setenv("WRITER", "ann:with:colons")
	if user, password, err := Login("influx://h/d", "WRITER"); user != "ann" || password != "with:colons" || err != nil {
		t.Errorf("%s, %s, %v", user, password, err)
	}
	for _, wrong := range []string{"", "ann", ":s3cr3t"} {
		t.Setenv("WRITER", wrong)
		_, _, err := Login("influx://h/d", "WRITER")
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "WRITER does not hold user:password") || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	for name, want := range map[string]bool{"WRITER": true, "_a1": true, "": false, "1a": false, "a b": false, "a=b": false, strings.Repeat("x", 65): false} {
		if IsVariable(name) != want {
			t.Errorf("variable %q is %v", name, !want)
		}
	}
}
