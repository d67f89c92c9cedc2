package driver

import (
	"errors"
	"os"
	"regexp"
	"strings"
)

// A secret is never in a URL: it names a variable of the environment, which is that of
// the workers.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// IsVariable tells whether a text can be the name of an environment variable.
func IsVariable(name string) bool { return variable.MatchString(name) }

// Login reads user and password, as user:password, from an environment variable, to
// write to a place.
func Login(place, variable string) (user, password string, err error) {
	user, password, ok := strings.Cut(os.Getenv(variable), ":")
	if !ok || user == "" {
		return "", "", &Error{
			Doing: "write to", Object: place, Class: ErrInvalid,
			Cause: errors.New("the environment variable " + variable + " does not hold user:password"), Cure: "set it where the workers run",
		}
	}
	return user, password, nil
}
