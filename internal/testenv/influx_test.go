package testenv

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestInfluxKeepsPointsOverARestart(t *testing.T) {
	s := Influx(t)
	response, err := http.Post("http://"+s.Addr+"/write?db="+s.Database, "text/plain", strings.NewReader("m,a=b v=9007199254740993i 1741003200000000007\n"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d", response.StatusCode)
	}
	s.Stop()
	s.Start(t)
	found := s.Query(t, `SELECT "v" FROM "m" GROUP BY *`)
	if len(found) != 1 || found[0].Tags["a"] != "b" || fmt.Sprint(found[0].Values) != "[[1741003200000000007 9007199254740993]]" {
		t.Errorf("found %+v", found)
	}
}
