package flink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// waysOfTests are how programs that are built for tests of faults reach a runner.
var waysOfTests []grpc.DialOption

// dialer connects a worker to what a runner has for it, as Beam's own does, but calls
// lost when a connection breaks over which elements or state go. Beam 2.77 makes
// another one then and goes on, though what was under way on the first is lost: the
// runner waits for ever for a bundle's output, or takes a bundle for done that has
// read a part of its input. The end of the worker is what makes it start the bundles
// again, from their checkpoint.
type dialer struct{ lost func(error) }

func (d dialer) dial(ctx context.Context, endpoint string, timeout time.Duration) (*grpc.ClientConn, error) {
	options := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		grpc.WithStreamInterceptor(d.watch),
	}, waysOfTests...)
	conn, err := grpc.NewClient("passthrough:///"+endpoint, options...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the runner at %s: %w", endpoint, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			return nil, errors.Join(fmt.Errorf("connecting to the runner at %s: it is not there: %w", endpoint, context.Cause(ctx)), conn.Close())
		}
		if state == connectivity.Idle {
			conn.Connect()
		}
	}
	return conn, nil
}

// watch looks at streams of elements and of state.
func (d dialer) watch(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := open(ctx, desc, conn, method, opts...)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasSuffix(method, ".BeamFnData/Data"):
		return &together{watched{stream, ctx.Done(), d.lost}, map[timerFamily][]byte{}}, nil
	case strings.HasSuffix(method, ".BeamFnState/State"):
		return watched{stream, ctx.Done(), d.lost}, nil
	}
	return stream, nil
}

// watched is a stream whose loss is told.
type watched struct {
	grpc.ClientStream
	left <-chan struct{} // closed when this side ends it
	lost func(error)
}

// RecvMsg tells of a stream that neither side has ended.
func (w watched) RecvMsg(m any) error {
	err := w.ClientStream.RecvMsg(m)
	if err == nil || errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return err
	}
	select {
	case <-w.left:
	default:
		w.lost(err)
	}
	return err
}
