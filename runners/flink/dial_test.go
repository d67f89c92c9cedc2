package flink

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"
)

// runner is one as workers see it. It holds streams of elements open until they are to
// end, and then ends them with an error, or without. took has what came on them.
type runner struct {
	fnpb.UnimplementedBeamFnDataServer
	fnpb.UnimplementedBeamFnLoggingServer
	end  chan error
	took chan *fnpb.Elements
}

func (r runner) Data(s fnpb.BeamFnData_DataServer) error {
	go func() {
		for {
			e, err := s.Recv()
			if err != nil {
				return
			}
			r.took <- e
		}
	}()
	return <-r.end
}

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
	r, s = runner{end: make(chan error), took: make(chan *fnpb.Elements, 100)}, grpc.NewServer()
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

// TestTimersOfABundleGoTogether sends those of two bundles and two families mixed, and data
// amid them, as Beam's SDK does: in messages of one timer each, whose bytes are another's
// after.
func TestTimersOfABundleGoTogether(t *testing.T) {
	r, _, conn, _ := serve(t)
	stream, err := fnpb.NewBeamFnDataClient(conn).Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	send := func(e *fnpb.Elements) {
		t.Helper()
		if err := stream.Send(e); err != nil {
			t.Fatal(err)
		}
	}
	timers := func(bundle, family, text string, last bool) *fnpb.Elements_Timers {
		return &fnpb.Elements_Timers{InstructionId: bundle, TransformId: "t", TimerFamilyId: family, Timers: []byte(text), IsLast: last}
	}
	data := &fnpb.Elements_Data{InstructionId: "b1", TransformId: "out", Data: []byte("rows")}
	families := []struct{ bundle, family string }{{"b1", "seal"}, {"b1", "ring"}, {"b2", "seal"}}
	want := map[string]string{}
	shared := make([]byte, 5)
	for n := range 300 {
		of := families[n%3]
		copy(shared, fmt.Sprintf("%5d", n))
		e := timers(of.bundle, of.family, "", false)
		e.Timers = shared
		send(&fnpb.Elements{Timers: []*fnpb.Elements_Timers{e}})
		want[of.bundle+of.family] += string(shared)
	}
	send(&fnpb.Elements{Data: []*fnpb.Elements_Data{data}})
	for _, of := range append(families, struct{ bundle, family string }{"b2", "none"}) {
		send(&fnpb.Elements{Timers: []*fnpb.Elements_Timers{timers(of.bundle, of.family, "", true)}})
	}

	if e := <-r.took; len(e.GetData()) != 1 || string(e.GetData()[0].GetData()) != "rows" || len(e.GetTimers()) != 0 {
		t.Errorf("the data came as %v", e)
	}
	for _, of := range families {
		all := (<-r.took).GetTimers()
		if len(all) != 2 || all[0].GetIsLast() || !all[1].GetIsLast() || len(all[1].GetTimers()) > 0 {
			t.Fatalf("timers of %v came as %v", of, all)
		}
		for _, e := range all {
			if e.GetInstructionId() != of.bundle || e.GetTransformId() != "t" || e.GetTimerFamilyId() != of.family {
				t.Errorf("timers of %v came as %v", of, e)
			}
		}
		if got := string(all[0].GetTimers()); got != want[of.bundle+of.family] {
			t.Errorf("timers of %v: %q, want %q", of, got, want[of.bundle+of.family])
		}
	}
	if all := (<-r.took).GetTimers(); len(all) != 1 || !all[0].GetIsLast() {
		t.Errorf("a family without timers came as %v", all)
	}
	if n := len(r.took); n > 0 {
		t.Errorf("%d messages more", n)
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
