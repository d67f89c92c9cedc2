package flink

import (
	"context"
	"net"
	"testing"
	"time"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"
)

// runner is one as workers see it. It holds streams of elements open until they are to
// end, and then ends them with an error, or without.
type runner struct {
	fnpb.UnimplementedBeamFnDataServer
	fnpb.UnimplementedBeamFnLoggingServer
	end chan error
}

func (r runner) Data(fnpb.BeamFnData_DataServer) error { return <-r.end }

func (r runner) Logging(fnpb.BeamFnLogging_LoggingServer) error {
	return <-r.end
}

// serve serves a runner and tells of connections that were lost.
func serve(t *testing.T) (r runner, s *grpc.Server, conn *grpc.ClientConn, lost chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r, s = runner{end: make(chan error)}, grpc.NewServer()
	fnpb.RegisterBeamFnDataServer(s, r)
	fnpb.RegisterBeamFnLoggingServer(s, r)
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	lost = make(chan error, 1)
	conn, err = dialer{func(err error) { lost <- err }}.dial(t.Context(), listener.Addr().String(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return r, s, conn, lost
}

func TestAConnectionThatBreaksWithElementsUnderWayIsTold(t *testing.T) {
	_, s, conn, lost := serve(t)
	stream, err := fnpb.NewBeamFnDataClient(conn).Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Stop() // breaks it off
	if _, err := stream.Recv(); err == nil {
		t.Fatal("the stream goes on")
	}
	if err := <-lost; err == nil {
		t.Error("no cause is told")
	}
}

func TestStreamsThatEndAreNotLost(t *testing.T) {
	r, s, conn, lost := serve(t)
	ended, err := fnpb.NewBeamFnDataClient(conn).Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.end <- nil
	if _, err := ended.Recv(); err == nil {
		t.Fatal("the stream goes on")
	}
	ctx, cancel := context.WithCancel(t.Context())
	left, err := fnpb.NewBeamFnDataClient(conn).Data(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := left.Recv(); err == nil {
		t.Fatal("the stream goes on")
	}
	logs, err := fnpb.NewBeamFnLoggingClient(conn).Logging(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, err := logs.Recv(); err == nil {
		t.Fatal("the stream goes on")
	}
	select {
	case err := <-lost:
		t.Errorf("told of %v", err)
	default:
	}
}

func TestARunnerThatIsNotThereIsNotWaitedForForEver(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	if _, err := (dialer{}).dial(t.Context(), addr, 200*time.Millisecond); err == nil {
		t.Error("it is connected")
	}
}
