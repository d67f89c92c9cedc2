// Package machine tells where figures were taken: processor, memory, load.
package machine

import (
	"fmt"
	"os"
	"strings"
)

// Unknown stands for what this system does not tell.
const Unknown = "unknown"

// CPU is the model of the processor.
func CPU() string { return procLine("/proc/cpuinfo", "model name") }

// Memory is all there is, like 23.5 GiB.
func Memory() string {
	var kib int64
	if _, err := fmt.Sscan(procLine("/proc/meminfo", "MemTotal"), &kib); err != nil {
		return Unknown
	}
	return fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
}

// Load is the load average of 1, 5 and 15 minutes.
func Load() string {
	b, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 3 {
		return Unknown
	}
	return strings.Join(fields[:3], " ")
}

// procLine is the value of the first line "name: value".
func procLine(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return Unknown
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return Unknown
}
