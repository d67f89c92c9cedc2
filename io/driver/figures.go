package driver

import (
	"cmp"
	"errors"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Figures of a shard, as workers hand them to a runner's metrics, in the namespace
// FiguresNamespace, and status reads them from there. A metric holds a whole number and
// stays until its task ends, so:
//
//   - all but one are points in time, and what is derived from them ages when the
//     worker stands still;
//   - the error that reads fail with is part of a name, and its number since when;
//   - a shard that is not read any more says so, by FigureUpto.
//
// Times are Unix milliseconds; 0 is none.
const (
	FiguresNamespace = "shard"

	FigureUpto      = "upto"      // see ShardStatus; gone when below 0
	FigureAge       = "age"       // ShardStatus.Behind in milliseconds
	FigureWatermark = "watermark" // see ShardStatus
	FigureFault     = "fault-"    // and a FaultCode: ShardStatus.Since, 0 when it is over
)

// FigureName is the name of a figure of a shard.
func FigureName(shard, figure string) string { return shard + "." + figure }

// ReadFigures gathers the figures of shards from metrics, by NAMESPACE_NAME in which
// what was a dot may be an underscore; others are passed over. Shards that are not
// read any more are left out, and so is what a status does not know. It is in the
// order of the shards' names.
func ReadFigures(metrics iter.Seq2[string, int64]) []ShardStatus {
	shards := map[string]*ShardStatus{}
	for name, value := range metrics {
		text, ours := strings.CutPrefix(name, FiguresNamespace+"_")
		end := strings.LastIndexAny(text, "_.")
		if !ours || end <= 0 {
			continue
		}
		shard, figure := text[:end], text[end+1:]
		s := shards[shard]
		if s == nil {
			s = &ShardStatus{Shard: shard}
			shards[shard] = s
		}
		code, fault := strings.CutPrefix(figure, FigureFault)
		switch {
		case figure == FigureUpto:
			s.Upto = value
		case figure == FigureAge:
			s.Behind = time.Duration(value) * time.Millisecond
		case figure == FigureWatermark:
			s.Watermark = value
		case fault && value > s.Since:
			s.FaultCode, s.Since = code, value
		}
	}
	list := []ShardStatus{}
	for _, s := range shards {
		if s.Upto >= 0 {
			list = append(list, *s)
		}
	}
	slices.SortFunc(list, func(a, b ShardStatus) int { return cmp.Compare(a.Shard, b.Shard) })
	return list
}

var plainCode = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// FaultCode names an error in one word: the service's code for it, if it is such a
// word, else its class.
func FaultCode(code string, err error) string {
	if plainCode.MatchString(code) {
		return code
	}
	for _, c := range []struct {
		class error
		word  string
	}{{ErrThrottled, "Throttled"}, {ErrPermission, "Permission"}, {ErrNotFound, "NotFound"}, {ErrInvalid, "Invalid"}, {ErrCorrupt, "Corrupt"}} {
		if errors.Is(err, c.class) {
			return c.word
		}
	}
	return "Unavailable"
}
