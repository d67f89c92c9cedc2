package testenv

import (
	"fmt"
	"os/exec"
	"testing"

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
	return newKinesis(t, "kinesalite", plain, "", func() *exec.Cmd {
		return node(t, script, "--port", fmt.Sprint(plain), "--path", data, "--shardLimit", "100",
			"--createStreamMs", "50", "--deleteStreamMs", "50", "--updateStreamMs", "50")
	})
}
