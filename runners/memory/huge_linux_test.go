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

func TestTheHeapOfARunMayHaveHugePages(t *testing.T) {
	if !gives() {
		t.Skip("this kernel gives huge pages to all or to none")
	}
	Tune()()
	b := make([]byte, 64<<20)
	if flags := flagsOf(t, uintptr(unsafe.Pointer(&b[len(b)/2]))); !slices.Contains(flags, "hg") {
		t.Errorf("memory of the heap has flags %q; want hg among them", flags)
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
