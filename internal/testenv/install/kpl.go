package install

import (
	"context"
	_ "embed"
	"fmt"
	"io"
)

var (
	//go:embed kpl/pom.xml
	kplPOM []byte
	//go:embed kpl/Producer.java
	kplProducer []byte
)

// KPL returns the folder of a program that puts records with the Kinesis
// Producer Library: its classes are in classes, the library's jars in lib.
func KPL(ctx context.Context, log io.Writer) (string, error) {
	dir, err := mavenProgram(ctx, log, "kpl", "130 MB", sources{"pom.xml": kplPOM, "Producer.java": kplProducer})
	if err != nil {
		return "", fmt.Errorf("install the Kinesis Producer Library: %w", err)
	}
	return dir, nil
}
