package transforms

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsPackedUnpacks(t *testing.T) {
	for name, dir := range map[string]string{"through the runner": "", "by way of a folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			p := packer{dir: dir}
			blobs := [][]byte{nil, []byte("x"), bytes.Repeat([]byte("fragment "), 10_000), []byte("last")}
			var packed [][]byte
			for i, blob := range blobs {
				b, err := p.pack(blob)
				if err != nil {
					t.Fatal(err)
				}
				packed = append(packed, b)
				if i == 2 {
					p.close() // the end of a bundle; another follows
				}
			}
			p.close()
			var again unpacker
			for i := range blobs {
				for _, u := range []*unpacker{{}, &again} {
					got, err := u.unpack(packed[i])
					if err != nil || !bytes.Equal(got, blobs[i]) {
						t.Errorf("blob %d came back as %d bytes, error %v", i, len(got), err)
					}
				}
			}
			if dir != "" && len(packed[2]) > 200 {
				t.Errorf("%d bytes cross the shuffle for a blob in a file", len(packed[2]))
			}
		})
	}
}

func TestDamagedPackedBlobsAreErrors(t *testing.T) {
	p := packer{dir: t.TempDir()}
	b, err := p.pack([]byte("blob"))
	if err != nil {
		t.Fatal(err)
	}
	p.close()
	for name, damaged := range map[string][]byte{"empty": nil, "unknown storage": []byte("z"), "no place": {packedFile}, "no length": {packedFile, 1}, "not compressed": {packedHere, 0xff}} {
		if _, err := unpack(damaged); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	files, _ := filepath.Glob(filepath.Join(p.dir, "*"))
	for _, f := range files {
		if err := os.Truncate(f, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := unpack(b); err == nil || !strings.Contains(err.Error(), "reading spilled aggregates") {
		t.Errorf("a shortened file: %v", err)
	}
}

func TestAFolderThatIsGoneIsAnError(t *testing.T) {
	p := packer{dir: filepath.Join(t.TempDir(), "gone")}
	if _, err := p.pack([]byte("blob")); err == nil {
		t.Error("no error")
	}
}
