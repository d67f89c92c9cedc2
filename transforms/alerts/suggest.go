package alerts

import (
	"strings"

	"millrace/internal/nearest"
)

// Suggest says after an unknown name which one may be meant, and which there are.
func Suggest(name string, valid []string) string {
	if len(valid) == 0 {
		return ""
	}
	list := " (there are " + strings.Join(valid, ", ") + ")"
	if near := nearest.Name(name, valid); near != "" {
		return ", did you mean " + near + "?" + list
	}
	return list
}
