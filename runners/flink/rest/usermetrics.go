package rest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// UserMetric is a counter or gauge of the pipeline itself, of one subtask. It
// begins anew when the subtask is started again.
type UserMetric struct {
	Subtask int
	Name    string // namespace and name as the program gave them, joined by _
	Value   int64
}

// UserMetrics reads those of a vertex whose namespace is one of the given ones.
//
// Beam's runner hands each to Flink as SUBTASK.OPERATOR.NAMESPACE.NAME, and Flink
// writes _ for dots, blanks, colons and commas in the last two and in the name of
// the operator. Other metrics of Beam's have _metric_ in their names.
func (c *Client) UserMetrics(ctx context.Context, id, vertex string, namespaces ...string) ([]UserMetric, error) {
	path := "/vertices/" + vertex + "/metrics"
	names, err := c.metricNames(ctx, id, path)
	if err != nil {
		return nil, err
	}
	var asked []string
	for _, name := range names {
		last := name[strings.LastIndexByte(name, '.')+1:]
		ours := slices.ContainsFunc(namespaces, func(n string) bool { return strings.HasPrefix(last, n+"_") })
		if ours && !strings.Contains(last, "_metric_") {
			asked = append(asked, name)
		}
	}
	var metrics []UserMetric
	for _, names := range batches(asked) {
		values, err := c.metrics(ctx, id, path+"?get="+url.QueryEscape(names))
		if err != nil {
			return nil, err
		}
		for name, text := range values {
			index, rest, _ := strings.Cut(name, ".")
			subtask, err := strconv.Atoi(index)
			if err != nil {
				continue // an aggregate of subtasks
			}
			value, err := number(text)
			if err != nil {
				return nil, err
			}
			metrics = append(metrics, UserMetric{Subtask: subtask, Name: rest[strings.LastIndexByte(rest, '.')+1:], Value: value})
		}
	}
	return metrics, nil
}

// JobOptions are the pipeline options that a job was submitted with, in camel
// case, as the runner tells them: appName, checkpointingInterval. Jobs that are
// none of Beam's have others or none.
func (c *Client) JobOptions(ctx context.Context, id string) (map[string]string, error) {
	var answer struct {
		Execution struct {
			Options map[string]string `json:"user-config"`
		} `json:"execution-config"`
	}
	err := c.ofJob(ctx, "read the options of", id, http.MethodGet, "/config", nil, &answer)
	return answer.Execution.Options, err
}
