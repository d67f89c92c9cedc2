package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"millrace/internal/machine"
	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// stageScript stages rows with DuckDB.
//
//go:embed script.py
var stageScript string

// pythonEnv names the Python that has DuckDB, for the processes of clients.
const pythonEnv = "MILLRACE_BENCH_PYTHON"

func setPython(t testing.TB) { t.Setenv(pythonEnv, testenv.Python(t)) }

// prepareScript is what is written by hand where there is no sink: DuckDB stages Parquet
// and a manifest, and a transaction copies, deletes and inserts.
func prepareScript(rows int) (func(context.Context, string) error, error) {
	text, err := eventsCSV(rows)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "millrace-bench-*.csv")
	if err != nil {
		return nil, err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	columns, err := duckColumns()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(os.Getenv(pythonEnv), "-c", stageScript, file.Name(), columns) //nolint:gosec // the Python of this checkout
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	out, other := cmd.StdoutPipe()
	if err = errors.Join(err, other); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	said := bufio.NewScanner(out)
	await := func(word string) error {
		if said.Scan() && said.Text() == word {
			return nil
		}
		return fmt.Errorf("DuckDB did not get to %s: %w\n%s", word, errors.Join(said.Err(), cmd.Wait()), complaints.Bytes())
	}
	if err := await("ready"); err != nil {
		return nil, err
	}
	begun := machine.UsageOf(cmd.Process.Pid).CPU
	return func(ctx context.Context, addr string) error {
		defer os.Remove(file.Name())
		at := strings.Fields(addr)
		stage := "s3://" + at[2] + "/script/load"
		if _, err := io.WriteString(in, stage+"\n"); err != nil {
			return err
		}
		if err := await("staged"); err != nil {
			return err
		}
		besides = machine.UsageOf(cmd.Process.Pid).CPU - begun
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			return err
		}
		return loadStaged(ctx, "postgres://"+postgres.User+":"+postgres.Password+"@"+at[0]+"/"+at[1], stage)
	}, nil
}

// duckColumns are the columns of events as DuckDB's read_csv takes them, in their order.
func duckColumns() (string, error) {
	types := map[table.Kind]string{table.String: "VARCHAR", table.UUID: "VARCHAR", table.Time: "TIMESTAMP", table.Bool: "BOOLEAN", table.Int32: "INTEGER", table.Int64: "BIGINT"}
	var b strings.Builder
	for i, c := range weblog.Events.Columns {
		kind, ok := types[c.Kind]
		name, err := json.Marshal(c.Name)
		if err != nil || !ok {
			return "", fmt.Errorf("column %s has no type of DuckDB: %w", c.Name, err)
		}
		b.WriteString([]string{",", "{"}[min(1, max(0, 1-i))])
		fmt.Fprintf(&b, `%s:"%s"`, name, kind)
	}
	return b.String() + "}", nil
}

// loadStaged is the transaction that AWS' documentation has for merging by hand.
func loadStaged(ctx context.Context, url, stage string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	staging := ddl.Table{Target: ddl.Redshift, Name: copyTable, Rows: weblog.Events, Key: []int{0}}
	key := ddl.Quote(weblog.Events.Columns[0].Name)
	for _, sql := range []string{
		"BEGIN",
		staging.Staging("staged"),
		"COPY staged FROM '" + stage + ".manifest' IAM_ROLE DEFAULT FORMAT AS PARQUET MANIFEST",
		"DELETE FROM " + copyTable + " USING staged WHERE staged." + key + " = " + copyTable + "." + key,
		"INSERT INTO " + copyTable + " SELECT * FROM staged",
		"DROP TABLE staged",
		"COMMIT",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
