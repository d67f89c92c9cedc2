package memory

import (
	"bytes"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// pieceBytes is the size of an allocation in askHuge: the runtime clears a piece that
// lies where memory was used before, so a piece should be small.
const pieceBytes = 4 << 20

// huge asks the kernel for huge pages for the first bytes of the heap, where it gives them
// to those who ask: a run that fills its heap then has a five-hundredth of the page faults,
// and its tables far fewer misses of the TLB. Go maps its heap bit by bit and does not ask; what is asked
// of mapped memory holds when the collector has given the memory back. So the heap is
// made to grow once, without touching it, and the memory is given back.
func huge(size int) {
	if !gives() {
		return
	}
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

// gives tells whether asking is of use, and costs nothing: a kernel that counts every mapped byte
// as used could refuse the run its memory.
func gives() bool {
	mode, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || !bytes.Contains(mode, []byte("[madvise]")) {
		return false
	}
	overcommit, err := os.ReadFile("/proc/sys/vm/overcommit_memory")
	return err == nil && !bytes.HasPrefix(overcommit, []byte("2"))
}
