package memory

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// TestTheHeapIsAskedForInHugePages, which a kernel notes whether it gives them or not.
func TestTheHeapIsAskedForInHugePages(t *testing.T) {
	askHuge(128 << 20)
	b := make([]byte, 64<<20)
	_, err := os.Stat(hugeMode)
	flags := flagsOf(t, uintptr(unsafe.Pointer(&b[len(b)/2])))
	if asked := slices.Contains(flags, "hg"); asked != (err == nil) {
		t.Errorf("memory of the heap has flags %q; the kernel has huge pages: %t", flags, err == nil)
	}
}

// flagsOf is what the kernel says of the mapping at an address.
func flagsOf(t *testing.T, address uintptr) []string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var from, to uintptr
	for s := bufio.NewScanner(f); s.Scan(); {
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &from, &to); n == 2 {
			continue
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && from <= address && address < to {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("no mapping holds %x", address)
	return nil
}
