package report

import (
	_ "millrace/internal/config"
	_ "millrace/schemas/weblog"

	_ "millrace/jobs"          // want plumbing-runs-nothing
	_ "millrace/runners/prism" // want plumbing-runs-nothing

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)
