package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/opensearch-project/opensearch-go/v4"
	"github.com/opensearch-project/opensearch-go/v4/opensearchapi"
	"github.com/opensearch-project/opensearch-go/v4/opensearchutil"

	"millrace/internal/benchsinks/events"
	"millrace/internal/localservers"
	"millrace/internal/testenv/install"
	"millrace/io/driver"
	"millrace/io/opensearchio"
	"millrace/schemas/weblog"
)

// openSearch compares with the bulk indexer of OpenSearch's own client.
var openSearch = contest{
	name: "opensearch", with: []string{"opensearch-go " + opensearchVersion()}, start: startOpenSearch,
	row: func() (int, string) { return documentSize(), "JSON" },
	clients: []client{
		{"millrace", "the sink with its defaults, from columns", prepareOurs},
		{"BulkIndexer", "opensearchutil.BulkIndexer with its defaults, documents by encoding/json as they are added", prepareIndexer(false)},
		{"BulkIndexer-encoded", "the same with documents that were JSON before: what the client alone takes", prepareIndexer(true)},
	},
}

// index holds all events: they are of one day, for which the sink's template stands.
const (
	index = "bench-2025-03-03"
	ofDay = "bench-{day}"
)

type openSearchServer struct{ *localservers.OpenSearch }

func (s openSearchServer) Addr() string { return s.OpenSearch.Addr }
func (s openSearchServer) PID() int     { return s.OpenSearch.PID }

func startOpenSearch(ctx context.Context, log io.Writer) (server, error) {
	program, err := install.OpenSearch(ctx, log)
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "millrace-opensearch-") // the node removes it
	if err != nil {
		return nil, err
	}
	node, err := localservers.StartOpenSearch(program, data, 1024, io.Discard)
	if err != nil {
		return nil, err
	}
	// The template comes with the sink's first row, and is then there for all.
	write, err := prepareOurs(1)
	if err == nil {
		err = write(ctx, node.Addr)
	}
	if err != nil {
		node.Quit()
		return nil, err
	}
	return openSearchServer{node}, nil
}

func (s openSearchServer) Empty(ctx context.Context) error {
	return s.call(ctx, http.MethodDelete, index+"?ignore_unavailable=true", nil)
}

func (s openSearchServer) Count(ctx context.Context) (int, error) {
	if err := s.call(ctx, http.MethodPost, index+"/_refresh", nil); err != nil {
		return 0, err
	}
	var found struct{ Count int }
	err := s.call(ctx, http.MethodGet, index+"/_count", &found)
	return found.Count, err
}

func (s openSearchServer) call(ctx context.Context, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.Addr()+"/"+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= 300:
		return fmt.Errorf("%s %s: status %d: %s", method, path, response.StatusCode, answer)
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

func prepareOurs(rows int) (func(context.Context, string) error, error) {
	list := batches(rows)
	return func(ctx context.Context, addr string) error {
		sink, err := opensearchio.Open(ctx, "opensearch://"+addr+"/"+ofDay, weblog.Events, driver.SinkOptions{})
		if err != nil {
			return err
		}
		return writeAll(ctx, sink, list)
	}, nil
}

func prepareIndexer(encoded bool) func(rows int) (func(context.Context, string) error, error) {
	return func(rows int) (func(context.Context, string) error, error) {
		list, texts := make([]document, rows), make([][]byte, rows)
		for i := range list {
			list[i] = newDocument(events.At(i))
			if encoded {
				text, err := json.Marshal(&list[i])
				if err != nil {
					return nil, err
				}
				texts[i] = text
			}
		}
		return func(ctx context.Context, addr string) error {
			c, err := opensearchapi.NewClient(opensearchapi.Config{Client: opensearch.Config{Addresses: []string{"http://" + addr}}})
			if err != nil {
				return err
			}
			return addAll(ctx, c, list, texts, encoded)
		}, nil
	}
}

// addAll adds documents to a bulk indexer: those of texts if they are encoded.
func addAll(ctx context.Context, c *opensearchapi.Client, list []document, texts [][]byte, encoded bool) (err error) {
	var failed atomic.Int64
	indexer, err := opensearchutil.NewBulkIndexer(opensearchutil.BulkIndexerConfig{
		Client: c, Index: index, OnError: func(context.Context, error) { failed.Add(1) },
	})
	if err != nil {
		return err
	}
	for i := range list {
		text := texts[i]
		if !encoded {
			if text, err = json.Marshal(&list[i]); err != nil {
				return err
			}
		}
		item := opensearchutil.BulkIndexerItem{Action: "index", DocumentID: list[i].EventID, Body: bytes.NewReader(text)}
		if err := indexer.Add(ctx, item); err != nil {
			return err
		}
	}
	if err := indexer.Close(ctx); err != nil {
		return err
	}
	if s := indexer.Stats(); failed.Load() > 0 || s.NumFailed > 0 || s.NumFlushed != uint64(len(list)) {
		return fmt.Errorf("the bulk indexer has %d faults and %+v", failed.Load(), s)
	}
	return nil
}

// opensearchVersion is the version of the client, as its user agent has it.
func opensearchVersion() string {
	return strings.TrimPrefix(clientVersion("github.com/opensearch-project/opensearch-go/v4"), "v")
}
