package maskkey

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	hexOne = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	hexTwo = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

	checkOne = "a81f773dc16d37bb"
	checkTwo = "c85ebe111ab38dd3"
)

func bytesOf(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseAcceptsEveryForm(t *testing.T) {
	one := bytesOf(t, hexOne)
	high := bytes.Repeat([]byte{0xfb, 0xff}, 16) // its base64 differs between the alphabets
	tests := map[string]struct {
		content string
		ids     []string // k? stands for a derived id
		key     []byte
	}{
		"one line":             {"k1:" + hexOne, []string{"k1"}, one},
		"two lines":            {"k2:" + hexTwo + "\nk1:" + hexOne + "\n", []string{"k2", "k1"}, bytesOf(t, hexTwo)},
		"comments and spaces":  {"# keys\n\n  k1 : " + strings.ToUpper(hexOne) + " \r\n", []string{"k1"}, one},
		"hexadecimal":          {hexOne + "\n", []string{"k?"}, one},
		"upper hexadecimal":    {strings.ToUpper(hexOne), []string{"k?"}, one},
		"base64":               {base64.StdEncoding.EncodeToString(high) + "\n", []string{"k?"}, high},
		"base64 without =":     {base64.RawStdEncoding.EncodeToString(high), []string{"k?"}, high},
		"base64 for URLs":      {base64.URLEncoding.EncodeToString(high), []string{"k?"}, high},
		"base64 for URLs no =": {base64.RawURLEncoding.EncodeToString(high), []string{"k?"}, high},
		"raw":                  {string(one), []string{"k?"}, one},
		"raw with line ends":   {"\n" + string(high[:30]) + "\n", []string{"k?"}, []byte("\n" + string(high[:30]) + "\n")},
	}
	for name, test := range tests {
		ring, err := Parse([]byte(test.content))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := ring.Active().Secret(); !bytes.Equal(got[:], test.key) {
			t.Errorf("%s: another key", name)
		}
		keys := append([]Key{ring.Active()}, ring.Older()...)
		if len(keys) != len(test.ids) {
			t.Errorf("%s: %d keys, want %d", name, len(keys), len(test.ids))
			continue
		}
		for i, id := range test.ids {
			if id == "k?" {
				id = "k" + keys[i].Check()[:6]
			}
			if keys[i].ID() != id {
				t.Errorf("%s: key %d is %s, want %s", name, i, keys[i].ID(), id)
			}
			if k, ok := ring.Lookup(id); !ok || k.Secret() != keys[i].Secret() {
				t.Errorf("%s: Lookup(%s) = %v, %v", name, id, k, ok)
			}
		}
	}
	if _, ok := (Ring{}).Lookup(""); ok {
		t.Error("an empty ring has a key")
	}
}

func TestParseRefusesWithCureAndWithoutContent(t *testing.T) {
	secretish := "correct-horse-battery-staple"
	for name, test := range map[string]struct{ content, want string }{
		"nothing":             {"", "no key in it"},
		"blanks":              {" \n\n", "no key in it"},
		"only comments":       {"# a:b\n", "only comments"},
		"half a key":          {hexOne[:32], "32 hexadecimal digits where a key has 64"},
		"a digit too few":     {hexOne[:63] + "\n", "63 hexadecimal digits"},
		"a pass phrase":       {secretish, "neither"},
		"short value":         {"k1:" + hexOne[:62], "line 1: want 64 hexadecimal digits"},
		"not hexadecimal":     {"k1:" + hexOne[:63] + "x", "line 1: want 64 hexadecimal digits"},
		"capital in the id":   {"K1:" + hexOne, "key id"},
		"long id":             {"abcdefghijklmnopq:" + hexOne, "key id"},
		"no id":               {":" + hexOne, "key id"},
		"id twice":            {"k1:" + hexOne + "\nk1:" + hexTwo, "k1 appears twice"},
		"second line broken":  {"k1:" + hexOne + "\n" + secretish, "line 2"},
		"zero key":            {strings.Repeat("0", 64), "all zero"},
		"zero key with an id": {"k1:" + strings.Repeat("0", 64), "all zero"},
	} {
		_, err := Parse([]byte(test.content))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
			continue
		}
		for _, leak := range []string{hexOne[:16], hexTwo[:16], secretish, "abcdefghijkl"} {
			if strings.Contains(strings.ToLower(err.Error()), leak) {
				t.Errorf("%s: the error quotes content: %v", name, err)
			}
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	ring, err := Parse([]byte("k1:" + hexOne + "\nk2:" + hexTwo))
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		ring Ring
		key  Key
	}
	h := holder{ring, ring.Active()}
	var out strings.Builder
	for _, v := range []any{ring, &ring, ring.Active(), h, &h, []Key{ring.Active()}, map[string]Ring{"r": ring}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%t", "%o", "%b"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		b, _ := json.Marshal(v)
		out.Write(b)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		var g bytes.Buffer
		if gob.NewEncoder(&g).Encode(v) == nil {
			t.Errorf("gob encodes %T", v)
		}
		out.Write(g.Bytes())
	}
	for _, key := range []string{hexOne, hexTwo} {
		b := bytesOf(t, key)
		for _, form := range []string{
			key[8:24], strings.ToUpper(key[40:56]), string(b[8:16]), strings.Trim(fmt.Sprint(b[8:12]), "[]"),
			base64.StdEncoding.EncodeToString(b)[4:16], strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b[8:11]), "[]byte{"), "}"),
		} {
			if strings.Contains(out.String(), form) {
				t.Errorf("a key shows as %q", form)
			}
		}
	}
	if !strings.Contains(out.String(), "k1") || !strings.Contains(out.String(), ring.Active().Check()) {
		t.Error("id and check value do not show")
	}
}

func TestCheckTellsKeysApart(t *testing.T) {
	ring, err := Parse([]byte("k1:" + hexOne + "\nk2:" + hexTwo))
	if err != nil {
		t.Fatal(err)
	}
	// Computed with: printf 'millrace key check' | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY
	want := map[string]string{"k1": checkOne, "k2": checkTwo}
	for _, k := range append([]Key{ring.Active()}, ring.Older()...) {
		if k.Check() != want[k.ID()] {
			t.Errorf("check of %s is %s, want %s", k.ID(), k.Check(), want[k.ID()])
		}
	}
}

func TestResolveReadsFilesAndVariables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space, 50%? #1.key")
	if err := os.WriteFile(path, []byte("k1:"+hexOne+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MILLRACE_TEST_KEY", hexTwo)
	file, err := Resolve(t.Context(), FileRef(path))
	if err != nil || file.Active().ID() != "k1" || len(file.Warnings()) != 0 {
		t.Errorf("file: %v, %v, %v", file, file.Warnings(), err)
	}
	env, err := Resolve(t.Context(), "env://MILLRACE_TEST_KEY")
	if err != nil || env.Active().Check() != checkTwo {
		t.Errorf("env: %v, %v", env, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	open, err := Resolve(t.Context(), FileRef(path))
	if err != nil || len(open.Warnings()) != 1 || !strings.Contains(open.Warnings()[0], "chmod 600 "+path) {
		t.Errorf("open file: warnings %q, %v", open.Warnings(), err)
	}
}

func TestResolveErrorsNameReferenceAndCure(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.key")
	if err := os.WriteFile(bad, []byte("k1:"+hexOne[:40]), 0o600); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(dir, "big.key")
	if err := os.WriteFile(big, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MILLRACE_TEST_EMPTY", "")
	for ref, wants := range map[string][]string{
		"file://" + dir + "/none.key": {"none.key", "no such file", "openssl rand -hex 32", "chmod 600"},
		"file://" + dir:               {dir, "directory"},
		"file://" + bad:               {bad, "line 1", "openssl"},
		"file://" + big:               {big, "longer than"},
		"file://host/path":            {"file:///absolute/path"},
		"file:///a?b=c":               {"without host and parameters"},
		"env://MILLRACE_TEST_UNSET":   {"env://MILLRACE_TEST_UNSET", "not set", "openssl rand -hex 32"},
		"env://MILLRACE_TEST_EMPTY":   {"env://MILLRACE_TEST_EMPTY", "no key in it"},
		"env://":                      {"env://NAME"},
		"vault://alias/x":             {"unknown scheme"},
		hexOne:                        {"want a reference"},
		"":                            {"want a reference"},
	} {
		_, err := Resolve(t.Context(), ref)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want %q", ref, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), hexOne[:16]) {
			t.Errorf("%q: the error quotes the key: %v", ref, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Resolve(ctx, "file://"+bad); err == nil {
		t.Error("a cancelled context is ignored")
	}
}

func TestDefaultMakesOneKeyForRunsThatStartTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	const runs = 16
	var (
		wg      sync.WaitGroup
		rings   [runs]Ring
		created [runs]bool
	)
	for i := range runs {
		wg.Go(func() {
			var err error
			if rings[i], _, created[i], err = Default(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	made := 0
	for i := range runs {
		if created[i] {
			made++
		}
		if rings[i].Active().Check() != rings[0].Active().Check() || rings[i].Active().ID() != rings[0].Active().ID() {
			t.Errorf("runs use different keys: %v and %v", rings[i], rings[0])
		}
	}
	if made != 1 {
		t.Errorf("%d runs made a key, want one", made)
	}
	again, path, createdAgain, err := Default(dir)
	if err != nil || createdAgain || again.Active().Secret() != rings[0].Active().Secret() || len(again.Warnings()) != 0 {
		t.Errorf("second use: created %v, warnings %q, %v", createdAgain, again.Warnings(), err)
	}
	if want := "k" + again.Active().Check()[:6]; again.Active().ID() != want {
		t.Errorf("id %s, want %s", again.Active().ID(), want)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, %v", name, info.Mode().Perm(), err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestDefaultDoesNotReplaceABrokenKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "millrace", "mask.key")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, created, err := Default(dir)
	if err == nil || created || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "--mask-key") {
		t.Errorf("created %v, %v", created, err)
	}
	if got, _ := os.ReadFile(path); string(got) != "damaged" {
		t.Errorf("the file now holds %d other bytes", len(got))
	}
}
