package mutate

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// target is one of every type that inputs here have.
func target(*testing.T, []byte, string, bool, byte, int, int32, int64, uint16, uint64) {}

func TestInputsAreReadAsTheyAreWritten(t *testing.T) {
	args := []any{[]byte("a\x00\n\"\xff`'"), "täxt\n", true, byte(7), int(-1), int32(3), int64(-1 << 63), uint16(9), uint64(1<<64 - 1)}
	got, err := decode(encode(args), reflect.TypeOf(target))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(args, got); diff != "" {
		t.Error(diff)
	}
}

func TestInputsOfPackageTestingAreRead(t *testing.T) {
	// As testing writes them: a byte and a rune may be characters.
	content := "go test fuzz v1\n[]byte(\"ab\\x00\")\nstring(\"c\")\nbool(false)\nbyte('\\x07')\nint(-1)\nrune('a')\nint64(5)\nuint16(0x10)\nuint64(6)\n"
	got, err := decode([]byte(content), reflect.TypeOf(target))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{[]byte("ab\x00"), "c", false, byte(7), -1, 'a', int64(5), uint16(16), uint64(6)}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "go test fuzz v1\n[]byte(\"a\")", strings.Replace(content, `string("c")`, "string(3)", 1), strings.Replace(content, "uint16(0x10)", "uint16(65536)", 1)} {
		if _, err := decode([]byte(bad), reflect.TypeOf(target)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestChangesReachWhatIsNearAndLeaveTheSeedAsItIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seed, other := []byte("GET /a"), []byte("POST")
	seen := map[string]bool{}
	for range 200_000 {
		seen[string(text(r, seed, other))] = true
	}
	if string(seed) != "GET /a" || string(other) != "POST" {
		t.Fatalf("the seeds are %q and %q now", seed, other)
	}
	for _, near := range []string{"GET /b", "GET /", "GET", "GET /aa", "GEt /a", "GET %a", "POST /a", "GETPOST /a", "GE /a", "TEG /a"} {
		if !seen[near] {
			t.Errorf("%q was not reached", near)
		}
	}
	if len(seen) < 50_000 {
		t.Errorf("200,000 changes are %d texts", len(seen))
	}
	grown := bytes.Repeat(seed, longest)
	if got := text(r, grown, other); len(got) > longest {
		t.Errorf("a text has %d bytes", len(got))
	}
}

// FuzzPlanted fails where PLANTED says: it is what the test below runs.
func FuzzPlanted(tf *testing.F) {
	f := Of(tf)
	f.Add([]byte("abc"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		switch planted := os.Getenv("PLANTED"); {
		case planted == "skip" && n%2 == 0:
			t.Skip("an even number")
		case planted == "panic" && bytes.HasPrefix(b, []byte("b")):
			panic("a b")
		case planted == "fail" && n == 200:
			t.Fatal("two hundred")
		}
	})
}

func TestWhatFailsIsKeptAndFoundAgain(t *testing.T) {
	executions := regexp.MustCompile(`FuzzPlanted: (\d{4,}) executions by mutation of [1-9]`)
	for planted, says := range map[string]string{"": "", "skip": "", "panic": "a b", "fail": "two hundred"} {
		folder := t.TempDir()
		play := func(span string) (string, error) {
			c := exec.Command(os.Args[0], "-test.run=^FuzzPlanted$", "-test.v")
			c.Dir = folder
			c.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, variable) }), "PLANTED="+planted, variable+"="+span)
			out, err := c.CombinedOutput()
			return string(out), err
		}
		out, err := play("100ms")
		kept, _ := filepath.Glob(filepath.Join(folder, "testdata", "fuzz", "FuzzPlanted", "*"))
		if says == "" {
			if err != nil || len(kept) > 0 || !executions.MatchString(out) {
				t.Errorf("%q: %v, %d inputs kept: %s", planted, err, len(kept), out)
			}
			continue
		}
		if err == nil || len(kept) != 1 || !strings.Contains(out, says) {
			t.Fatalf("%s: %v, %d inputs kept: %s", planted, err, len(kept), out)
		}
		if out, err := play(""); err == nil || !strings.Contains(out, says) {
			t.Errorf("%s is not found again: %s", planted, out)
		}
	}
}
