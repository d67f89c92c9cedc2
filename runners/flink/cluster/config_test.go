package cluster

import (
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

func TestSettingsAreYAMLWhateverTheyHold(t *testing.T) {
	want := map[string]string{
		"plain": "value", "number": "12", "truth": "true", "with colon": "a: b # no comment",
		"quoted": `"a" 'b'`, "lines": "a\nb", "unicode": "ä\u2028", "empty": "",
	}
	var got map[string]string
	if err := yaml.Unmarshal(render(want), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestOptionsBecomeSettings(t *testing.T) {
	o := Options{
		Dir: "/d r", Restarts: 3, RestartDelay: 500 * time.Millisecond, TaskHeap: 300, Slots: 4,
		Config: map[string]string{"parallelism.default": "7"},
	}.withDefaults()
	settings := o.settings(ports{rest: 8081, rpc: 6123})
	for key, want := range map[string]string{
		"rest.port":                                                 "8081",
		"jobmanager.rpc.port":                                       "6123",
		"taskmanager.numberOfTaskSlots":                             "4",
		"taskmanager.memory.task.heap.size":                         "300mb",
		"restart-strategy.type":                                     "fixed-delay",
		"restart-strategy.fixed-delay.attempts":                     "3",
		"restart-strategy.fixed-delay.delay":                        "500 ms",
		"state.backend.type":                                        "hashmap",
		"state.checkpoints.dir":                                     "file:///d%20r/checkpoints",
		"execution.checkpointing.interval":                          "10000 ms",
		"parallelism.default":                                       "7",
		"io.tmp.dirs":                                               "/d r/tmp",
		"taskmanager.memory.jvm-metaspace.size":                     "512mb",
		"taskmanager.memory.network.max":                            "256mb",
		"taskmanager.memory.task.off-heap.size":                     "512mb",
		"execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
	} {
		if settings[key] != want {
			t.Errorf("%s = %q, want %q", key, settings[key], want)
		}
	}
	if endless := (Options{}).withDefaults().settings(ports{}); endless["restart-strategy.type"] != "exponential-delay" {
		t.Errorf("without Restarts the strategy is %s", endless["restart-strategy.type"])
	}
}
