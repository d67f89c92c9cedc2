package transforms

import (
	"time"

	_ "millrace/internal/maskkey"
	_ "millrace/schemas/pii"
	_ "millrace/transforms/mask"

	_ "millrace/internal/config" // want transforms-wrappers
	_ "millrace/io/driver"       // want transforms-know-no-io
	_ "millrace/jobs"            // want transforms-know-no-io

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism" // want beam-runners-in-runners-only
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"       // want beam-runners-in-runners-only
)

func now() int64 { return time.Now().UnixMilli() } // want forbidigo
