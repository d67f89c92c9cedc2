package decode

import (
	_ "os"
	"time"

	_ "millrace/internal/testenv"

	_ "millrace/io/driver"  // want transforms-know-no-io
	_ "millrace/transforms" // want beam-links-in-few-binaries

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)

var started = time.Now()
