package rollup_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/sketch"
)

func encodingTables(t *testing.T) tables {
	x := newTables(t, time.Hour)
	for i := range int64(8) {
		q := request{
			t: base + i*17*60_000, status: int32(100 + 90*i), bytes: 1000*i - 1,
			path: fmt.Sprint("/page/", i%3), visitor: sketch.Hash(fmt.Append(nil, i%5)),
		}
		if i%2 == 0 {
			q.bot = fmt.Sprint("bot ", i%4)
		}
		x.add(q)
	}
	return x
}

// testdata/encoding_v1.txt holds what the first version of the encoding wrote: a
// table, a part's key and hex digits a line. It stays as it is as long as any
// state of that version may be read.
func TestTheFirstVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "encoding_v1.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := encodingTables(t)
	var old, now []string
	read := newTables(t, time.Hour)
	merge := map[string]func([]byte) error{
		"traffic": read.traffic.Merge, "pages": read.pages.Merge, "visitors": read.visitors.Merge, "bots": read.bots.Merge,
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		old = append(old, lines.Text())
		fields := strings.Fields(lines.Text())
		blob, err := hex.DecodeString(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		if err := merge[fields[0]](blob); err != nil {
			t.Fatal(err)
		}
		later := append([]byte{9}, blob[1:]...)
		if err := merge[fields[0]](later); err == nil || !strings.Contains(err.Error(), "version 9, this program reads 1") {
			t.Errorf("%s of a later version: %v", fields[0], err)
		}
	}
	for _, table := range []string{"traffic", "pages", "visitors", "bots"} {
		for _, p := range want.parts()[table] {
			now = append(now, fmt.Sprintf("%s %s %x", table, p.Key, p.Blob))
		}
	}
	if diff := cmp.Diff(old, now); diff != "" {
		t.Errorf("parts are written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", diff)
	}
	if diff := cmp.Diff(want.rows(t, 3, time.Minute), read.rows(t, 3, time.Minute)); diff != "" {
		t.Errorf("parts are read differently (-want +got):\n%s", diff)
	}
}

func TestACopyOfAPartCountsTwice(t *testing.T) {
	// Sums cannot tell a part from its copy: who merges must see each part once.
	x, y := encodingTables(t), newTables(t, time.Hour)
	r := rand.New(rand.NewPCG(1, 1))
	y.merge(t, x, r)
	y.merge(t, x, r)
	once, twice := x.bots.Rows(nil), y.bots.Rows(nil)
	for i := range once {
		if twice[i].Hits != 2*once[i].Hits || twice[i].Visitors != once[i].Visitors {
			t.Errorf("%+v, twice %+v", once[i], twice[i])
		}
	}
}
