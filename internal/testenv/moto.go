package testenv

import (
	"fmt"
	"os/exec"
	"testing"

	"millrace/internal/testenv/install"
)

// MotoServer answers for the AWS services that have no server of their own
// here. It checks no signatures; what it stores can be read back.
type MotoServer struct {
	*Server
	Endpoint string // http://host:port
}

// Moto starts moto and points the AWS SDK at it for every service
// (AWS_ENDPOINT_URL), except those that another server of the test serves.
func Moto(t testing.TB) *MotoServer {
	t.Helper()
	isolateAWS(t)
	python := tool(t, install.Python)
	port := freePort(t)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	server := newServer(t, "moto", addr, func() *exec.Cmd {
		return exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	})
	t.Setenv("AWS_ENDPOINT_URL", "http://"+addr)
	return &MotoServer{Server: server, Endpoint: "http://" + addr}
}
