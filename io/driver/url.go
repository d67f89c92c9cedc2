package driver

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// URL is an endpoint's address with typed reading of its parameters:
//
//	u, err := driver.ParseURL("s3://logs/web?split=32MiB")
//	split := u.Bytes("split", 64<<20)
//	err = u.Done() // a value of the wrong type, or a parameter nobody read
//
// Reading never fails on its own: a wrong value gives the default and is
// reported, with all the others, by Done. Credentials have no place in a URL
// (it is logged, listed and stored), so ParseURL refuses one that has any, and
// no error repeats it.
type URL struct {
	Scheme, Host, Path string // Path is percent-decoded and keeps its leading slash

	params url.Values
	known  []string
	errs   []error
}

// maxURL is more bytes than an address has: the key of an S3 object is 1 KiB at most,
// thrice that when it is encoded. Errors name addresses, so they are bounded by it.
const maxURL = 16 << 10

// ParseURL parses an absolute URL. Places that are plain paths are the
// business of the endpoint that accepts them.
func ParseURL(raw string) (*URL, error) {
	if len(raw) > maxURL {
		return nil, invalid("(an address)", fmt.Sprintf("has %d bytes, and an address has %d at most", len(raw), maxURL), "see what was given in its place")
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, invalid(withoutScheme(raw), "is not a URL: it has no scheme", "write scheme://place")
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	host, _, _ := strings.Cut(authority, ":") // what follows may be a mistaken secret
	shown := scheme + "://" + host + "..."
	if holdsUser(rest, authority) {
		return nil, credentialError(scheme + "://...")
	}
	u, err := url.Parse(raw)
	if err != nil {
		// url.Error repeats its whole input, which may hold anything.
		var escape url.EscapeError
		if errors.As(err, &escape) {
			return nil, invalid(shown, fmt.Sprintf("has a broken escape %q", string(escape)), "write a percent sign as %25")
		}
		return nil, invalid(shown, "is not a valid URL", "write scheme://place?parameter=value")
	}
	if u.Fragment != "" {
		return nil, invalid(shown, "has a fragment (#...)", "write a number sign as %23")
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, invalid(shown, "has parameters that cannot be read", "write them as name=value&name=value, percent-encoded")
	}
	for name := range params {
		if isCredential(name) {
			return nil, credentialError(shown)
		}
	}
	return &URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, params: params}, nil
}

// withoutScheme is what errors call a text that is no URL: not by itself where a part
// of it could be a credential.
func withoutScheme(raw string) string {
	switch {
	case raw == "":
		return "(empty)"
	case strings.ContainsAny(raw, "@?="):
		return "(an address)"
	}
	return raw
}

// PathURL is the URL of a plain path: scheme file, no parameters.
func PathURL(path string) *URL { return &URL{Scheme: "file", Path: path} }

// String is the address without its parameters, for messages.
func (u *URL) String() string { return u.Scheme + "://" + u.Host + u.Path }

// Text reads a parameter as it stands.
func (u *URL) Text(name, def string) string {
	u.known = append(u.known, name)
	values := u.params[name]
	switch len(values) {
	case 0:
		return def
	case 1:
		return values[0]
	}
	u.errs = append(u.errs, fmt.Errorf("parameter %s is given %d times", name, len(values)))
	return def
}

// OneOf reads a parameter with a fixed set of values.
func (u *URL) OneOf(name, def string, allowed ...string) string {
	v := u.Text(name, def)
	if v == def || slices.Contains(allowed, v) {
		return v
	}
	u.wrong(name, v, "one of "+strings.Join(allowed, ", "))
	return def
}

// Int reads a whole number, of at least the given one.
func (u *URL) Int(name string, def, least int64) int64 {
	return read(u, name, def, fmt.Sprintf("a whole number of at least %d", least), func(s string) (int64, bool) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && n >= least
	})
}

// Bytes reads a size of at least one byte: 4096, 64KiB, 16MiB, 1GiB.
func (u *URL) Bytes(name string, def int64) int64 {
	return read(u, name, def, "a size such as 65536, 64KiB, 16MiB or 1GiB", parseBytes)
}

// Bool reads true or false.
func (u *URL) Bool(name string, def bool) bool {
	return read(u, name, def, "true or false", func(s string) (bool, bool) { return s == "true", s == "true" || s == "false" })
}

// Duration reads a positive duration: 500ms, 30s, 5m.
func (u *URL) Duration(name string, def time.Duration) time.Duration {
	return read(u, name, def, "a duration such as 500ms, 30s or 5m", func(s string) (time.Duration, bool) {
		d, err := time.ParseDuration(s)
		return d, err == nil && d > 0
	})
}

// Done reports every wrong value and every parameter that was not read, each
// with the nearest name that exists. It is called last.
func (u *URL) Done() error {
	errs := u.errs
	var unread []string
	for name := range u.params {
		if !slices.Contains(u.known, name) {
			unread = append(unread, name)
		}
	}
	slices.Sort(unread)
	for _, name := range unread {
		errs = append(errs, unknownParameter(name, u.known))
	}
	if len(errs) == 0 {
		return nil
	}
	return &Error{Doing: "read the parameters of", Object: u.String(), Class: ErrInvalid, Cause: errors.Join(errs...)}
}

func read[T any](u *URL, name string, def T, want string, parse func(string) (T, bool)) T {
	s := u.Text(name, "")
	if _, given := u.params[name]; !given || len(u.params[name]) > 1 {
		return def
	}
	v, ok := parse(s)
	if !ok {
		u.wrong(name, s, want)
		return def
	}
	return v
}

func (u *URL) wrong(name, value, want string) {
	u.errs = append(u.errs, fmt.Errorf("parameter %s=%s is not %s", name, value, want))
}

func parseBytes(s string) (int64, bool) {
	shift := 0
	for i, suffix := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			s, shift = rest, 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n << shift, err == nil && n > 0 && n <= (1<<62)>>shift
}

func invalid(object, what, cure string) error {
	return &Error{Doing: "read the address", Object: object, Class: ErrInvalid, Cause: errors.New(what), Cure: cure}
}

func credentialError(object string) error {
	return invalid(object, "holds a credential, which would end up in logs and manifests",
		"remove it (and replace it, it has been seen) and use the AWS credential chain or the environment")
}

// holdsUser sees user:password@host, also where the password has a slash in it,
// as AWS secret keys do, and so ends what looks like the authority.
func holdsUser(rest, authority string) bool {
	if strings.Contains(authority, "@") {
		return true
	}
	if _, after, ok := strings.Cut(authority, "]"); ok {
		authority = after // an IPv6 address has colons of its own
	}
	_, port, ok := strings.Cut(authority, ":")
	if !ok {
		return false
	}
	_, err := strconv.ParseUint(port, 10, 16)
	head, _, _ := strings.Cut(rest, "?")
	return err != nil && strings.Contains(head, "@")
}

func isCredential(name string) bool {
	name = strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name))
	for _, word := range []string{"password", "passwd", "secret", "token", "accesskey", "accesskeyid", "credential", "signature", "apikey"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
