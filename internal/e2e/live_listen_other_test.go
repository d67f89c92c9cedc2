//go:build !linux

package e2e

import (
	"testing"

	"millrace/internal/testenv"
)

// listensOnLoopbackAlone cannot be told here.
func listensOnLoopbackAlone(*testing.T, *testenv.FlinkCluster, *process) {}
