package testenv

import (
	"os/exec"
	"testing"

	"millrace/internal/localservers"
	"millrace/internal/testenv/install"
)

// Kinesalite starts kinesalite and points the AWS SDK at it as Kinesis does.
// It takes and gives many thousand records a second, however many a shard has;
// it knows splits and merges, no UpdateShardCount, and its MillisBehindLatest
// is wrong. Use Kinesis where volume does not matter.
func Kinesalite(t testing.TB) *KinesisServer {
	t.Helper()
	isolateAWS(t)
	script := tool(t, install.Kinesalite)
	plain, data := freePort(t), t.TempDir()
	c, err := localservers.Kinesalite(script, plain, data)
	if err != nil {
		t.Fatal(err)
	}
	return newKinesis(t, "kinesalite", plain, "", func() *exec.Cmd { return command(c) })
}
