// Package mask is an idea that keeps every rule.
package mask

import "millrace/schemas/pii"

func show(t pii.Text) []byte { return pii.Reveal(t) }
