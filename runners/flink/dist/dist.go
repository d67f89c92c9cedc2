// Package dist finds a Flink distribution on this machine: the folder that
// `make flink` fills with all that a cluster and a submission need.
//
//	lib/                       Flink's jars
//	beam-flink-job-server.jar  takes pipelines and turns them into Flink jobs
//	loopback.jar               an agent that has both listen on loopback alone
//	boot                       starts our worker on a TaskManager
//	VERSIONS                   a name and a version a line
package dist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"millrace/runners/flink/fault"
)

// HomeVariable names the environment variable that holds a distribution's
// folder.
const HomeVariable = "MILLRACE_FLINK_HOME"

// Distribution is a folder that was seen to be complete.
type Distribution struct {
	Dir       string // absolute
	Versions  Versions
	JobServer string // path of the jar
	Loopback  string // path of the agent's jar
	Boot      string // path of the executable
}

// Versions are those of the parts, like 1.19.3.
type Versions struct {
	Flink  string
	Runner string // Beam's Java runner for Flink, in the job server
	SDK    string // Beam's Go SDK, which boot belongs to
}

// ClassPath is Flink's, for java -cp.
func (d Distribution) ClassPath() string { return filepath.Join(d.Dir, "lib", "*") }

// Local is the flag of java for a JVM that serves this machine alone: what Beam's
// runner serves in it to workers then listens on loopback. The runner has no
// setting for that, and takes every address.
func (d Distribution) Local() string { return "-javaagent:" + d.Loopback }

// DistJars are the paths of the jars that every Flink has: flink-dist.
func (d Distribution) DistJars() []string {
	jars, _ := filepath.Glob(filepath.Join(d.Dir, "lib", "flink-dist*.jar")) // a pattern that is well formed
	return jars
}

// Find returns the distribution in the folder home; when that is empty, in
// $MILLRACE_FLINK_HOME; when that is empty too, the one that `make flink` has
// put into the checkout at or above the working directory or the executable.
func Find(home string) (Distribution, error) {
	if home != "" {
		return Open(home)
	}
	if home := os.Getenv(HomeVariable); home != "" {
		d, err := Open(home)
		if err != nil {
			return d, fmt.Errorf("$%s: %w", HomeVariable, err)
		}
		return d, nil
	}
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if file, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(file))
	}
	for _, start := range starts {
		if home, ok := above(start); ok {
			return Open(home)
		}
	}
	return Distribution{}, &fault.Error{
		Doing: "find", Object: "a Flink distribution", Class: fault.ErrNotFound,
		Cause: fmt.Errorf("no .cache/flink at or above %s", strings.Join(starts, " or ")),
		Cure:  "run `make flink` in a checkout of millrace, or name the folder it made with --flink-home or $" + HomeVariable,
	}
}

// above is the folder .cache/flink of the nearest folder at or above dir that
// has one.
func above(dir string) (string, bool) {
	for ; ; dir = filepath.Dir(dir) {
		home := filepath.Join(dir, ".cache", "flink")
		if _, err := os.Stat(home); err == nil {
			return home, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

// Open checks that home is a complete distribution.
func Open(home string) (Distribution, error) {
	broken := func(class, cause error) (Distribution, error) {
		return Distribution{}, &fault.Error{
			Doing: "open", Object: "the Flink distribution " + home, Class: class, Cause: cause,
			Cure: "run `make flink` and give the folder .cache/flink",
		}
	}
	dir, err := filepath.Abs(home)
	if err == nil {
		// Processes keep the path while the link may come to lead elsewhere.
		dir, err = filepath.EvalSymlinks(dir)
	}
	if errors.Is(err, os.ErrNotExist) {
		return broken(fault.ErrNotFound, errors.New("there is no such folder"))
	}
	if err != nil {
		return broken(fault.ErrInvalid, err)
	}
	d := Distribution{
		Dir:       dir,
		JobServer: filepath.Join(dir, "beam-flink-job-server.jar"),
		Loopback:  filepath.Join(dir, "loopback.jar"),
		Boot:      filepath.Join(dir, "boot"),
	}
	for _, file := range []string{d.JobServer, d.Loopback, d.Boot} {
		if _, err := os.Stat(file); err != nil {
			return broken(fault.ErrInvalid, fmt.Errorf("it lacks %s", filepath.Base(file)))
		}
	}
	if len(d.DistJars()) == 0 {
		return broken(fault.ErrInvalid, errors.New("it lacks lib/flink-dist-*.jar"))
	}
	if d.Versions, err = readVersions(filepath.Join(dir, "VERSIONS")); err != nil {
		return broken(fault.ErrInvalid, err)
	}
	return d, nil
}

func readVersions(name string) (v Versions, err error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return v, errors.New("it lacks VERSIONS")
	}
	known := map[string]*string{"flink": &v.Flink, "beam-flink-runner": &v.Runner, "beam-go-sdk": &v.SDK}
	for _, line := range strings.Split(string(content), "\n") {
		part, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if into := known[part]; into != nil {
			*into = strings.TrimSpace(version)
		}
	}
	for part, version := range known {
		if *version == "" {
			return Versions{}, fmt.Errorf("its VERSIONS has no line for %s", part)
		}
	}
	return v, nil
}
