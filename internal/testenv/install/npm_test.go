package install

import (
	"encoding/json"
	"regexp"
	"testing"
)

// A lock that names a registry works only where that registry can be reached.
func TestTheLockPinsChecksumsAndNamesNoRegistry(t *testing.T) {
	if found := regexp.MustCompile(`"resolved"|\w+://[^"]*\.tgz`).Find(npmLock); found != nil {
		t.Errorf("package-lock.json holds %s; write it with --omit-lockfile-registry-resolved", found)
	}
	var lock struct {
		Packages map[string]struct {
			Version, Integrity string
		} `json:"packages"`
	}
	if err := json.Unmarshal(npmLock, &lock); err != nil {
		t.Fatal(err)
	}
	delete(lock.Packages, "") // the folder itself
	for name, pkg := range lock.Packages {
		if pkg.Version == "" || pkg.Integrity == "" {
			t.Errorf("%s is pinned to version %q, checksum %q", name, pkg.Version, pkg.Integrity)
		}
	}
	var wanted struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(npmPackages, &wanted); err != nil {
		t.Fatal(err)
	}
	for name, version := range wanted.Dependencies {
		if got := lock.Packages["node_modules/"+name].Version; got != version {
			t.Errorf("package.json asks for %s %s, the lock has %q", name, version, got)
		}
	}
}
