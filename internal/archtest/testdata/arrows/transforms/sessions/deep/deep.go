package deep

import (
	_ "millrace/schemas/pii"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)
