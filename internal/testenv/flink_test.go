package testenv

import (
	"net"
	"testing"

	"millrace/runners/flink/cluster"
)

func TestTestsShareAFlinkCluster(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	shared := Flink(t)
	if again := Flink(t); again != shared {
		t.Error("a second call started a second cluster")
	}
	overview, err := shared.Client().Overview(t.Context())
	if err != nil || overview.SlotsTotal != 8 {
		t.Errorf("overview %+v, %v; want 8 slots", overview, err)
	}
	if got := shared.WorkerEnv()["AWS_ENDPOINT_URL"]; got != "http://127.0.0.1:1" {
		t.Errorf("workers would see the endpoint %q", got)
	}
	address := shared.JobServer(t)
	if again := shared.JobServer(t); again != address {
		t.Errorf("job servers at %s and %s, want one", address, again)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("the job server does not answer: %v", err)
	}
	conn.Close()
}

func TestATestMayHaveAClusterOfItsOwn(t *testing.T) {
	own := OwnFlink(t, func(o *cluster.Options) { o.Slots = 3 })
	if own == Flink(t) {
		t.Fatal("it is the shared one")
	}
	overview, err := own.Client().Overview(t.Context())
	if err != nil || overview.SlotsTotal != 3 {
		t.Errorf("overview %+v, %v; want 3 slots", overview, err)
	}
}
