package testenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"millrace/internal/localservers"
	"millrace/internal/testenv/install"
)

// OpenSearchNode is a real OpenSearch node without plugins: no security, no index
// state management.
type OpenSearchNode struct {
	Addr string // host:port of HTTP

	log logBuffer
}

// sharedNode is the node that the tests of a process share.
var sharedNode struct {
	once sync.Once
	node *OpenSearchNode
	err  error
}

// OpenSearch is the node that the tests of this process share, with a heap of
// 512 MiB. It starts with the first test that wants it, which takes about ten
// seconds, and ends with the process. Tests keep apart by the names of their
// indexes, and take back what they set. For outages put Toxiproxy before it.
func OpenSearch(t testing.TB) *OpenSearchNode {
	t.Helper()
	dir := tool(t, install.OpenSearch)
	sharedNode.once.Do(func() { sharedNode.node, sharedNode.err = startOpenSearch(dir) })
	if sharedNode.err != nil {
		t.Fatal(sharedNode.err)
	}
	return sharedNode.node
}

func startOpenSearch(dir string) (*OpenSearchNode, error) {
	// t.TempDir would be gone with the first of the tests that share it; the node
	// removes its folder when it ends.
	data, err := os.MkdirTemp("", "millrace-opensearch-")
	if err != nil {
		return nil, fmt.Errorf("start OpenSearch: %w", err)
	}
	n := &OpenSearchNode{}
	node, err := localservers.StartOpenSearch(dir, data, 512, &n.log, "-XX:TieredStopAtLevel=1")
	if err != nil {
		return nil, fmt.Errorf("%w; its log:\n%s", err, n.log.String())
	}
	n.Addr = node.Addr
	return n, nil
}

// Call sends body, unless nil, as JSON and decodes the answer into result, unless
// nil. An answer that is no success fails the test. Cleanups may call it.
func (n *OpenSearchNode) Call(t testing.TB, method, path string, body, result any) {
	t.Helper()
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, "http://"+n.Addr+"/"+strings.TrimPrefix(path, "/"), &content)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("OpenSearch: %v; its log:\n%s", err, n.log.String())
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("OpenSearch: %v", err)
	}
	if response.StatusCode >= 300 {
		t.Fatalf("OpenSearch: %s %s: status %d: %s", method, path, response.StatusCode, answer)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer, result); err != nil {
		t.Fatalf("OpenSearch: %s %s: %v in %s", method, path, err, answer)
	}
}

// Hit is a document as a search finds it.
type Hit struct {
	ID     string          `json:"_id"`
	Index  string          `json:"_index"`
	Source json.RawMessage `json:"_source"`
}

// page is how many documents come at a time.
const page = 10_000

// Search gives the documents that a query finds in an index, a pattern or an alias.
// Nil finds all. What was written is seen.
func (n *OpenSearchNode) Search(t testing.TB, index string, query any) (hits []Hit) {
	t.Helper()
	if query == nil {
		query = map[string]any{"match_all": map[string]any{}}
	}
	n.Call(t, http.MethodPost, index+"/_refresh?allow_no_indices=true&ignore_unavailable=true", nil, nil)
	var result struct {
		Scroll string `json:"_scroll_id"`
		Hits   struct{ Hits []Hit }
	}
	n.Call(t, http.MethodPost, index+"/_search?allow_no_indices=true&ignore_unavailable=true&scroll=1m", map[string]any{"query": query, "size": page, "sort": "_doc"}, &result)
	for hits = result.Hits.Hits; len(result.Hits.Hits) == page; hits = append(hits, result.Hits.Hits...) {
		scroll := result.Scroll
		result.Hits.Hits = nil
		n.Call(t, http.MethodPost, "_search/scroll", map[string]any{"scroll": "1m", "scroll_id": scroll}, &result)
	}
	if result.Scroll != "" {
		n.Call(t, http.MethodDelete, "_search/scroll", map[string]any{"scroll_id": result.Scroll}, nil)
	}
	return hits
}

// Set sets a transient setting of the cluster; nil takes it back.
func (n *OpenSearchNode) Set(t testing.TB, name string, value any) {
	t.Helper()
	n.Call(t, http.MethodPut, "_cluster/settings", map[string]any{"transient": map[string]any{name: value}}, nil)
}
