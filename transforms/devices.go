package transforms

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/normalise"
)

func init() {
	beam.RegisterType(reflect.TypeFor[deviceReadingsFn]())
}

// DeviceConfig configures DeviceReadings.
type DeviceConfig struct {
	Common    Common
	CodesFile string // table of codes; the built-in one when empty
}

// DeviceOutputs are what one pass over the records gives.
type DeviceOutputs struct {
	Readings, BadRows, Late, Raw beam.PCollection // of table.Rows
	Points                       beam.PCollection // KV<subject shard, packed rows of device.Points>, for DeviceSeries
	Ledger                       beam.PCollection // of []byte: ledgers in JSON
}

// DeviceReadings decodes, normalises and masks blocks of records of devices,
// PCollection<record.Block>, in one pass. Full personal data lives only inside. Blocks
// are spread over all cores.
func DeviceReadings(s beam.Scope, cfg DeviceConfig, blocks beam.PCollection) DeviceOutputs {
	s = s.Scope("DeviceReadings")
	out := beam.ParDoN(s, &deviceReadingsFn{Config: cfg, Codes: readCodeTable(cfg.CodesFile)}, blocks)
	return DeviceOutputs{Readings: out[0], BadRows: out[1], Late: out[2], Raw: out[3], Points: out[4], Ledger: out[5]}
}

// codeTable is a table of codes as it travels with a pipeline.
type codeTable struct{ textFile }

const maxCodeTable = 16 << 20 // bytes

func readCodeTable(path string) codeTable {
	return codeTable{readTextFile("the table of codes", path, maxCodeTable)}
}

func (l codeTable) parse() (*normalise.Table, error) {
	switch err := l.err(); {
	case err != nil:
		return nil, err
	case l.File == "":
		return normalise.Default(), nil
	}
	t, err := normalise.Parse([]byte(l.Text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.File, err)
	}
	return t, nil
}

// CodesVersion names the content of a table of codes; path is empty for the built-in one.
func CodesVersion(path string) (string, error) {
	t, err := readCodeTable(path).parse()
	if err != nil {
		return "", err
	}
	return t.Version(), nil
}

type deviceReadingsFn struct {
	Config DeviceConfig
	Codes  codeTable

	cores blockCores
}

func (fn *deviceReadingsFn) Setup(ctx context.Context) error {
	keys, err := fn.Config.Common.secrets(ctx)
	if err != nil {
		return err
	}
	codes, err := fn.Codes.parse()
	if err != nil {
		return err
	}
	var cores []blockCore
	for range runtime.GOMAXPROCS(0) {
		c, err := newDeviceCore(fn.Config.Common, keys, codes)
		if err != nil {
			return err
		}
		cores = append(cores, c)
	}
	fn.cores.start(fn.Config.Common.Run, cores)
	return nil
}

func (fn *deviceReadingsFn) Teardown() { fn.cores.stop() }

func (fn *deviceReadingsFn) ProcessElement(ctx context.Context, block record.Block, readings, bad, late, raw func(table.Rows), points func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.process(ctx, &block, &emitters{events: readings, bad: bad, late: late, raw: raw, fragments: points, ledgers: ledgers})
}

func (fn *deviceReadingsFn) FinishBundle(readings, bad, late, raw func(table.Rows), points func(string, []byte), ledgers func([]byte)) error {
	return fn.cores.finish(&emitters{events: readings, bad: bad, late: late, raw: raw, fragments: points, ledgers: ledgers})
}
