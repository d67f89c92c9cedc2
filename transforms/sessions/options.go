package sessions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"millrace/transforms/internal/wire"
)

// Options say where sessions are cut. The zero value is the default.
type Options struct {
	Gap             time.Duration // a pause this long cuts; 30m when zero, at most 24h, whole milliseconds
	MaxDuration     time.Duration // an event this long after the session's first cuts; off when zero
	DayCutZone      string        // IANA name ("Europe/Berlin", "UTC") of the zone at whose midnight sessions are cut; off when empty
	CampaignCut     bool          // an event whose campaign differs from the session's latest cuts
	NoMidnightBound bool          // lets a visitor who never rests keep one session for ever
	MaxEvents       int           // events of a chain that are examined one by one; 50,000 when zero
	Attribution     bool          // sessions tell where they came from, by Event.Touch
	Index           bool          // sessions are counted, by visitor and UTC day, and name the one before. Live, a visitor is remembered until the day ends
	Settled         bool          // live, a session is provisional from when the watermark has passed its start, so that none is ever withdrawn
}

const (
	defaultGap       = 30 * time.Minute
	defaultMaxEvents = 50_000
	dayMs            = 24 * 60 * 60 * 1000
)

// Validate reports everything that is wrong.
func (o Options) Validate() error {
	_, err := o.rules()
	return err
}

// rules are checked options, in milliseconds.
type rules struct {
	gap, maxDuration int64
	maxEvents        int
	campaign, bound  bool
	attribution      bool
	index            bool
	settled          bool
	calendar         calendar
	head             []byte // begins every encoded form: what fragments depend on
	shape            int    // where in it that begins on which merging depends
}

// detail tells whether fragments must carry single events.
func (r *rules) detail() bool { return r.maxDuration > 0 || r.campaign }

func (o Options) rules() (*rules, error) {
	if o.Gap == 0 {
		o.Gap = defaultGap
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = defaultMaxEvents
	}
	var zone *time.Location
	var errs []error
	if o.Gap < 0 || o.Gap > 24*time.Hour || o.Gap%time.Millisecond != 0 {
		errs = append(errs, fmt.Errorf("session gap %v: want whole milliseconds, at most 24h", o.Gap))
	}
	if o.MaxDuration < 0 || o.MaxDuration%time.Millisecond != 0 {
		errs = append(errs, fmt.Errorf("maximal session duration %v: want whole milliseconds, or 0 for none", o.MaxDuration))
	}
	if o.MaxEvents < 0 {
		errs = append(errs, fmt.Errorf("events of a chain examined one by one: %d is negative", o.MaxEvents))
	}
	if o.DayCutZone != "" {
		var err error
		if zone, err = loadZone(o.DayCutZone); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	r := &rules{
		gap:         o.Gap.Milliseconds(),
		maxDuration: o.MaxDuration.Milliseconds(),
		maxEvents:   o.MaxEvents,
		campaign:    o.CampaignCut,
		bound:       !o.NoMidnightBound,
		attribution: o.Attribution,
		index:       o.Index,
		settled:     o.Settled,
		calendar:    calendar{zone: zone},
	}
	r.head = r.appendHead(nil, o.DayCutZone)
	return r, nil
}

// loadZone refuses "Local": what it means depends on the machine.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New(`day-cut zone "Local" depends on the machine: name a zone such as Europe/Berlin`)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("day-cut zone %q: %w", name, err)
	}
	return zone, nil
}

// The first byte of fragments and state is a version. The second version has one
// more byte in its head, which tells what fragments and state hold beyond the
// first; without any of it the first version is written. Both are read whatever
// the options: what is not there is empty, what is not wanted passed over.
const (
	encodingVersion         = 1
	encodingVersionFeatures = 2
)

// The features of the second version.
const (
	featureAttribution = 1 << iota // summaries and points have touches
	featureIndex                   // state has the session sealed last
	allFeatures        = 1<<iota - 1
)

func (r *rules) features() byte {
	return bit(r.attribution, featureAttribution) | bit(r.index, featureIndex)
}

func (r *rules) appendHead(dst []byte, zone string) []byte {
	if f := r.features(); f == 0 {
		dst = append(dst, encodingVersion)
	} else {
		dst = append(dst, encodingVersionFeatures, f)
	}
	r.shape = len(dst)
	dst = binary.AppendUvarint(dst, uint64(r.gap))
	limit := uint64(0)
	if r.detail() {
		limit = uint64(r.maxEvents)
	}
	dst = binary.AppendUvarint(dst, limit)
	return wire.AppendText(dst, zone)
}

// checkHead reads what appendHead wrote and refuses other rules than r's:
// fragments made by them do not merge exactly.
func (r *rules) checkHead(in *wire.Reader) (features byte) {
	switch v := in.Byte(); v {
	case encodingVersion:
	case encodingVersionFeatures:
		if features = in.Byte(); features == 0 || features > allFeatures {
			in.Fail("features %#x", features)
			return 0
		}
	default:
		in.Fail("version %d, this program reads %d and %d", v, encodingVersion, encodingVersionFeatures)
		return 0
	}
	gap, limit, zone := in.Uvarint(), in.Uvarint(), in.Text()
	own := wire.NewReader(r.head[r.shape:])
	ownGap, ownLimit, ownZone := own.Uvarint(), own.Uvarint(), own.Text()
	if in.Err() == nil && (gap != ownGap || limit != ownLimit || string(zone) != string(ownZone)) {
		in.Fail("made with gap %d ms, %d events in detail, zone %q; these options have %d ms, %d, %q",
			gap, limit, zone, ownGap, ownLimit, ownZone)
	}
	return features
}
