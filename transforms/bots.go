package transforms

import (
	"fmt"
	"os"

	"millrace/transforms/enrich"
)

// loadBots reads a list of bots from a file, or gives the built-in one.
func loadBots(path string) (*enrich.Bots, error) {
	if path == "" {
		return enrich.DefaultBots(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the list of bots: %w", err)
	}
	defer f.Close()
	bots, err := enrich.ParseBots(f)
	if err != nil {
		return nil, fmt.Errorf("reading the list of bots %s: %w", path, err)
	}
	return bots, nil
}

// BotsVersion names the content of a list of bots; path is empty for the built-in
// one.
func BotsVersion(path string) (string, error) {
	bots, err := loadBots(path)
	if err != nil {
		return "", err
	}
	return bots.Version(), nil
}
