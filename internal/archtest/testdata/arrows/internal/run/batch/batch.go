// Package batch may know everything below cmd.
package batch

import (
	_ "millrace/io/endpoint"
	_ "millrace/jobs"
	_ "millrace/runners/prism"
	_ "millrace/transforms"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam"
)
