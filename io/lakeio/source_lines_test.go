package lakeio

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

// cutAll cuts content in splits of the given size, as a source does.
func cutAll(t *testing.T, content []byte, split int64, block, maxLine int, wrap func(io.Reader) io.Reader) []lineRun {
	t.Helper()
	var runs []lineRun
	size := int64(len(content))
	for start := int64(0); start < size; start += split {
		c := &lineCutter{block: block, maxLine: maxLine, end: min(start+split, size), length: size, base: start}
		if start > 0 {
			c.base--
		}
		c.r = wrap(bytes.NewReader(content[c.base:]))
		if start > 0 {
			if err := c.skipTorn(); err != nil {
				t.Fatal(err)
			}
		}
		for {
			run, err := c.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, run)
		}
	}
	return runs
}

// wantRuns applies the definition line by line.
func wantRuns(content []byte, block, maxLine int) []lineRun {
	var runs []lineRun
	group := int64(-1)
	var base int64
	for line := range bytes.Lines(content) {
		text := bytes.TrimSuffix(line, []byte("\n"))
		switch k := base / int64(block); {
		case len(text) > maxLine:
			runs = append(runs, lineRun{base: base, data: text[:min(oversizeHead, maxLine)], oversize: int64(len(text))})
			group = -1
		case k == group:
			last := &runs[len(runs)-1]
			last.data = append(last.data[:len(last.data):len(last.data)], line...)
		default:
			runs = append(runs, lineRun{base: base, data: line})
			group = k
		}
		base += int64(len(line))
	}
	return runs
}

func checkCut(t *testing.T, content []byte, splits, block, maxLine int) {
	t.Helper()
	want := wantRuns(content, block, maxLine)
	readers := map[string]func(io.Reader) io.Reader{
		"whole reads":    func(r io.Reader) io.Reader { return r },
		"halved reads":   iotest.HalfReader,
		"single bytes":   iotest.OneByteReader,
		"end with bytes": iotest.DataErrReader,
	}
	for name, wrap := range readers {
		got := cutAll(t, content, int64(splits*block), block, maxLine, wrap)
		same := func(a, b lineRun) bool {
			return a.base == b.base && a.oversize == b.oversize && bytes.Equal(a.data, b.data)
		}
		if !slices.EqualFunc(want, got, same) { // cmp is slow on so many bytes
			diff := cmp.Diff(want, got, cmp.AllowUnexported(lineRun{}))
			t.Fatalf("%s, split %d, block %d, longest line %d (-want +got):\n%s", name, splits*block, block, maxLine, diff)
		}
	}
}

func TestBlocksDependOnContentAlone(t *testing.T) {
	for name, content := range map[string]string{
		"empty":                        "",
		"one line without an end":      "abc",
		"only line feeds":              "\n\n\n\n\n\n\n\n\n",
		"lines on the borders":         "abc\nabc\nabc\nabc\n",
		"a line across several splits": "a\n" + strings.Repeat("b", 100) + "\nc\nd",
		"a long line last":             "a\nb\n" + strings.Repeat("c", 100),
		"carriage returns":             "a\r\nbb\r\nccc\r\n",
		"NUL and invalid UTF-8":        "a\x00\n\xff\xfe\n\n\x80",
	} {
		t.Run(name, func(t *testing.T) {
			for _, block := range []int{1, 4, 7, 64} {
				for _, splits := range []int{1, 2, 5} {
					for _, maxLine := range []int{1, 3, 16, 200} {
						checkCut(t, []byte(content), splits, block, maxLine)
					}
				}
			}
		})
	}
}

func TestLinesLongerThanTheReadAheadAreCutAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var content []byte
	for range 40 {
		content = append(content, bytes.Repeat([]byte{'x'}, rng.IntN(3*cutAhead))...)
		content = append(content, '\n')
	}
	for _, block := range []int{1 << 10, cutAhead, 100_000, 1 << 20} {
		for _, maxLine := range []int{oversizeHead - 1, cutAhead, 2 * cutAhead, 1 << 20} {
			checkCut(t, content, 3, block, maxLine)
		}
	}
}

func TestAnOversizeLineIsNeverHeldWhole(t *testing.T) {
	const length = 100 << 20
	c := &lineCutter{
		block: 1 << 20, maxLine: 1 << 20, end: -1, length: -1,
		r: io.MultiReader(strings.NewReader("first\n"), io.LimitReader(letters{}, length), strings.NewReader("\nlast")),
	}
	var got []lineRun
	for {
		run, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if cap(c.buf) > 4<<20 {
			t.Fatalf("the buffer has grown to %d bytes", cap(c.buf))
		}
		got = append(got, run)
	}
	want := []lineRun{
		{base: 0, data: []byte("first\n")},
		{base: 6, data: bytes.Repeat([]byte{'x'}, oversizeHead), oversize: length},
		{base: 6 + length + 1, data: []byte("last")},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(lineRun{})); diff != "" {
		t.Error(diff)
	}
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestAReadErrorIsPassedOn(t *testing.T) {
	broken := errors.New("broken")
	c := &lineCutter{block: 8, maxLine: 8, end: -1, length: -1, r: io.MultiReader(strings.NewReader("aa\nbb\ncc\ndd"), iotest.ErrReader(broken))}
	if _, err := c.next(); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	c = &lineCutter{block: 8, maxLine: 8, end: -1, length: -1, r: iotest.ErrReader(io.ErrUnexpectedEOF)}
	if _, err := c.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a torn stream ends with %v", err)
	}
}

func FuzzLineCutter(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte("abc\ndef\n"), uint8(4), uint8(1), uint8(10))
	f.Add([]byte("\n\n\nx"), uint8(1), uint8(3), uint8(1))
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaa\r\nb"), uint8(3), uint8(2), uint8(5))
	f.Fuzz(func(t *testing.T, content []byte, block, splits, maxLine uint8) {
		checkCut(t, content, max(1, int(splits)), max(1, int(block)), max(1, int(maxLine)))
	})
}
