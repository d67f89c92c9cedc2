package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"millrace/internal/localservers"
	"millrace/io/driver"
	"millrace/io/influxio"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// influx compares with InfluxData's own client for Go, in both of its interfaces. The
// client knows no versions, so what it does is what the sink does with check=false.
var influx = contest{
	name: "influx", with: []string{"influxdb-client-go " + strings.TrimPrefix(clientVersion("github.com/influxdata/influxdb-client-go/v2"), "v")}, start: startInflux,
	row: func() (int, string) { return lineSize(), "line protocol" },
	clients: []client{
		{"millrace-unchecked", "the sink with check=false, which does what the client does, from columns", prepareTraffic("&check=false")},
		{"millrace", "the sink with its defaults: before it writes it asks for the versions that are there", prepareTraffic("")},
		{"WriteAPI", "api.WriteAPI with its defaults, a point made for each row as it is added", prepareOfficial(writeAsync)},
		{"WriteAPIBlocking", "api.WriteAPIBlocking, as many points a call as the sink has rows by default (5,000), made before each call", prepareOfficial(writeBlocking)},
	},
}

const influxDatabase = "bench"

type influxServer struct{ *localservers.Influx }

func (s influxServer) Addr() string { return s.Influx.Addr }
func (s influxServer) PID() int     { return s.Influx.PID }

func startInflux(ctx context.Context, log io.Writer) (server, error) {
	s, err := localservers.StartInflux(ctx, log)
	if err != nil {
		return nil, err
	}
	return influxServer{s}, nil
}

func (s influxServer) Empty(ctx context.Context) error {
	_, err := s.query(ctx, "DROP DATABASE "+influxDatabase+"; CREATE DATABASE "+influxDatabase)
	return err
}

func (s influxServer) Count(ctx context.Context) (int, error) {
	values, err := s.query(ctx, `SELECT count("views") FROM "traffic"`)
	if err != nil || len(values) < 2 {
		return 0, err
	}
	n, ok := values[1].(float64)
	if !ok {
		return 0, fmt.Errorf("InfluxDB counts %v", values[1])
	}
	return int(n), nil
}

// query gives the first row of an answer.
func (s influxServer) query(ctx context.Context, statements string) (first []any, err error) {
	form := url.Values{"db": {influxDatabase}, "q": {statements}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr()+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var told struct {
		Error   string
		Results []struct {
			Error  string
			Series []struct{ Values [][]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&told); err != nil {
		return nil, fmt.Errorf("InfluxDB: %w", err)
	}
	for _, r := range told.Results {
		if r.Error != "" {
			return nil, errors.New("InfluxDB: " + r.Error)
		}
		if len(r.Series) > 0 && len(r.Series[0].Values) > 0 {
			first = r.Series[0].Values[0]
		}
	}
	if told.Error != "" {
		return nil, errors.New("InfluxDB: " + told.Error)
	}
	return first, nil
}

// traffic are rows of a minute each, of five classes, from a number on.
func traffic(from, n int) *table.Batch {
	const begin, minute, classes = 1_741_003_200_000, 60_000, 5
	b := table.NewBatch(weblog.TrafficRows)
	for i := from; i < from+n; i++ {
		b.Append(weblog.Traffic{
			WindowStart: table.Millis(begin + i/classes*minute), WindowSeconds: 60, StatusClass: fmt.Sprint(1+i%classes, "xx"),
			Views: int64(i), Bytes: int64(i * 5120), Version: int64(i),
		})
	}
	return b
}

func trafficBatches(rows int) (list []*table.Batch) {
	for from := 0; from < rows; from += batchRows {
		list = append(list, traffic(from, min(batchRows, rows-from)))
	}
	return list
}

func prepareTraffic(parameters string) func(rows int) (func(context.Context, string) error, error) {
	return func(rows int) (func(context.Context, string) error, error) {
		list := trafficBatches(rows)
		return func(ctx context.Context, addr string) error {
			sink, err := influxio.Open(ctx, "influx://"+addr+"/"+influxDatabase+"?measurement=traffic"+parameters, weblog.TrafficRows, driver.SinkOptions{})
			if err != nil {
				return err
			}
			for _, b := range list {
				if err := sink.Write(ctx, table.Rows{Batch: b}); err != nil {
					return errors.Join(err, sink.Close(ctx))
				}
			}
			return sink.Close(ctx)
		}, nil
	}
}

func prepareOfficial(send func(ctx context.Context, c influxdb2.Client, list []*table.Batch) error) func(rows int) (func(context.Context, string) error, error) {
	return func(rows int) (func(context.Context, string) error, error) {
		list := trafficBatches(rows)
		return func(ctx context.Context, addr string) error {
			c := influxdb2.NewClientWithOptions("http://"+addr, "", influxdb2.DefaultOptions().SetPrecision(time.Millisecond))
			defer c.Close()
			return send(ctx, c, list)
		}, nil
	}
}

// point is a row as the official client has it, with the fields that the sink writes.
func point(b *table.Batch, row int) *write.Point {
	return write.NewPointWithMeasurement("traffic").
		AddTag("window_seconds", fmt.Sprint(b.Int(weblog.TrafficWindowSeconds, row))).AddTag("status_class", string(b.Text(weblog.TrafficStatusClass, row))).
		AddField("views", b.Int(weblog.TrafficViews, row)).AddField("bytes", b.Int(weblog.TrafficBytes, row)).AddField("version", b.Int(weblog.TrafficVersion, row)).
		AddField("sealed", true).AddField("withdrawn", false).SetTime(time.UnixMilli(b.Int(weblog.TrafficWindowStart, row)))
}

// lineSize is how many bytes a row has in line protocol.
func lineSize() int {
	return len(write.PointToLineProtocol(point(traffic(1000, 1), 0), time.Millisecond))
}

func writeBlocking(ctx context.Context, c influxdb2.Client, list []*table.Batch) error {
	const rows = 5000
	api := c.WriteAPIBlocking("any", influxDatabase)
	var points []*write.Point
	for _, b := range list {
		for i := range b.Len() {
			points = append(points, point(b, i))
			if len(points) < rows {
				continue
			}
			if err := api.WritePoint(ctx, points...); err != nil {
				return err
			}
			points = points[:0]
		}
	}
	if len(points) == 0 {
		return nil
	}
	return api.WritePoint(ctx, points...)
}

func writeAsync(_ context.Context, c influxdb2.Client, list []*table.Batch) error {
	api := c.WriteAPI("any", influxDatabase)
	failed := api.Errors() // from now on somebody has to read them
	first := make(chan error, 1)
	go func() {
		for err := range failed { // until the client closes
			select {
			case first <- err:
			default:
			}
		}
	}()
	for _, b := range list {
		for i := range b.Len() {
			api.WritePoint(point(b, i))
		}
	}
	api.Flush()
	select {
	case err := <-first:
		return err
	default:
		return nil // that all rows are there is looked at
	}
}
