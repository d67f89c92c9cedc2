package memory

import (
	"bytes"
	"os"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"
)

// hugePages asks once for the heap of this process: what is asked of mapped memory holds
// when the collector has given the memory back.
var hugePages = sync.OnceFunc(func() {
	if mayAsk() {
		askHuge(softLimit)
	}
})

// pieceBytes is the size of an allocation in askHuge: the runtime clears a piece that
// lies where memory was used before, so a piece should be small.
const pieceBytes = 4 << 20

// askHuge asks the kernel for huge pages for the first bytes of the heap: a run that fills its heap
// then has far fewer page faults, and its tables fewer misses of the TLB. Go maps its heap bit by
// bit and does not ask. So the heap is made to grow once, without touching it, and the memory is
// given back.
func askHuge(size int) {
	pieces := make([][]byte, 0, size/pieceBytes)
	for len(pieces) < cap(pieces) {
		piece := make([]byte, pieceBytes)
		if unix.Madvise(piece, unix.MADV_HUGEPAGE) != nil {
			break // a kernel without: the run is slower
		}
		pieces = append(pieces, piece)
	}
	clear(pieces)
	debug.FreeOSMemory()
}

// mayAsk tells whether the kernel gives huge pages to those who ask, and maps memory
// without counting it as used: one that counts could refuse the run its memory.
func mayAsk() bool {
	mode, err := os.ReadFile(hugeMode)
	if err != nil || !bytes.Contains(mode, []byte("[madvise]")) {
		return false
	}
	overcommit, err := os.ReadFile("/proc/sys/vm/overcommit_memory")
	return err == nil && !bytes.HasPrefix(overcommit, []byte("2"))
}

// hugeMode is a file that a kernel with huge pages has.
const hugeMode = "/sys/kernel/mm/transparent_hugepage/enabled"
