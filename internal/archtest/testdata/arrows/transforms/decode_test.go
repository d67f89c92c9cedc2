package transforms

import (
	_ "millrace/internal/testenv"

	_ "millrace/io/driver" // want transforms-know-no-io

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
)
