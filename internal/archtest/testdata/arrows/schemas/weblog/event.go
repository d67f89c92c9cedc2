package weblog

import (
	_ "crypto/rand" // want cores-are-plain
	_ "log"         // want cores-are-plain
	_ "log/slog"
	_ "net/netip"
	_ "os" // want cores-are-plain
	"time"

	_ "millrace/internal/maskkey" // want schemas-know-schemas
	_ "millrace/io/driver"        // want schemas-know-schemas
	_ "millrace/transforms/mask"  // want schemas-know-schemas

	_ "millrace/schemas/pii"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)

func now() int64 { return time.Now().UnixMilli() } // want forbidigo
