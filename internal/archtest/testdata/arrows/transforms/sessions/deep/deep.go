package deep

import (
	_ "os" // want cores-are-plain

	_ "millrace/internal/config" // want cores-know-schemas-and-cores
	_ "millrace/io/driver"       // want cores-know-schemas-and-cores transforms-know-no-io
	_ "millrace/schemas/pii"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)
