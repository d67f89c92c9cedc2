package lakeio

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
)

func s3Harness(t *testing.T, p packing) iotest.SourcePlace {
	server := testenv.S3(t)
	client := server.Client(t)
	proxy := newBreaker(t, strings.TrimPrefix(server.Endpoint, "http://"))
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://"+proxy.addr)
	key := func(name string) *string { name = "logs/" + name; return &name }
	place := lakePlace(p,
		func(t *testing.T, name string, data []byte) {
			if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: key(name), Body: bytes.NewReader(data)}); err != nil {
				t.Fatal(err)
			}
		},
		func(t *testing.T, name string) []byte {
			out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &server.Bucket, Key: key(name)})
			if err != nil {
				t.Fatal(err)
			}
			defer out.Body.Close()
			data, err := io.ReadAll(out.Body)
			if err != nil {
				t.Fatal(err)
			}
			return data
		})
	place.Open = func(t *testing.T) driver.Source { return openSource(t, "s3://"+server.Bucket+"/logs"+suiteParams) }
	place.Missing = func(t *testing.T) driver.Source { return openSource(t, "s3://no-such-bucket/logs"+suiteParams) }
	place.Unreadable = func(t *testing.T) driver.Source {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
		return openSource(t, "s3://"+server.Bucket+"/logs"+suiteParams)
	}
	place.Reset = func(t *testing.T) func() int {
		proxy.limit.Store(30_000)
		return func() int { return int(proxy.broken.Load()) }
	}
	return place
}

// breaker passes bytes between clients and a server. With a limit it resets each
// connection after so many bytes of the server's, in the midst of an answer, and
// counts that: a fault that never fired proves nothing.
type breaker struct {
	addr   string
	limit  atomic.Int64
	broken atomic.Int64
}

func newBreaker(t *testing.T, upstream string) *breaker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaker{addr: listener.Addr().String()}
	var open sync.Map
	t.Cleanup(func() {
		listener.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", upstream)
			if err != nil {
				client.Close()
				continue
			}
			open.Store(client, nil)
			open.Store(server, nil)
			go func() {
				_, _ = io.Copy(server, client)
				_ = server.(*net.TCPConn).CloseWrite()
			}()
			go b.answer(client.(*net.TCPConn), server)
		}
	}()
	return b
}

func (b *breaker) answer(client *net.TCPConn, server net.Conn) {
	defer client.Close()
	defer server.Close()
	buf := make([]byte, 8<<10)
	for passed := int64(0); ; {
		n, err := server.Read(buf)
		passed += int64(n)
		if limit := b.limit.Load(); limit > 0 && passed > limit {
			b.broken.Add(1)
			_ = client.SetLinger(0) // a reset, not an orderly end
			return
		}
		if _, writeErr := client.Write(buf[:n]); err != nil || writeErr != nil {
			return
		}
	}
}
