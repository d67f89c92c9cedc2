package driver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"millrace/internal/mutate"
)

func parse(t *testing.T, raw string) *URL {
	t.Helper()
	u, err := ParseURL(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestParametersAreReadByType(t *testing.T) {
	u := parse(t, "s3://bucket/a%20b/c?split=32MiB&plain=17&n=3&on=true&wait=1m30s&mode=fast&text=x%26y")
	if u.Scheme != "s3" || u.Host != "bucket" || u.Path != "/a b/c" {
		t.Errorf("address is %q %q %q", u.Scheme, u.Host, u.Path)
	}
	if got := u.Bytes("split", 1); got != 32<<20 {
		t.Errorf("split = %d", got)
	}
	if got := u.Bytes("plain", 1); got != 17 {
		t.Errorf("plain = %d", got)
	}
	if got := u.Int("n", 0, 1); got != 3 {
		t.Errorf("n = %d", got)
	}
	if !u.Bool("on", false) {
		t.Error("on = false")
	}
	if got := u.Duration("wait", 0); got != 90*time.Second {
		t.Errorf("wait = %v", got)
	}
	if got := u.OneOf("mode", "slow", "slow", "fast"); got != "fast" {
		t.Errorf("mode = %q", got)
	}
	if got := u.Text("text", ""); got != "x&y" {
		t.Errorf("text = %q", got)
	}
	if got := u.Bytes("absent", 7); got != 7 {
		t.Errorf("absent = %d", got)
	}
	if err := u.Done(); err != nil {
		t.Error(err)
	}
}

func TestDoneReportsEveryMistakeAtOnceWithTheNearestName(t *testing.T) {
	u := parse(t, "file:///x?splt=1&split=huge&n=-1&on=yes&wait=soon&mode=odd&twice=1&twice=2&zzzzz=1&big=9999999999GiB")
	if got := u.Bytes("split", 5); got != 5 {
		t.Errorf("a wrong value gives %d, not the default", got)
	}
	u.Int("n", 0, 0)
	u.Bool("on", false)
	u.Duration("wait", 0)
	u.OneOf("mode", "a", "a", "b")
	u.Text("twice", "")
	u.Bytes("big", 1)
	err := u.Done()
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("class of %v", err)
	}
	for _, want := range []string{
		"file:///x", "split=huge is not a size", "n=-1 is not a whole number of at least 0", "on=yes is not true or false",
		"wait=soon is not a duration", "mode=odd is not one of a, b", "twice is given 2 times",
		"splt is unknown; did you mean split?", "zzzzz is unknown (known: big, ", "big=9999999999GiB is not a size",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestAnAddressWithoutParametersSaysSo(t *testing.T) {
	err := parse(t, "file:///x?a=1").Done()
	if err == nil || !strings.Contains(err.Error(), "takes none") {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsAreRefusedAndNotRepeated(t *testing.T) {
	for _, raw := range []string{
		"s3://AKIAEXAMPLE:hunter2@bucket/x",
		"s3://AKIAEXAMPLE:hun/ter2@bucket/x",
		"s3://hunter2@bucket/x",
		"s3://bucket/x?secret_access_key=hunter2",
		"s3://bucket/x?X-Amz-Signature=hunter2",
		"influx://host:8086/db?Password=hunter2",
		"influx://host/db?auth_token=hunter2",
		"s3://bucket/x?a=%zz&password=hunter2",
		"s3://bucket:hunter2/x",
		"AKIAEXAMPLE:hunter2@bucket/x",
		"bucket/x?secret_access_key=hunter2",
	} {
		_, err := ParseURL(raw)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "hun/ter2") {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
}

func TestAnAtSignInAPathIsNoCredential(t *testing.T) {
	for _, raw := range []string{"s3://bucket/mail@host/x", "influx://host:8086/a@b", "file:///home/a@b", "influx://[::1]:8086/a@b"} {
		if _, err := ParseURL(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestBrokenAddressesNameTheCure(t *testing.T) {
	for raw, want := range map[string]string{
		"out":             "no scheme",
		"file:///x%zz":    "%25",
		"file:///x#1.log": "%23",
	} {
		_, err := ParseURL(raw)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestErrorShowsCauseAndCureAndMatchesBoth(t *testing.T) {
	cause := errors.New("stat x: no such file or directory")
	err := error(&Error{Doing: "read", Object: "x", Class: ErrNotFound, Cause: cause, Cure: "check the path"})
	if got, want := err.Error(), "read x: stat x: no such file or directory; check the path"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if !errors.Is(err, ErrNotFound) || !errors.Is(err, cause) || errors.Is(err, ErrPermission) {
		t.Error("errors.Is does not see class and cause")
	}
	bare := error(&Error{Doing: "read", Object: "x", Class: ErrBusy})
	if got := bare.Error(); got != "read x: in use by another run" {
		t.Errorf("text is %q", got)
	}
}

func FuzzParseURL(tf *testing.F) {
	f := mutate.Of(tf)
	for _, seed := range []string{"s3://b/p?split=1MiB", "s3://a:b/c@d", "file:///x%zz", "influx://[::1]:80/x?n=%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := ParseURL(raw)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("class of %v", err)
			}
			return
		}
		u.Bytes("split", 1)
		u.Int("n", 1, 1)
		if err := u.Done(); err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("class of %v", err)
		}
	})
}
