package testenv

import (
	"testing"

	"millrace/internal/testenv/install"
)

// Chromium is the path of a Chromium or Chrome.
func Chromium(t testing.TB) string {
	t.Helper()
	return tool(t, install.Chromium)
}
