//go:build lint

package archtest

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func script(t *testing.T, name string, args ...string) (said string, err error) {
	t.Helper()
	output, err := exec.Command(filepath.Join("..", "..", "scripts", name), args...).CombinedOutput()
	return string(output), err
}

func TestEveryLicenceIsAllowed(t *testing.T) {
	if said, err := script(t, "licences.sh"); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	// A list without one that is in use is a list that bites.
	if said, err := script(t, "licences.sh", "Apache-2.0,BSD-2-Clause,BSD-3-Clause"); err == nil || !strings.Contains(said, "Not allowed license 'MIT' found for library") {
		t.Errorf("without MIT: %v\n%s", err, said)
	}
}

// bill is what is looked at of a software bill of materials.
type bill struct {
	Format  string `json:"bomFormat"`
	Version string `json:"specVersion"`
	Of      struct {
		Program part `json:"component"`
	} `json:"metadata"`
	Parts        []part `json:"components"`
	Dependencies []struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn"`
	} `json:"dependencies"`
}

type part struct {
	Ref      string `json:"bom-ref"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	URL      string `json:"purl"`
	Evidence struct {
		Licences []json.RawMessage `json:"licenses"`
	} `json:"evidence"`
}

func TestTheBillOfMaterialsNamesWhatIsInTheProgram(t *testing.T) {
	program, file := filepath.Join(t.TempDir(), "millrace"), filepath.Join(t.TempDir(), "out", "sbom.cdx.json")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/millrace")
	build.Dir = filepath.Join("..", "..")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if said, err := script(t, "sbom.sh", program, file); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bill
	if err := json.Unmarshal(content, &b); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program, "version").Output()
	if words := strings.Fields(string(said)); err != nil || len(words) < 2 || words[1] != b.Of.Program.Version {
		t.Errorf("it is of version %q, and the program says %q, %v", b.Of.Program.Version, said, err)
	}
	if b.Format != "CycloneDX" || b.Version != "1.6" || b.Of.Program.Name != "millrace" || b.Of.Program.Type != "application" {
		t.Errorf("it is %s %s of the %s %s", b.Format, b.Version, b.Of.Program.Type, b.Of.Program.Name)
	}

	refs, versions := map[string]bool{b.Of.Program.Ref: true}, map[string]string{}
	for _, p := range b.Parts {
		if refs[p.Ref] {
			t.Errorf("%s is there twice", p.Ref)
		}
		refs[p.Ref], versions[p.Name] = true, p.Version
		if !strings.HasPrefix(p.URL, "pkg:golang/"+p.Name+"@"+p.Version) {
			t.Errorf("%s %s has the package URL %q", p.Name, p.Version, p.URL)
		}
		if len(p.Evidence.Licences) == 0 && p.Name != "std" {
			t.Errorf("%s has no licence", p.Name)
		}
	}
	for _, d := range b.Dependencies {
		for _, ref := range append(slices.Clone(d.On), d.Ref) {
			if !refs[ref] {
				t.Errorf("%s is depended on and not there", ref)
			}
		}
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range info.Deps {
		if versions[module.Path] != module.Version {
			t.Errorf("%s is built in as %s and billed as %q", module.Path, module.Version, versions[module.Path])
		}
	}
	for _, name := range []string{
		"std", "github.com/apache/beam/sdks/v2", "github.com/parquet-go/parquet-go",
		"github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/service/kinesis", "github.com/aws/aws-sdk-go-v2/service/s3",
	} {
		if versions[name] == "" {
			t.Errorf("%s is not in it", name)
		}
	}
}
