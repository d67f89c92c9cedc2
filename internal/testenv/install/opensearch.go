package install

import (
	"context"
	_ "embed"
	"fmt"
	"io"
)

var (
	//go:embed opensearch/pom.xml
	openSearchPOM []byte
	//go:embed opensearch/Node.java
	openSearchNode []byte
)

// OpenSearch returns the folder of a program that runs an OpenSearch node: its
// classes are in classes, OpenSearch's jars in lib.
func OpenSearch(ctx context.Context, log io.Writer) (string, error) {
	dir, err := mavenProgram(ctx, log, "opensearch", "55 MB", sources{"pom.xml": openSearchPOM, "Node.java": openSearchNode})
	if err != nil {
		return "", fmt.Errorf("install OpenSearch: %w", err)
	}
	return dir, nil
}
