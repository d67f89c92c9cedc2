package weblogs

import (
	_ "millrace/schemas/weblog"
	_ "millrace/transforms"
	_ "millrace/transforms/mask"

	_ "millrace/internal/config" // want jobs-are-diagrams
	_ "millrace/io/endpoint"     // want jobs-are-diagrams
	_ "millrace/io/lakeio"       // want jobs-are-diagrams
	_ "millrace/runners/prism"   // want jobs-are-diagrams

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam"
)
