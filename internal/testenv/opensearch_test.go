package testenv

import (
	"net/http"
	"testing"
)

func TestOpenSearchFindsWhatWasWritten(t *testing.T) {
	node := OpenSearch(t)
	node.Call(t, http.MethodPut, "testenv/_doc/a", map[string]any{"n": 7}, nil)
	node.Call(t, http.MethodPut, "testenv/_doc/b", map[string]any{"n": 8}, nil)
	if hits := node.Search(t, "testenv", nil); len(hits) != 2 {
		t.Errorf("found %v", hits)
	}
	if hits := node.Search(t, "testenv", map[string]any{"term": map[string]any{"n": 7}}); len(hits) != 1 || hits[0].ID != "a" || string(hits[0].Source) != `{"n":7}` {
		t.Errorf("found %v", hits)
	}
	if hits := node.Search(t, "testenv-none", nil); len(hits) != 0 {
		t.Errorf("an index that does not exist holds %v", hits)
	}
	if again := OpenSearch(t); again != node {
		t.Error("a second node was started")
	}
}
