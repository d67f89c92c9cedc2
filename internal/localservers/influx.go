package localservers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"millrace/internal/testenv/install"
)

// Influx is a running server of InfluxDB 1.8, of loopback alone.
type Influx struct {
	Addr string // host:port
	PID  int

	end   context.CancelFunc
	ended chan struct{}
	err   error // how it ended
}

const influxTimeout = 3 * time.Minute

// StartInflux installs the server where it is not there, runs it and returns when it
// serves. What it keeps is removed when it ends: with Quit or ctx.
func StartInflux(ctx context.Context, log io.Writer) (*Influx, error) {
	program, err := install.Influxd(ctx, log)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "millrace-influxd-")
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	s := &Influx{Addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), end: end, ended: make(chan struct{})}
	cmd := exec.CommandContext(ctx, program, "run", "-config", os.DevNull)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = grace // then it is killed
	cmd.Env = []string{
		"HOME=" + dir, "INFLUXDB_HTTP_BIND_ADDRESS=" + s.Addr, "INFLUXDB_BIND_ADDRESS=127.0.0.1:0", "INFLUXDB_REPORTING_DISABLED=true",
		"INFLUXDB_META_DIR=" + filepath.Join(dir, "meta"), "INFLUXDB_DATA_DIR=" + filepath.Join(dir, "data"), "INFLUXDB_DATA_WAL_DIR=" + filepath.Join(dir, "wal"),
		"INFLUXDB_MONITOR_STORE_ENABLED=false", "INFLUXDB_HTTP_LOG_ENABLED=false",
	}
	if err := cmd.Start(); err != nil {
		end()
		return nil, fmt.Errorf("starting InfluxDB: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	s.PID = cmd.Process.Pid
	go func() {
		s.err = cmd.Wait()
		_ = os.RemoveAll(dir)
		close(s.ended)
	}()
	for deadline := time.Now().Add(influxTimeout); !s.serves(ctx); time.Sleep(50 * time.Millisecond) {
		select {
		case <-s.ended:
			end()
			return nil, fmt.Errorf("starting InfluxDB: it ended (%w)", s.err)
		default:
		}
		if time.Now().After(deadline) {
			s.Quit()
			return nil, fmt.Errorf("starting InfluxDB: it does not serve after %v", influxTimeout)
		}
	}
	return s, nil
}

func (s *Influx) serves(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+"/ping", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusNoContent
}

// Quit ends the server and returns when it is gone.
func (s *Influx) Quit() {
	s.end()
	<-s.ended
}
