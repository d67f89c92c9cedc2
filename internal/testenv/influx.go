package testenv

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv/install"
)

// InfluxServer is a real server of InfluxDB 1.8 for one test, with a database of its
// own. It keeps what it has over Stop and Start.
type InfluxServer struct {
	*Server
	Database string // exists and is empty

	login *url.Userinfo
}

// Influx starts a server. settings are variables of its environment, as in
// INFLUXDB_DATA_MAX_VALUES_PER_TAG=2.
func Influx(t testing.TB, settings ...string) *InfluxServer {
	t.Helper()
	binary, dir := tool(t, install.Influxd), t.TempDir()
	addr := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := &InfluxServer{Database: "rows"}
	s.Server = newServer(t, "influxd", addr, func() *exec.Cmd {
		cmd := exec.Command(binary, "run", "-config", os.DevNull)
		cmd.Env = append([]string{
			"HOME=" + dir, "INFLUXDB_HTTP_BIND_ADDRESS=" + addr, "INFLUXDB_BIND_ADDRESS=127.0.0.1:0", "INFLUXDB_REPORTING_DISABLED=true",
			"INFLUXDB_META_DIR=" + filepath.Join(dir, "meta"), "INFLUXDB_DATA_DIR=" + filepath.Join(dir, "data"), "INFLUXDB_DATA_WAL_DIR=" + filepath.Join(dir, "wal"),
			"INFLUXDB_MONITOR_STORE_ENABLED=false", "INFLUXDB_HTTP_LOG_ENABLED=false",
		}, settings...)
		return cmd
	})
	if slices.Contains(settings, InfluxLogins) {
		s.Query(t, "CREATE USER "+influxUser+" WITH PASSWORD '"+influxPassword+"' WITH ALL PRIVILEGES")
		s.login = url.UserPassword(influxUser, influxPassword)
	}
	s.Query(t, "CREATE DATABASE "+s.Database)
	return s
}

// InfluxLogins is a setting: the server asks for a login, InfluxLogin or one that the
// test makes.
const InfluxLogins = "INFLUXDB_HTTP_AUTH_ENABLED=true"

// InfluxLogin is user:password of who may do all.
const InfluxLogin = influxUser + ":" + influxPassword

const influxUser, influxPassword = "boss", "canary-word"

// InfluxSeries are the points of a series that a query finds. Numbers are json.Number.
type InfluxSeries struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Values  [][]any
}

// Query runs a statement of InfluxQL in the database and gives what it finds, times in
// nanoseconds.
func (s *InfluxServer) Query(t testing.TB, statement string) []InfluxSeries {
	t.Helper()
	target := url.URL{Scheme: "http", Host: s.Addr, User: s.login, Path: "/query", RawQuery: url.Values{"db": {s.Database}, "epoch": {"ns"}}.Encode()}
	response, err := http.Post(target.String(), "application/x-www-form-urlencoded", strings.NewReader(url.Values{"q": {statement}}.Encode()))
	if err != nil {
		t.Fatalf("InfluxDB: %v; its log:\n%s", err, s.Log())
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("InfluxDB: %v", err)
	}
	var told struct {
		Error   string
		Results []struct {
			Error  string
			Series []InfluxSeries
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(answer)))
	decoder.UseNumber()
	if err := decoder.Decode(&told); err != nil || told.Error != "" || len(told.Results) != 1 || told.Results[0].Error != "" {
		t.Fatalf("InfluxDB: %s: %v in %s", statement, err, answer)
	}
	return told.Results[0].Series
}
