package weblogs_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"millrace/jobs/weblogs"
	"millrace/transforms"
)

// TestClientsAreCountedByWhatTablesTell, too.
func TestClientsAreCountedByWhatTablesTell(t *testing.T) {
	before := transforms.OpenReference
	defer func() { transforms.OpenReference = before }()
	transforms.OpenReference = func(_ context.Context, place, _, version string) ([]byte, string, bool, error) {
		b, err := os.ReadFile(place)
		return b, "1", version == "1", err
	}
	cfg := settings()
	cfg.Geo, cfg.ASN = "../../transforms/enrich/testdata/geoip/GeoLite2-City-Test.mmdb", "../../transforms/enrich/testdata/geoip/GeoLite2-ASN-Test.mmdb"
	ptest.BuildAndRun(t, func(s beam.Scope) {
		var moved []any
		for _, b := range blocks() {
			b.Data = []byte(strings.ReplaceAll(string(b.Data), "203.0.113.9", "89.160.20.113"))
			moved = append(moved, b)
		}
		out := weblogs.Build(s, cfg, common(t), beam.Create(s, moved...))
		passert.EqualsList(s, beam.ParDo(s, showRows, out.Rows["clients"]), []string{
			"day=20513 dimension=browser value=Firefox hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
			"day=20513 dimension=browser value=Googlebot hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
			"day=20513 dimension=os value=Linux hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
			"day=20513 dimension=os value=(unknown) hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
			"day=20513 dimension=device value=desktop hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
			"day=20513 dimension=device value=bot hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
			"day=20513 dimension=country value=SE hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
			"day=20513 dimension=country value=(unknown) hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
			"day=20513 dimension=network value=AS29518 Bredband2 AB hits=4 hits_without_bots=4 visitors=1 visitors_without_bots=1 exact=1 version=4",
			"day=20513 dimension=network value=(unknown) hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1",
			`day=20513 dimension=bot_reason value=user agent has "googlebot" hits=1 hits_without_bots=0 visitors=1 visitors_without_bots=0 exact=1 version=1`,
		})
	})
}
