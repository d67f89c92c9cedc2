package enrich_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"millrace/internal/mutate"
	"millrace/transforms/enrich"
)

type codeRow struct {
	Code int64   `parquet:"code"`
	Name *string `parquet:"name,optional"`
}

func TestTablesOfCodesAreReadFromEveryFormat(t *testing.T) {
	name := "Öl"
	var file bytes.Buffer
	w := parquet.NewGenericWriter[codeRow](&file)
	if _, err := w.Write([]codeRow{{7, &name}, {8, nil}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for format, content := range map[string]string{
		"csv": "\xef\xbb\xbfcode,name\n7,Öl\n8,\n", "json": `[{"name":"Öl","code":7},{"code":8,"name":null}]`, "parquet": file.String(),
	} {
		c, err := enrich.ParseCodes(format, []byte(content), "code")
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		row, ok := c.Lookup([]byte("7"))
		if diff := cmp.Diff([]string{"7", "Öl"}, row); diff != "" || !ok || c.Len() != 2 || len(c.Version()) != 16 {
			t.Errorf("%s: %v %d %s\n%s", format, ok, c.Len(), c.Version(), diff)
		}
		if row, ok := c.Lookup([]byte("8")); !ok || row[1] != "" {
			t.Errorf("%s: a null is %q", format, row)
		}
		if _, ok := c.Lookup([]byte("9")); ok {
			t.Errorf("%s: finds what is not there", format)
		}
	}
	if c, err := enrich.ParseCodes("json", []byte("{\"a\":true}\n{\"a\":1.50}\n"), "a"); err != nil || c.Len() != 2 {
		t.Errorf("objects one a line: %v", err)
	}
}

func TestBrokenTablesOfCodesAreErrors(t *testing.T) {
	for _, c := range []struct{ format, content, want string }{
		{"csv", "", "header"},
		{"csv", "a,b\n1\n", "record on line 2"},
		{"csv", "b\n1\n", "no column a"},
		{"csv", "a\n1\n1\n", "row 2"},
		{"csv", "a,b\n,1\n", "row 1 has no a"},
		{"json", "[{]", "object 1"},
		{"json", `[{"a":[1]}]`, "list"},
		{"json", `[{"a":1}`, "EOF"},
		{"parquet", "PAR1", "parquet"},
		{"xml", "", "none of csv"},
	} {
		if _, err := enrich.ParseCodes(c.format, []byte(c.content), "a"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v", c.format, c.content, err)
		}
	}
}

// What says little and means much is refused at the cost of what it says.
func TestTablesOfCodesThatLieCostLittle(t *testing.T) {
	var wide, deep bytes.Buffer
	for i := range 50_000 {
		fmt.Fprintf(&wide, "{\"a\":\"%d\",\"c%d\":1}\n", i, i) // 2.5 thousand million cells
	}
	deep.WriteString(`[{"a":`)
	deep.WriteString(strings.Repeat("[", 1<<20))
	type row struct {
		A string `parquet:"a,dict"`
		B string `parquet:"b,dict"`
	}
	var repeated bytes.Buffer
	w := parquet.NewGenericWriter[row](&repeated, parquet.Compression(&parquet.Snappy))
	long := strings.Repeat("long", 10_000)
	for i := range 20_000 { // 800 MB of text
		if _, err := w.Write([]row{{fmt.Sprint(i), long}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		format, content, want string
		cost                  uint64 // MiB
	}{
		"a column for each object":      {"json", wide.String(), "columns", 8},
		"lists in lists":                {"json", deep.String(), "depth", 16},
		"a header of 100,000 columns":   {"csv", "a" + strings.Repeat(",b", 100_000) + "\n" + strings.Repeat(",", 100_000) + "\n", "columns", 32},
		"2^31 row groups":               {"parquet", "PAR1\x15\x02\x39\xfc\xff\xff\xff\xff\x07\x09\x00\x00\x00PAR1", "beyond", 1},
		"a long text said 20,000 times": {"parquet", repeated.String(), "bytes of text", 128},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := enrich.ParseCodes(c.format, []byte(c.content), "a")
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if cost := after.TotalAlloc - before.TotalAlloc; cost > c.cost<<20 {
			t.Errorf("%s: %d bytes of memory for %d", name, cost, len(c.content))
		}
	}
}

func FuzzCodes(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("csv", []byte("a,b\n1,2\n"))
	f.Add("json", []byte(`[{"a":1}]`))
	f.Add("parquet", []byte("PAR1\x00PAR1"))
	f.Fuzz(func(t *testing.T, format string, content []byte) {
		c, err := enrich.ParseCodes(format, content, "a")
		if err == nil && c.Len() > 0 && len(c.Columns()) == 0 {
			t.Error("rows without columns")
		}
	})
}

func TestHolderKeepsWhatItHasWhenANewOneFails(t *testing.T) {
	var h enrich.Holder[*enrich.Codes]
	if _, err := h.Get(); !errors.Is(err, enrich.ErrNoTable) {
		t.Errorf("empty: %v", err)
	}
	first, err := enrich.ParseCodes("csv", []byte("a\n1\n"), "a")
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	steps := []struct {
		name string
		load func(etag string) (*enrich.Codes, string, bool, error)
		want *enrich.Codes
		err  error
	}{
		{"a failure first", func(string) (*enrich.Codes, string, bool, error) { return nil, "", false, gone }, nil, gone},
		{"a table", func(etag string) (*enrich.Codes, string, bool, error) {
			if etag != "" {
				t.Errorf("etag %q", etag)
			}
			return first, "e1", false, nil
		}, first, nil},
		{"unchanged", func(etag string) (*enrich.Codes, string, bool, error) {
			if etag != "e1" {
				t.Errorf("etag %q", etag)
			}
			return nil, "", true, nil
		}, first, nil},
		{"a failure later", func(string) (*enrich.Codes, string, bool, error) { return nil, "", false, gone }, first, gone},
	}
	for _, s := range steps {
		if err := h.Refresh(s.load); !errors.Is(err, s.err) {
			t.Errorf("%s: %v", s.name, err)
		}
		got, err := h.Get()
		if got != s.want || (s.want == nil) != (err != nil) || !errors.Is(h.Err(), s.err) {
			t.Errorf("%s: %v, %v, %v", s.name, got, err, h.Err())
		}
	}
	for _, m := range []string{"fail", "flag", "bad_row"} {
		if got, err := enrich.ParseMissing(m); err != nil || string(got) != m {
			t.Errorf("%s: %v", m, err)
		}
	}
	if _, err := enrich.ParseMissing("ignore"); err == nil {
		t.Error("ignore is a policy")
	}
}
