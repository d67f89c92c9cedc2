package testenv

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAGatePassesOnWhatNothingStandsBetween(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s%s heard %s", r.Host, r.URL, body)
	}))
	t.Cleanup(server.Close)
	gate := NewHTTPGate(t, strings.TrimPrefix(server.URL, "http://"))
	ask := func() string {
		r, err := http.Post("http://"+gate.Addr+"/a%20b?c=d", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.StatusCode, " ", string(body))
	}
	if got, want := ask(), "200 "+gate.Addr+"/a%20b?c=d heard hello"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	gate.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, err := TakeBody(r)
		if err != nil || string(body) != "hello" {
			t.Errorf("the body is %q, %v", body, err)
		}
		SetBody(r, []byte("HELLO"))
		given := httptest.NewRecorder()
		next.ServeHTTP(given, r)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, strings.ReplaceAll(given.Body.String(), "heard", "was told"))
	})
	if got, want := ask(), "418 "+gate.Addr+"/a%20b?c=d was told HELLO"; got != want {
		t.Errorf("with something between it says %q, want %q", got, want)
	}
	gate.Between(nil)
	if got := ask(); !strings.HasPrefix(got, "200 ") || gate.Calls() != 3 {
		t.Errorf("after that %q, and %d calls", got, gate.Calls())
	}
}
