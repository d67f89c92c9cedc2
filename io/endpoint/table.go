package endpoint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/io/lakeio"
)

// Kind is what can be reached under a URL scheme.
type Kind struct {
	Doc     string
	Example string
	// Parameters are what its URLs can say beyond the place.
	Parameters []driver.Parameter
	// open opens the kind as a source; nil when it is none.
	open openSource
}

type openSource func(ctx context.Context, url string, detect driver.Inspect) (driver.Source, error)

// Kinds is every kind of endpoint, by URL scheme, in one place: nothing
// registers itself. A place without a scheme is a path.
var Kinds = map[string]Kind{
	"file": {Doc: "files of this machine: a file, folder or glob of logs or of a lake's raw archive as a source, a folder as a lake; a plain path means the same", Example: "file:///var/log/apache2/access*.log*", Parameters: lakeio.Parameters("file"), open: openLake},
	"s3":   {Doc: "objects of Amazon S3 or a compatible server: an object, prefix or glob of logs or of a lake's raw archive as a source, a prefix as a lake", Example: "s3://logs/web/2026/", Parameters: lakeio.Parameters("s3"), open: openLake},
}

func openLake(ctx context.Context, url string, detect driver.Inspect) (driver.Source, error) {
	return lakeio.OpenSource(ctx, url, detect)
}

// OpenSource opens the source a URL names. detect tells the decoder for a file
// by its first bytes; it is needed to plan, not to read.
func OpenSource(ctx context.Context, url string, detect driver.Inspect) (driver.Source, error) {
	scheme, _, ok := strings.Cut(url, "://")
	if !ok {
		scheme = "file"
	}
	k, ok := Kinds[scheme]
	if !ok || k.open == nil {
		return nil, fmt.Errorf("%w source %s: unknown scheme %s; there are %s", driver.ErrInvalid, url, scheme, strings.Join(slices.Sorted(maps.Keys(Kinds)), ", "))
	}
	return k.open(ctx, url, detect)
}
