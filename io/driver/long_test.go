package driver

import (
	"errors"
	"strings"
	"testing"
)

// TestAddressesThatAreTooLongAreNotRepeated, as an error would on every line of a log.
func TestAddressesThatAreTooLongAreNotRepeated(t *testing.T) {
	for _, raw := range []string{
		"s3://" + strings.Repeat("a", 1<<20), strings.Repeat("a", 1<<20), "s3://b/?x=" + strings.Repeat("a&x=", 1<<18), strings.Repeat("a:", 1<<19) + "//x",
	} {
		if _, err := ParseURL(raw); !errors.Is(err, ErrInvalid) || len(err.Error()) > 200 {
			t.Errorf("%.20s...: %.300v", raw, err)
		}
	}
	long := "s3://bucket/" + strings.Repeat("%C3%BC", 512) // the longest key
	if u, err := ParseURL(long); err != nil || len(u.Path) != 1+1024 {
		t.Errorf("the longest key of an object: %v", err)
	}
}
