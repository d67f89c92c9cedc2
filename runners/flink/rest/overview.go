package rest

import (
	"context"
	"net/http"
)

// Overview is a cluster in numbers.
type Overview struct {
	TaskManagers   int    `json:"taskmanagers"`
	SlotsTotal     int    `json:"slots-total"`
	SlotsAvailable int    `json:"slots-available"`
	JobsRunning    int    `json:"jobs-running"`
	JobsFinished   int    `json:"jobs-finished"`
	JobsCancelled  int    `json:"jobs-cancelled"`
	JobsFailed     int    `json:"jobs-failed"`
	FlinkVersion   string `json:"flink-version"`
}

// Overview tells the cluster in numbers.
func (c *Client) Overview(ctx context.Context) (o Overview, err error) {
	err = c.call(ctx, request{doing: "look at", object: "the Flink cluster", method: http.MethodGet, path: "/overview"}, &o)
	return o, err
}

// TaskManager is one that is registered with the JobManager.
type TaskManager struct {
	ID        string `json:"id"`
	Slots     int    `json:"slotsNumber"`
	FreeSlots int    `json:"freeSlots"`
}

// TaskManagers lists the registered ones. A dead one stays until the JobManager
// misses its heartbeat.
func (c *Client) TaskManagers(ctx context.Context) ([]TaskManager, error) {
	var answer struct {
		TaskManagers []TaskManager `json:"taskmanagers"`
	}
	err := c.call(ctx, request{doing: "list", object: "the TaskManagers", method: http.MethodGet, path: "/taskmanagers"}, &answer)
	return answer.TaskManagers, err
}

// Config is the JobManager's configuration as it runs, with the ports it has
// chosen.
func (c *Client) Config(ctx context.Context) (map[string]string, error) {
	var answer []struct{ Key, Value string }
	if err := c.call(ctx, request{doing: "read", object: "the JobManager's configuration", method: http.MethodGet, path: "/jobmanager/config"}, &answer); err != nil {
		return nil, err
	}
	config := make(map[string]string, len(answer))
	for _, entry := range answer {
		config[entry.Key] = entry.Value
	}
	return config, nil
}
