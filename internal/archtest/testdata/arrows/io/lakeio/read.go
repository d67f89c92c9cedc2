package lakeio

import (
	"fmt"
	_ "os"
	"time"

	_ "millrace/internal/config"
	_ "millrace/io/driver"

	_ "millrace/schemas/pii"

	_ "millrace/internal/run"    // want io-knows-no-transforms
	_ "millrace/io/endpoint"     // want beam-links-in-few-binaries
	_ "millrace/jobs"            // want io-knows-no-transforms
	_ "millrace/runners/prism"   // want io-knows-no-transforms
	_ "millrace/transforms/mask" // want io-knows-no-transforms

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam" // want beam-in-wrappers-only

	_ "github.com/influxdata/influxdb-client-go/v2"    // want peers-in-benchmarks-only
	_ "github.com/opensearch-project/opensearch-go/v4" // want peers-in-benchmarks-only
)

func show() {
	fmt.Print(time.Now()) // want forbidigo
}
