package maskkey

import "path/filepath"

// DefaultPath is where the local user's own key lies below configDir.
func DefaultPath(configDir string) string { return filepath.Join(configDir, "millrace", "mask.key") }
