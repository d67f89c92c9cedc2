package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"millrace/internal/testenv"
	"millrace/schemas/manifest"
)

// built is where the program under test lies once build was called.
var built struct {
	sync.Once
	dir, path, fault string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// build compiles the program, once for all tests, and returns its path.
// $MILLRACE_BINARY names a built one to test instead.
func build(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("MILLRACE_BINARY"); path != "" {
		return path
	}
	root := testenv.Root(t)
	built.Do(func() {
		dir, err := os.MkdirTemp("", "millrace-e2e-") //nolint:usetesting // outlives the first test
		if err != nil {
			built.fault = err.Error()
			return
		}
		built.dir, built.path = dir, filepath.Join(dir, "millrace")
		cmd := exec.Command("go", "build", "-o", built.path, "./cmd/millrace")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			built.fault = err.Error() + "\n" + string(out)
		}
	})
	if built.fault != "" {
		t.Fatalf("building the program: %s", built.fault)
	}
	return built.path
}

// maskKey is the masking key of tests that compare lakes.
const (
	maskKeyID = "k7b1d22"
	maskKey   = maskKeyID + ":8f0c1a5be9d27346a1f2e3c4b5a6978889706152433425160708192a3b4c5d6e"
)

// env is a user of the program: a home with nothing in it, and folders to work
// in.
type env struct {
	home string
	dir  string   // for logs and lakes
	vars []string // further environment variables, NAME=value
}

// newEnv makes a user who names his masking key by env://MASK_KEY, or none at all
// and gets one made.
func newEnv(t testing.TB) env {
	t.Helper()
	return env{home: t.TempDir(), dir: t.TempDir(), vars: []string{"MASK_KEY=" + maskKey}}
}

// in is a path in the user's folder.
func (e env) in(elem ...string) string { return filepath.Join(append([]string{e.dir}, elem...)...) }

// with adds environment variables.
func (e env) with(vars ...string) env {
	e.vars = append(append([]string{}, e.vars...), vars...)
	return e
}

// keyFile is where the user's own key appears on first use.
func (e env) keyFile() string { return filepath.Join(e.home, "config", "millrace", "mask.key") }

// environ is all the program gets to see: nothing of the developer's but the
// path and the test servers.
func (e env) environ() []string {
	vars := []string{
		"HOME=" + e.home, "XDG_CONFIG_HOME=" + filepath.Join(e.home, "config"), "XDG_CACHE_HOME=" + filepath.Join(e.home, "cache"),
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "AWS_") {
			vars = append(vars, v)
		}
	}
	return append(vars, e.vars...)
}

// result is how a call of the program ended.
type result struct {
	code           int // exit code, -1 when a signal ended it
	stdout, stderr string
}

// process is a running program.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

// start runs the program in the user's folder; it ends with the test at the
// latest.
func start(t testing.TB, e env, args ...string) *process {
	t.Helper()
	return startAs(t, e, nil, args...)
}

// startAs is start as another user.
func startAs(t testing.TB, e env, as *syscall.SysProcAttr, args ...string) *process {
	t.Helper()
	return launch(t, e, as, build(t), args...)
}

// command runs another program as a user of this one would.
func command(t testing.TB, e env, name string, args ...string) *process {
	t.Helper()
	return launch(t, e, nil, name, args...)
}

func launch(t testing.TB, e env, as *syscall.SysProcAttr, name string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{Cmd: exec.CommandContext(ctx, name, args...)}
	p.Dir, p.Env, p.Stdout, p.Stderr = e.dir, e.environ(), &p.out, &p.err
	p.SysProcAttr = as
	if err := p.Start(); err != nil {
		t.Fatalf("starting %s %v: %v", name, args, err)
	}
	t.Cleanup(func() {
		cancel()
		if p.ProcessState == nil {
			_ = p.Wait() // the test failed before it waited
		}
	})
	return p
}

// end waits for the program.
func (p *process) end(t testing.TB) result {
	t.Helper()
	err := p.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("waiting for millrace: %v", err)
	}
	return result{code: p.ProcessState.ExitCode(), stdout: p.out.String(), stderr: p.err.String()}
}

// run runs the program in the user's folder until it ends.
func run(t testing.TB, e env, args ...string) result {
	t.Helper()
	return start(t, e, args...).end(t)
}

// mustRun runs the program, which has to succeed.
func mustRun(t testing.TB, e env, args ...string) result {
	t.Helper()
	r := run(t, e, args...)
	if r.code != 0 {
		t.Fatalf("millrace %s: exit code %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r
}

// weblogs are the arguments of a run with the tests' key.
func weblogs(source, lake string, more ...string) []string {
	return append([]string{"run", "weblogs", "--source", source, "--lake", lake, "--mask-key", "env://MASK_KEY"}, more...)
}

// accessLogs is the folder of real logs.
func accessLogs(t testing.TB) string {
	t.Helper()
	return filepath.Join(testenv.Root(t), "testdata", "access-logs")
}

// readManifest reads the record of the latest run of a lake in a folder, by start.
func readManifest(t testing.TB, lake string) manifest.Manifest {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(lake, "_runs", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("lake %s has no manifest (%v)", lake, err)
	}
	var latest manifest.Manifest
	for _, name := range names {
		var m manifest.Manifest
		readJSON(t, name, &m)
		if latest.Run == "" || m.Started.After(latest.Started) {
			latest = m
		}
	}
	return latest
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, name), into); err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// hashLake gives the SHA-256 of every Parquet file of a lake in a folder, by its
// path in the lake. The staging area is no part of the lake's data.
func hashLake(t testing.TB, lake string) map[string]string {
	t.Helper()
	return hashFiles(t, lake, func(rel string) bool {
		return filepath.Ext(rel) == ".parquet" && !strings.HasPrefix(rel, "_")
	})
}

// hashTree gives the SHA-256 of every file below a folder, and "folder" for every
// folder.
func hashTree(t testing.TB, dir string) map[string]string {
	t.Helper()
	return hashFiles(t, dir, func(string) bool { return true })
}

func hashFiles(t testing.TB, dir string, want func(rel string) bool) map[string]string {
	t.Helper()
	hashes := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || !want(rel) {
			return err
		}
		if d.IsDir() {
			hashes[rel] = "folder"
			return nil
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return err
		}
		hashes[rel] = hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("hashing %s: %v", dir, err)
	}
	return hashes
}

// sql runs statements over the views that a lake in a folder describes of itself.
// An output without rows is a view without rows.
func sql(t testing.TB, lake, statements string) [][]string {
	t.Helper()
	return testenv.DuckDB(t, views(t, lake)+statements)
}

// sqlInto is sql into a slice of structs, see testenv.QueryInto.
func sqlInto(t testing.TB, lake, statements string, rows any) {
	t.Helper()
	testenv.QueryInto(t, views(t, lake)+statements, rows)
}

// views gives the SQL of the lake's views, and empty ones of the outputs that the
// lake has no rows of.
func views(t testing.TB, lake string) string {
	t.Helper()
	const none = `CREATE VIEW bad_rows AS SELECT NULL::UUID AS bad_row_id, NULL::VARCHAR AS reason, NULL::VARCHAR AS source, NULL::BIGINT AS position WHERE false;
CREATE VIEW bots AS SELECT NULL::DATE AS day, NULL::VARCHAR AS bot_name, NULL::BIGINT AS hits, NULL::BIGINT AS visitors, NULL::BIGINT AS version WHERE false;
CREATE VIEW late AS SELECT NULL::UUID AS event_id WHERE false;
CREATE VIEW refused AS SELECT NULL::UUID AS refused_id, NULL::VARCHAR AS output WHERE false;
`
	return "SET TimeZone = 'UTC';\n" + none + string(readFile(t, filepath.Join(lake, "_current", "views.sql")))
}
