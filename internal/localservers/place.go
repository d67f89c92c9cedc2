package localservers

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"millrace/internal/testenv/install"
	"millrace/runners/flink/dist"
)

// Place is where servers and programs run.
type Place struct {
	Dir   string // working directory of servers
	Logs  string // folder; each process has NAME.log there
	Group string // with which all of them end (see package process); none when empty

	Temp string // folder for temporary files of programs; the system's when empty
}

func (p Place) log(name string) string { return filepath.Join(p.Logs, name+".log") }

// Binary is the absolute path of the millrace program that is to be run.
func Binary(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(absolute); err != nil {
		return "", fmt.Errorf("%w; build it with make build, or name it with -millrace", err)
	}
	return absolute, nil
}

// Flink is the distribution of this checkout, installed when it is not there.
func Flink(ctx context.Context, log io.Writer) (dist.Distribution, error) {
	home, err := install.Flink(ctx, log)
	if err != nil {
		return dist.Distribution{}, err
	}
	return dist.Open(home)
}

// freePorts are different ones of loopback that nobody listens on now.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("choosing a port: %w", err)
		}
		defer listener.Close()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
