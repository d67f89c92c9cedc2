package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
)

func TestCallsThatAreMadeAgainAreCounted(t *testing.T) {
	for name, url := range map[string]string{"by key": "kinesis://rows", "aggregated": "kinesis://rows?aggregate=true"} {
		s := newPutServer(1)
		s.serve(t)
		s.fault = func(call int, records []types.PutRecordsRequestEntry) putFault {
			codes := make([]string, len(records))
			switch call {
			case 0:
				return putFault{code: "ProvisionedThroughputExceededException"} // as a whole
			case 1:
				codes[0] = "ProvisionedThroughputExceededException"
				return putFault{codes: codes}
			case 2:
				codes[0] = "InternalFailure"
				return putFault{codes: codes}
			case 3:
				return putFault{code: "InternalFailure"}
			}
			return putFault{}
		}
		var mu sync.Mutex
		var told []error
		ctx := driver.WithRetries(t.Context(), func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, err)
		})
		sink, err := Open(ctx, url, everythings, driver.SinkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sink.options.MaxCalls = 1
		if err := sink.Write(ctx, table.Rows{Batch: batchOf(everything{At: 1})}); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(ctx); err != nil {
			t.Fatal(err)
		}
		want := []error{driver.ErrThrottled, driver.ErrThrottled, driver.ErrUnavailable, driver.ErrUnavailable}
		if !slices.EqualFunc(told, want, errors.Is) || sink.Stats().Acknowledged != 1 {
			t.Errorf("%s: told of %v, stats %+v", name, told, sink.Stats())
		}
	}
}

func TestAStreamThatIsNotThereEndsTheFirstWrite(t *testing.T) {
	testenv.Kinesis(t)
	sink, err := Open(t.Context(), "kinesis://nowhere", everythings, driver.SinkOptions{})
	if err != nil {
		t.Fatalf("opening asks: %v", err)
	}
	for range 2 {
		if err := sink.Write(t.Context(), table.Rows{Batch: batchOf(everything{})}); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("the error is %v", err)
		}
	}
	if err := errors.Join(sink.Flush(t.Context()), sink.Close(t.Context())); err != nil {
		t.Errorf("a sink that has begun nothing ends with %v", err)
	}
}

// Rows far greater than usual fill calls to the limit of the service.
func TestASinkOfLargeRowsIsBounded(t *testing.T) {
	s := newPutServer(4)
	s.serve(t)
	s.fault = func(int, []types.PutRecordsRequestEntry) putFault { return putFault{hangs: true} }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sink, err := Open(ctx, "kinesis://rows", everythings, driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const size, offered = 200 << 10, 500
	row := make([]byte, size)
	for i := range row {
		row[i] = 'a' + byte(rand.N(26))
	}
	var taken atomic.Int64
	done := make(chan error, 1)
	peak := testenv.PeakHeap(t, func() {
		go func() {
			var err error
			for i := 0; i < offered && err == nil; i++ {
				text := fmt.Sprint(i, string(row))
				err = sink.Write(ctx, table.Rows{Batch: batchOf(everything{ID: table.ID{byte(i), byte(i >> 8)}, Text: &text})})
				taken.Add(1)
			}
			done <- err
		}()
		for last, same := int64(-1), 0; same < 100; time.Sleep(10 * time.Millisecond) { // until it stands
			now := taken.Load()
			if same++; now != last {
				last, same = now, 0
			}
		}
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	t.Logf("%d rows of %d KiB are taken, and the heap has %d MiB more at its peak", taken.Load(), size>>10, peak>>20)
	// The server of the test holds what it was sent, too.
	if n := taken.Load(); n < 40 || n == offered || peak > 77<<20 { // 64 MiB, of which PeakHeap sees a fifth more
		t.Errorf("%d rows are taken, and the heap has %d MiB more", n, peak>>20)
	}
}
