package main

import (
	_ "millrace/internal/config"
	_ "millrace/internal/run"
	_ "millrace/io/endpoint"
	_ "millrace/jobs"
	_ "millrace/schemas/weblog"

	_ "millrace/io/lakeio"    // want cmd-calls-internal
	_ "millrace/jobs/weblogs" // want cmd-calls-internal
	_ "millrace/transforms"   // want cmd-calls-internal

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only
)

func main() {}
