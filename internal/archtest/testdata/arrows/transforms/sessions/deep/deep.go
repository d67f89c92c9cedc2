package deep

import (
	private "millrace/schemas/pii"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)

func show(t private.Text) []byte { return private.Reveal(t) } // want forbidigo
