package driver

import (
	"fmt"
	"slices"
	"strings"

	"millrace/internal/nearest"
)

func unknownParameter(name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("parameter %s is unknown: this address takes none", name)
	}
	names := slices.Clone(known)
	slices.Sort(names)
	names = slices.Compact(names)
	if near := nearest.Name(name, names); near != "" {
		return fmt.Errorf("parameter %s is unknown; did you mean %s? (known: %s)", name, near, strings.Join(names, ", "))
	}
	return fmt.Errorf("parameter %s is unknown (known: %s)", name, strings.Join(names, ", "))
}
