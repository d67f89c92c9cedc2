package lakeio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
)

// eachStore runs a test on an empty store of each kind.
func eachStore(t *testing.T, test func(t *testing.T, s Store)) {
	t.Run("folder", func(t *testing.T) { test(t, openStore(t, t.TempDir()+"/lake")) })
	t.Run("S3", func(t *testing.T) {
		server := testenv.S3(t)
		test(t, openStore(t, "s3://"+server.Bucket+"/some/lake"))
	})
}

func openStore(t *testing.T, location string) Store {
	t.Helper()
	s, err := OpenStore(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPut(t *testing.T, s Store, key, content string, opt PutOptions) Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(content), opt)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func content(t *testing.T, s Store, key string) string {
	t.Helper()
	data, _, err := ReadAll(t.Context(), s, key, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func keys(t *testing.T, s Store, prefix string) []string {
	t.Helper()
	infos, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, info := range infos {
		list = append(list, info.Key)
	}
	return list
}

func TestWhatIsPutIsThere(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		put := mustPut(t, s, "events/day=01/a.parquet", "hello", PutOptions{})
		info, err := s.Stat(t.Context(), "events/day=01/a.parquet")
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != 5 || info.Version == "" || info.Version != put.Version || put.Size != 5 || put.Key != info.Key {
			t.Errorf("put says %+v, stat %+v", put, info)
		}
		if got := content(t, s, "events/day=01/a.parquet"); got != "hello" {
			t.Errorf("content is %q", got)
		}
		again := mustPut(t, s, "events/day=01/a.parquet", "hallo", PutOptions{})
		if again.Version == put.Version {
			t.Error("an overwritten object keeps its version")
		}
		mustPut(t, s, "empty", "", PutOptions{})
		if got := content(t, s, "empty"); got != "" {
			t.Errorf("an empty object holds %q", got)
		}
	})
}

func TestARangeIsOfOneVersion(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		first := mustPut(t, s, "a", "0123456789", PutOptions{})
		for _, c := range []struct {
			off, n int64
			want   string
		}{{0, 10, "0123456789"}, {3, 4, "3456"}, {9, 1, "9"}, {4, 0, ""}, {10, 0, ""}} {
			r, err := s.GetRange(t.Context(), "a", c.off, c.n, first.Version)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			r.Close()
			if err != nil || string(got) != c.want {
				t.Errorf("%d bytes from %d on are %q, %v", c.n, c.off, got, err)
			}
		}
		if r, err := s.GetRange(t.Context(), "a", 8, 5, ""); err == nil {
			if _, err := io.ReadAll(r); err == nil {
				t.Error("a range beyond the end is read without an error")
			}
		}
		mustPut(t, s, "a", "9876543210x", PutOptions{})
		if _, err := s.GetRange(t.Context(), "a", 0, 5, first.Version); !errors.Is(err, driver.ErrChanged) {
			t.Errorf("a range of an overwritten version: %v", err)
		}
	})
}

func TestListIsByPrefixAndInOrder(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		if got := keys(t, s, ""); len(got) != 0 {
			t.Errorf("an empty lake holds %q", got)
		}
		for _, key := range []string{"b/x", "a/2", "a.b", "a/1", "a/b/c", "ab", "_current/events.json"} {
			mustPut(t, s, key, key, PutOptions{})
		}
		for prefix, want := range map[string][]string{
			"":         {"_current/events.json", "a.b", "a/1", "a/2", "a/b/c", "ab", "b/x"},
			"a":        {"a.b", "a/1", "a/2", "a/b/c", "ab"},
			"a/":       {"a/1", "a/2", "a/b/c"},
			"a/b/":     {"a/b/c"},
			"a/b/c":    {"a/b/c"},
			"none/":    {},
			"_current": {"_current/events.json"},
		} {
			if diff := cmp.Diff(want, keys(t, s, prefix)); diff != "" {
				t.Errorf("list of %q (-want +got):\n%s", prefix, diff)
			}
		}
	})
}

func TestDeleteRemovesAndIsRepeatable(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "day=1/a", "x", PutOptions{})
		mustPut(t, s, "day=1/b", "x", PutOptions{})
		mustPut(t, s, "day=2/c", "x", PutOptions{})
		for range 2 {
			if err := s.Delete(t.Context(), "day=1/a", "day=1/b", "never/was"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"day=2/c"}, keys(t, s, "")); diff != "" {
			t.Error(diff)
		}
		if err := s.Delete(t.Context()); err != nil {
			t.Error(err)
		}
		many := make([]string, 1500) // more than S3 takes in one call
		for i := range many {
			many[i] = fmt.Sprintf("absent/%d", i)
		}
		if err := s.Delete(t.Context(), append(many, "day=2/c")...); err != nil {
			t.Error(err)
		}
		if got := keys(t, s, ""); len(got) != 0 {
			t.Errorf("%q remain", got)
		}
	})
}

func TestWhatIsMissingIsNotFound(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "folder/x", "x", PutOptions{})
		for _, key := range []string{"none", "folder/none", "folder"} {
			_, _, get := s.Get(t.Context(), key)
			_, stat := s.Stat(t.Context(), key)
			_, part := s.GetRange(t.Context(), key, 0, 1, "")
			for what, err := range map[string]error{"get": get, "stat": stat, "range": part} {
				if !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), s.Name(key)) {
					t.Errorf("%s of %s: %v", what, key, err)
				}
			}
		}
	})
}

func TestKeysStayInside(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for _, key := range []string{"", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "a\x00b"} {
			if _, err := s.Put(t.Context(), key, strings.NewReader("x"), PutOptions{}); !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("put %q: %v", key, err)
			}
			if _, _, err := s.Get(t.Context(), key); !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("get %q: %v", key, err)
			}
			if err := s.Delete(t.Context(), key); !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("delete %q: %v", key, err)
			}
		}
	})
}

func TestAConditionalPutHasOneWinner(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		race := func(key string, opt PutOptions) (winner string) {
			var wins atomic.Int64
			var won atomic.Value
			var writers sync.WaitGroup
			for i := range 16 {
				writers.Go(func() {
					text := fmt.Sprintf("writer %d", i)
					_, err := s.Put(t.Context(), key, strings.NewReader(text), opt)
					if err == nil {
						wins.Add(1)
						won.Store(text)
					} else if !errors.Is(err, driver.ErrConflict) {
						t.Errorf("a loser meets %v", err)
					}
				})
			}
			writers.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%d writers of 16 won with %+v", wins.Load(), opt)
			}
			return won.Load().(string)
		}
		if winner := race("new", PutOptions{IfNoneMatch: true}); content(t, s, "new") != winner {
			t.Errorf("%q won and %q is there", winner, content(t, s, "new"))
		}
		old := mustPut(t, s, "old", "old", PutOptions{})
		if winner := race("old", PutOptions{IfMatch: old.Version}); content(t, s, "old") != winner {
			t.Errorf("%q won and %q is there", winner, content(t, s, "old"))
		}
		if _, err := s.Put(t.Context(), "gone", strings.NewReader("x"), PutOptions{IfMatch: old.Version}); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("replacing what is not there: %v", err)
		}
	})
}

func TestNothingShowsBeforeCommitAndNothingStaysAfterAbort(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for _, size := range []int{10, s3Multipart + s3PartSize + 1} {
			data := make([]byte, size)
			for _, end := range []string{"abort", "cancel"} {
				ctx, cancel := context.WithCancel(t.Context())
				w, err := s.Create(ctx, "events/a", PutOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(data); err != nil {
					t.Fatal(err)
				}
				if got := keys(t, s, ""); len(got) != 0 {
					t.Errorf("during the write %q shows", got)
				}
				if end == "cancel" {
					cancel()
					if _, err := w.Commit(ctx); !errors.Is(err, context.Canceled) {
						t.Errorf("a cancelled commit gives %v", err)
					}
				}
				w.Abort()
				w.Abort()
				cancel()
				if _, err := w.Commit(t.Context()); err == nil {
					t.Error("a commit after the abort succeeds")
				}
				if got := keys(t, s, ""); len(got) != 0 {
					t.Errorf("after %s %q shows", end, got)
				}
			}
		}
		if err := s.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLargeObjectsComeBackEqual(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		rng := rand.New(rand.NewPCG(1, 1))
		for _, size := range []int{s3PartSize, s3Multipart - 1, s3Multipart, s3Multipart + 1, s3Multipart + s3PartSize, 5*s3PartSize + 123} {
			data := make([]byte, size)
			for i := 0; i < len(data); i += 997 {
				data[i] = byte(rng.Uint32())
			}
			sum := sha256.Sum256(data)
			opt := PutOptions{SHA256: hex.EncodeToString(sum[:])}
			// Odd pieces, so that parts end inside of them.
			r := io.MultiReader(bytes.NewReader(data[:1]), bytes.NewReader(data[1:size/3]), bytes.NewReader(data[size/3:]))
			info, err := s.Put(t.Context(), "large", struct{ io.Reader }{r}, opt)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if info.Size != int64(size) {
				t.Errorf("size is %d, not %d", info.Size, size)
			}
			if got, _, err := ReadAll(t.Context(), s, "large", 1<<30); err != nil || sha256.Sum256(got) != sum {
				t.Fatalf("%d bytes come back as %d others, %v", size, len(got), err)
			}
			if _, err := s.Put(t.Context(), "large", bytes.NewReader(data), PutOptions{IfNoneMatch: true}); !errors.Is(err, driver.ErrConflict) {
				t.Errorf("%d bytes over an object: %v", size, err)
			}
			opt.SHA256 = strings.Repeat("0", 64)
			if _, err := s.Put(t.Context(), "damaged", bytes.NewReader(data), opt); !errors.Is(err, driver.ErrCorrupt) {
				t.Errorf("a wrong sum: %v", err)
			}
		}
		if diff := cmp.Diff([]string{"large"}, keys(t, s, "")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReadAllIsBounded(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "a", "12345", PutOptions{})
		if _, _, err := ReadAll(t.Context(), s, "a", 4); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestOpeningALakeTouchesNothingAndChecksTheAddress(t *testing.T) {
	dir := t.TempDir()
	for _, location := range []string{dir + "/new", "file://" + dir + "/new"} {
		s := openStore(t, location)
		if s.Name("a/b") != dir+"/new/a/b" {
			t.Errorf("name is %s", s.Name("a/b"))
		}
		if got := keys(t, s, ""); len(got) != 0 {
			t.Error(got)
		}
	}
	if got := keys(t, openStore(t, dir), ""); len(got) != 0 {
		t.Errorf("%q was made", got)
	}
	for location, want := range map[string]string{
		"file://" + dir + "?sse=aws:kms":             "sse is unknown",
		"s3://bucket/x?sse=none":                     "sse=none is not one of",
		"s3://bucket/x?kms_key_id=k":                 "add sse=aws:kms",
		"s3://bucket/x?sse=aws:kms&kms_key=k":        "did you mean kms_key_id?",
		"gs://bucket/x":                              "scheme gs is unknown",
		"s3://bucket/x?region=r&aws_access_key_id=k": "credential",
	} {
		if _, err := OpenStore(t.Context(), location); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", location, err)
		}
	}
}

func TestTheAgeOfAnObjectIsByTheStoresClock(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "a", "x", PutOptions{})
		for what, get := range map[string]func() (Info, error){
			"stat": func() (Info, error) { return s.Stat(t.Context(), "a") },
			"get": func() (Info, error) {
				r, info, err := s.Get(t.Context(), "a")
				if err == nil {
					r.Close()
				}
				return info, err
			},
		} {
			info, err := get()
			if err != nil || info.Now.IsZero() || info.Modified.IsZero() || info.Now.Before(info.Modified.Add(-time.Second)) {
				t.Errorf("%s: %+v, %v", what, info, err)
			}
		}
	})
}
