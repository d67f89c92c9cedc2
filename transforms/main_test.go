package transforms

import (
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
)

func TestMain(m *testing.M) {
	*jobopts.Experiments = "prism_disable_sdf_split" // as runners/prism does
	ptest.Main(m)
}
