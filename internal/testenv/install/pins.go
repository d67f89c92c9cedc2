package install

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// flinkVersions are the three that a Flink distribution is made of. They have
// been run together; others may not speak to each other.
type flinkVersions struct {
	Flink string // FLINK_VERSION of the Makefile
	Beam  string // BEAM_FLINK_VERSION of the Makefile: the Java runner's
	SDK   string // of go.mod, without the v: the Go SDK's, which made boot
}

// line is the series of Flink releases that share an interface: 1.19 of 1.19.3.
var line = regexp.MustCompile(`^\d+\.\d+`)

func readFlinkVersions(root string) (v flinkVersions, err error) {
	for _, pin := range []struct {
		into    *string
		file    string
		pattern string
	}{
		{&v.Flink, "Makefile", `(?m)^FLINK_VERSION\s*[:?]?=\s*(\d+\.\d+\.\d+)\b`},
		{&v.Beam, "Makefile", `(?m)^BEAM_FLINK_VERSION\s*[:?]?=\s*(\d+\.\d+\.\d+)\b`},
		{&v.SDK, "go.mod", `(?m)^\s*(?:require\s+)?github\.com/apache/beam/sdks/v2 v(\S+)`},
	} {
		content, err := os.ReadFile(filepath.Join(root, pin.file))
		if err != nil {
			return flinkVersions{}, fmt.Errorf("read the pinned versions: %w", err)
		}
		found := regexp.MustCompile(pin.pattern).FindSubmatch(content)
		if found == nil {
			return flinkVersions{}, fmt.Errorf("read the pinned versions: %s has no line like %s", pin.file, pin.pattern)
		}
		*pin.into = string(found[1])
	}
	return v, nil
}

// name tells distributions apart, so that a changed pin or a changed source of
// what is built here makes a new one.
func (v flinkVersions) name(sources []byte) string {
	return fmt.Sprintf("flink-%s-beam-%s-sdk-%s-%.4x", v.Flink, v.Beam, v.SDK, sha256.Sum256(sources))
}

// text is the file VERSIONS of a distribution.
func (v flinkVersions) text() string {
	return fmt.Sprintf("flink %s\nbeam-flink-runner %s\nbeam-go-sdk %s\n", v.Flink, v.Beam, v.SDK)
}
