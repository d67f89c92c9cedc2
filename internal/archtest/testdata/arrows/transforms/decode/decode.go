package decode

import (
	_ "crypto/rand"  // want cores-are-plain
	_ "database/sql" // want cores-are-plain
	"fmt"
	_ "log"          // want cores-are-plain
	_ "log/slog"     // want cores-know-schemas-and-cores
	_ "math/rand/v2" // want cores-are-plain
	_ "net"          // want cores-are-plain
	_ "net/http"     // want cores-are-plain
	_ "net/netip"
	_ "os" // want cores-are-plain
	"time"

	_ "millrace/schemas/pii"
	_ "millrace/transforms/mask"

	_ "millrace"                  // want cores-know-schemas-and-cores
	_ "millrace/internal/maskkey" // want cores-know-schemas-and-cores
	_ "millrace/internal/run"     // want cores-know-schemas-and-cores
	_ "millrace/io/driver"        // want cores-know-schemas-and-cores transforms-know-no-io
	_ "millrace/io/endpoint"      // want beam-links-in-few-binaries cores-know-schemas-and-cores transforms-know-no-io
	_ "millrace/jobs"             // want cores-know-schemas-and-cores transforms-know-no-io
	_ "millrace/runners/prism"    // want cores-know-schemas-and-cores transforms-know-no-io
	_ "millrace/transforms"       // want beam-links-in-few-binaries cores-know-schemas-and-cores

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam"               // want beam-in-wrappers-only
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism" // want beam-in-wrappers-only beam-runners-in-runners-only
)

func show() {
	fmt.Println(time.Now()) // want forbidigo forbidigo
}
