package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
	group "millrace/runners/flink/process"
)

// listening are the addresses at which a process takes connections, as the
// kernel's tables have them: hexadecimal, host:port.
func listening(t *testing.T, pid int) (addresses []string) {
	t.Helper()
	own := map[string]bool{} // by inode
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			continue // closed by now
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for line := range strings.Lines(string(readFile(t, table))) {
			const address, state, inode, listens = 1, 3, 9, "0A"
			if f := strings.Fields(line); len(f) > inode && f[state] == listens && own[f[inode]] {
				addresses = append(addresses, f[address])
			}
		}
	}
	return addresses
}

// ofThisMachine tells whether only this machine reaches a listening address.
func ofThisMachine(address string) bool {
	host, _, _ := strings.Cut(address, ":")
	switch host {
	case "0100007F", // 127.0.0.1
		"0000000000000000FFFF00000100007F", // the same, mapped to IPv6
		"00000000000000000000000001000000": // ::1
		return true
	}
	return false
}

// listensOnLoopbackAlone looks at all processes of a cluster, its job server and its
// workers, and at the run itself, while they work. Beam's runner in them would listen
// on every address.
func listensOnLoopbackAlone(t *testing.T, f *testenv.FlinkCluster, p *process) {
	t.Helper()
	members, err := group.Members(f.Group())
	if err != nil {
		t.Fatal(err)
	}
	addresses := 0
	for _, member := range append(members, group.Member{PID: p.Process.Pid, Args: p.Args}) {
		for _, address := range listening(t, member.PID) {
			addresses++
			if !ofThisMachine(address) {
				t.Errorf("process %d listens at %s: %.300s", member.PID, address, member.Args)
			}
		}
	}
	if least := 12; addresses < least { // of Flink alone; the workers' are six for each job
		t.Errorf("%d addresses were found, want %d or more", addresses, least)
	}
}
