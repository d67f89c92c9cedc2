package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	frameworkHeap    = 128 // MiB, as Flink's own default
	frameworkOffHeap = 128
	jvmOverhead      = 200 // MiB that Flink only counts

	// MiB outside the heap for what is on its way to workers. Each that starts fetches
	// its program from the TaskManager, which takes all of its 100 MB at once, and a
	// backfill starts some for each of its steps.
	taskOffHeap = 512
)

// ports are the JobManager's; 0 lets it choose.
type ports struct{ rest, rpc int }

// settings are the configuration of all processes of the cluster.
func (o Options) settings(p ports) map[string]string {
	mib := func(n int) string { return fmt.Sprintf("%dmb", n) }
	s := map[string]string{
		"jobmanager.rpc.address": "127.0.0.1",
		"jobmanager.rpc.port":    strconv.Itoa(p.rpc),
		"jobmanager.bind-host":   "127.0.0.1",
		"blob.server.port":       "0",
		"rest.address":           "127.0.0.1",
		"rest.bind-address":      "127.0.0.1",
		"rest.port":              strconv.Itoa(p.rest),
		"taskmanager.host":       "127.0.0.1",
		"taskmanager.bind-host":  "127.0.0.1",

		// Without the scripts that would work them out, each part is named.
		"taskmanager.cpu.cores":                      fmt.Sprintf("%d.0", o.Slots),
		"taskmanager.numberOfTaskSlots":              strconv.Itoa(o.Slots),
		"taskmanager.memory.task.heap.size":          mib(o.TaskHeap),
		"taskmanager.memory.task.off-heap.size":      mib(taskOffHeap),
		"taskmanager.memory.framework.heap.size":     mib(frameworkHeap),
		"taskmanager.memory.framework.off-heap.size": mib(frameworkOffHeap),
		"taskmanager.memory.network.min":             mib(o.Network),
		"taskmanager.memory.network.max":             mib(o.Network),
		"taskmanager.memory.managed.size":            mib(o.Managed),
		"taskmanager.memory.jvm-metaspace.size":      mib(o.Metaspace),
		"taskmanager.memory.jvm-overhead.min":        mib(jvmOverhead),
		"taskmanager.memory.jvm-overhead.max":        mib(jvmOverhead),

		"state.backend.type":                                        o.StateBackend,
		"state.backend.incremental":                                 strconv.FormatBool(o.StateBackend == "rocksdb"),
		"state.checkpoints.dir":                                     o.Checkpoints,
		"state.savepoints.dir":                                      o.Savepoints,
		"state.checkpoints.num-retained":                            "2",
		"execution.checkpointing.interval":                          duration(o.CheckpointInterval),
		"execution.checkpointing.mode":                              "EXACTLY_ONCE",
		"execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
		"execution.checkpointing.tolerable-failed-checkpoints":      "100",
		"parallelism.default":                                       "1",
		"classloader.resolve-order":                                 "child-first",
		"io.tmp.dirs":                                               filepath.Join(o.Dir, "tmp"),
		"web.tmpdir":                                                filepath.Join(o.Dir, "tmp"),
		"web.refresh-interval":                                      "500",  // ms
		"metrics.fetcher.update-interval":                           "1000", // ms: REST answers are fresh
		"heartbeat.interval":                                        "2000", // ms
		"heartbeat.timeout":                                         "30000",
		"heartbeat.rpc-failure-threshold":                           "2",   // a dead neighbour is known in seconds
		"pekko.ask.timeout":                                         "60s", // two cores that compile, too
		"restart-strategy.type":                                     "exponential-delay",
		"restart-strategy.exponential-delay.initial-backoff":        "1s",
		"restart-strategy.exponential-delay.max-backoff":            "1min",
	}
	if o.Restarts > 0 {
		s["restart-strategy.type"] = "fixed-delay"
		s["restart-strategy.fixed-delay.attempts"] = strconv.Itoa(o.Restarts)
		s["restart-strategy.fixed-delay.delay"] = duration(o.RestartDelay)
	}
	maps.Copy(s, o.Config)
	return s
}

// render writes settings as Flink's config.yaml, sorted. A JSON string is a
// YAML one.
func render(settings map[string]string) []byte {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		name, _ := json.Marshal(key) // a string always has a JSON form
		value, _ := json.Marshal(settings[key])
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	return []byte(b.String())
}

func duration(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func fileURL(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// logging is log4j's configuration: a file that rolls over, 100 MB at most.
const logging = `rootLogger.level = INFO
rootLogger.appenderRef.file.ref = File

appender.file.name = File
appender.file.type = RollingFile
appender.file.fileName = ${sys:log.file}
appender.file.filePattern = ${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSX} %-5p %c{1} - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 9

# It tells of each connection that a dead neighbour refuses.
logger.pekko.name = org.apache.pekko
logger.pekko.level = WARN
logger.netty.name = org.apache.flink.shaded.netty4.io.netty
logger.netty.level = ERROR
`
