package device_test

import (
	"testing"

	"millrace/schemas/device"
	"millrace/schemas/table"
)

func TestColumnsStandWhereTheConstantsSay(t *testing.T) {
	for _, c := range []struct {
		schema *table.Schema
		name   string
		at     int
	}{
		{device.Readings, "event_time", device.ReadingTime},
		{device.Readings, "value", device.ReadingValue},
		{device.Readings, "quality", device.ReadingQuality},
		{device.Readings, "sequence", device.ReadingSequence},
		{device.Flags, "subject", device.FlagSubject},
		{device.Flags, "version", device.FlagVersion},
		{device.Rollups, "unit", device.RollupUnit},
		{device.Rollups, "version", device.RollupVersion},
	} {
		if at, ok := c.schema.Index(c.name); !ok || at != c.at {
			t.Errorf("%s of %s is column %d, and the constant says %d", c.name, c.schema.Name, at, c.at)
		}
	}
}
