package endpoint

import (
	_ "millrace/io/driver"

	_ "millrace/transforms" // want io-knows-no-transforms

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam"
)
