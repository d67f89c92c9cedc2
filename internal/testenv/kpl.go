package testenv

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"millrace/internal/testenv/install"
)

// KPL puts records into a stream of a server that Kinesis has started, with
// the Kinesis Producer Library, and returns when all are in. About one in a
// hundred becomes a Kinesis record of its own; once the library knows the
// stream's shards it aggregates the others, up to a hundred to a record. Give it
// some hundred: it fails the test when none was aggregated. The library may
// change their order.
func KPL(t testing.TB, server *KinesisServer, stream string, records []KinesisRecord) {
	t.Helper()
	host, port, err := net.SplitHostPort(server.TLSAddr)
	if err != nil {
		t.Fatalf("the Kinesis Producer Library needs HTTPS, which %s does not speak: %v", server.name, err)
	}
	dir := tool(t, install.KPL)
	var input bytes.Buffer
	for _, record := range records {
		fmt.Fprintf(&input, "%s\t%s\t%s\n", base64.StdEncoding.EncodeToString([]byte(record.Key)),
			record.HashKey, base64.StdEncoding.EncodeToString(record.Data))
	}
	classes := filepath.Join(dir, "classes") + string(filepath.ListSeparator) + filepath.Join(dir, "lib", "*")
	// The library unpacks its native process into the temporary folder.
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "java", "-cp", classes, "Producer", host, port, Region, stream, temp)
	cmd.Dir, cmd.Stdin = temp, &input
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = stopTimeout
	dieWithParent(cmd) // and its native process with it
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // Linux sends the parent-death signal when the starting thread ends
	if err := cmd.Run(); err != nil {
		t.Fatalf("put %d records into stream %s with the Kinesis Producer Library: %v; its log:\n%s", len(records), stream, err, log.String())
	}
}
