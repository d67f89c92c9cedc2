package driver

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

// metrics are figures as a runner gives them.
func metrics(figures map[string]int64) map[string]int64 {
	named := map[string]int64{"ledger_in": 7, FiguresNamespace + "_": 1, FiguresNamespace + "_upto": 1, "": 3}
	for name, value := range figures {
		named[FiguresNamespace+"_"+strings.ReplaceAll(name, ".", "_")] = value
	}
	return named
}

func TestFiguresOfShardsComeBack(t *testing.T) {
	const zero, one, two, three = "shardId-000000000000", "shardId-000000000001", "shardId-000000000002", "shard_of.another-kind"
	got := ReadFigures(maps.All(metrics(map[string]int64{
		FigureName(zero, FigureUpto): 1000, FigureName(zero, FigureAge): 1500, FigureName(zero, FigureWatermark): 900,
		FigureName(zero, FigureFault+"InternalFailure"): 0,
		FigureName(one, FigureUpto):                     2000, FigureName(one, FigureFault+"AccessDenied"): 1990, FigureName(one, FigureFault+"Throttled"): 0,
		FigureName(two, FigureUpto): -1, FigureName(two, FigureAge): 5,
		FigureName(three, FigureUpto): 3000, FigureName(three, "later"): 5,
	})))
	want := []ShardStatus{
		{Shard: zero, Upto: 1000, Behind: 1500 * time.Millisecond, Watermark: 900},
		{Shard: one, Upto: 2000, FaultCode: "AccessDenied", Since: 1990},
		{Shard: "shard_of_another-kind", Upto: 3000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shards (-want +got):\n%s", diff)
	}
}

func TestAFaultIsOneWordThatIsPartOfAName(t *testing.T) {
	for want, c := range map[string]struct {
		code string
		err  error
	}{
		"InternalFailure": {"InternalFailure", &Error{Class: ErrUnavailable}},
		"Permission":      {"", fmt.Errorf("reading: %w", &Error{Class: ErrPermission})},
		"Throttled":       {"com.amazon#Slow", &Error{Class: ErrThrottled}}, // no word
		"NotFound":        {strings.Repeat("x", 65), &Error{Class: ErrNotFound}},
		"Unavailable":     {"", errors.New("connection refused by 10.0.0.7")},
	} {
		if got := FaultCode(c.code, c.err); got != want {
			t.Errorf("%q, %v is %s, want %s", c.code, c.err, got, want)
		}
	}
}

func FuzzReadFigures(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("shard_shardId-000000000000_upto", int64(5))
	f.Add("shard_shardId-000000000000_fault-Throttled", int64(5))
	f.Add("shard__", int64(-1))
	f.Fuzz(func(t *testing.T, name string, value int64) {
		for _, s := range ReadFigures(maps.All(map[string]int64{name: value})) {
			if s.Shard == "" || s.Upto < 0 || s.Since < 0 || !strings.HasPrefix(name, FiguresNamespace+"_"+s.Shard) {
				t.Errorf("%q, %d is read as %+v", name, value, s)
			}
		}
	})
}

func TestRetriesAreTold(t *testing.T) {
	var told []error
	ctx := WithRetries(t.Context(), func(err error) { told = append(told, err) })
	Retried(ctx, ErrThrottled)
	Retried(t.Context(), ErrUnavailable) // nobody listens
	if len(told) != 1 || !errors.Is(told[0], ErrThrottled) {
		t.Errorf("told %v", told)
	}
}
