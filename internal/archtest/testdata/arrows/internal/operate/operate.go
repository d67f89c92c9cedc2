package operate

import (
	_ "millrace/internal/config"
	_ "millrace/runners/flink/rest"

	_ "millrace/internal/run"  // want operations-know-plain-flink
	_ "millrace/jobs"          // want operations-know-plain-flink
	_ "millrace/runners/flink" // want operations-know-plain-flink
	_ "millrace/runners/prism" // want operations-know-plain-flink

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)
