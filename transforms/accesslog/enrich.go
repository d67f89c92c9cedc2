package accesslog

import (
	"fmt"
	"net/netip"
	"strings"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/enrich"
	"millrace/transforms/mask"
	"millrace/transforms/rollup"
)

// References are the tables a worker looks up in. A function gives the table in
// use, or why there is none; it is asked once a block, so that the rows of a block
// are made with one version. nil stands for a table that nobody asked for.
type References struct {
	Agents   func() (*enrich.Agents, error)
	Geo, ASN func() (*enrich.Geo, error)
	Codes    func() (*enrich.Codes, error)
	CodesBy  string         // field by which codes are looked up, one of CodesFields
	Missing  enrich.Missing // what becomes of events when a table is missing or an entry broken
	Bots     string         // version of the list of bots
}

// unknown is what a client is counted under where the tables say nothing.
const unknown = "(unknown)"

// tables are those in use.
type tables struct {
	agents   *enrich.Agents
	geo, asn *enrich.Geo
	codes    *enrich.Codes
}

// lookups is the side of a worker that looks up.
type lookups struct {
	tables
	geoCache, asnCache *enrich.GeoCache
	places             map[placeKey]*location
	nowhere            location
	label              string           // of the tables
	coded              map[string]*text // what codes say, by key
	labels             [4]text          // the same, by broken entries: 1 of geo, 2 of asn
	missing            bool             // under the policy bad_row
}

// told is what reference data tells of a user agent, masked.
type told struct {
	browser, browserVersion, os, osVersion, device, class, reason text
}

// location is what reference data tells of an address. Many addresses share one.
type location struct {
	country, region, city, network text
	asn                            int64
	broken                         int // index of labels
}

// placeKey tells locations apart: by entries of the tables.
type placeKey struct {
	geo, asn *enrich.Place
	broken   int
}

// refer takes up the tables in use. What was said by others is forgotten.
func (w *Worker) refer() error {
	r := w.References
	if r == nil {
		return nil
	}
	var now tables
	var faults []error
	parts := []string{"", "bots=" + r.Bots, "", "", ""} // by name, but for codes
	now.agents = inUse("agents", r.Agents, &parts[0], &faults)
	now.asn = inUse("asn", r.ASN, &parts[2], &faults)
	now.geo = inUse("geo", r.Geo, &parts[3], &faults)
	now.codes = inUse("codes", r.Codes, &parts[4], &faults)
	if len(faults) > 0 && r.Missing != enrich.Flag && r.Missing != enrich.BadRow {
		return faults[0]
	}
	w.look.missing = len(faults) > 0 && r.Missing == enrich.BadRow
	versions := strings.Join(parts, " ")
	if now == w.look.tables && versions == w.look.label {
		return nil
	}
	w.look = lookups{tables: now, label: versions, places: map[placeKey]*location{}, coded: map[string]*text{}, missing: w.look.missing}
	if now.geo != nil {
		w.look.geoCache = enrich.NewGeoCache(now.geo)
	}
	if now.asn != nil {
		w.look.asnCache = enrich.NewGeoCache(now.asn)
	}
	for i := range w.look.labels {
		label := append([]string{}, parts...)
		if i&1 != 0 {
			label[3] = "geo=broken"
		}
		if i&2 != 0 {
			label[2] = "asn=broken"
		}
		w.look.labels[i].masked = []byte(strings.Join(strings.Fields(strings.Join(label, " ")), " "))
	}
	w.Forget()
	return nil
}

// inUse is the table that is in use, its version in label.
func inUse[T interface {
	enrich.Table
	comparable
}](name string, get func() (T, error), label *string, faults *[]error) (none T) {
	if get == nil {
		return none
	}
	t, err := get()
	if err != nil {
		*label = name + "=missing"
		*faults = append(*faults, fmt.Errorf("reference data %s: %w", name, err))
		return none
	}
	*label = name + "=" + t.Version()
	return t
}

// tell says what a user agent tells. The rules see it masked: what they take out of
// it cannot be what masking would have found in the whole.
func (w *Worker) tell(a *agent, reason string) {
	a.reason.masked = []byte(reason)
	if w.look.agents == nil {
		return
	}
	said := w.look.agents.Known(a.masked)
	put := func(t *text, parts ...string) {
		if parts[0] != "" && parts[0] != "Other" {
			t.masked = w.masked(pii.Of([]byte(strings.Join(parts, "."))), mask.UserAgent)
		}
	}
	put(&a.browser, said.Family)
	put(&a.browserVersion, upTo(said.Major, said.Minor, said.Patch)...)
	put(&a.os, said.OS)
	put(&a.osVersion, upTo(said.OSMajor, said.OSMinor, said.OSPatch)...)
	put(&a.device, said.Device)
	a.class.masked = []byte(said.DeviceClass(a.masked))
	if a.note {
		a.class.masked = []byte("bot")
	}
}

// upTo are the parts of a version before the first that is not told.
func upTo(parts ...string) []string {
	for i, p := range parts {
		if p == "" {
			return parts[:max(i, 1)]
		}
	}
	return parts
}

// location says where an address is.
func (w *Worker) location(addr netip.Addr) (*location, error) {
	l := &w.look
	if !addr.IsValid() || l.geoCache == nil && l.asnCache == nil {
		return &l.nowhere, nil
	}
	var key placeKey
	for _, t := range []struct {
		cache *enrich.GeoCache
		place **enrich.Place
		bit   int
	}{{l.geoCache, &key.geo, 1}, {l.asnCache, &key.asn, 2}} {
		if t.cache == nil {
			continue
		}
		p, ok, err := t.cache.Lookup(addr)
		switch {
		case err != nil && w.References.Missing != enrich.Flag:
			return &l.nowhere, err
		case err != nil:
			key.broken |= t.bit
		case ok:
			*t.place = p
		}
	}
	if o, ok := l.places[key]; ok {
		return o, nil
	}
	if len(l.places) >= maxMemo {
		clear(l.places)
	}
	o := &location{broken: key.broken}
	if p := key.geo; p != nil {
		o.country.masked, o.region.masked, o.city.masked = w.word(weblog.EventCountry, p.Country), w.word(weblog.EventRegion, p.Region), w.word(weblog.EventCity, p.City)
		o.asn, o.network.masked = int64(p.ASN), w.word(weblog.EventNetwork, p.Owner)
	}
	if p := key.asn; p != nil && p.ASN != 0 {
		o.asn, o.network.masked = int64(p.ASN), w.word(weblog.EventNetwork, p.Owner)
	}
	if w.policy[weblog.EventNetwork].Set() {
		o.asn = 0 // its number says the same
	}
	l.places[key] = o
	return o, nil
}

// client is what a visitor is counted under; nil where it is nothing at all.
func (w *Worker) client(a *agent, o *location) *rollup.Client {
	c := &rollup.Client{}
	put := func(d rollup.Dimension, asked bool, t text) {
		if asked {
			c[d] = unknown
		}
		if len(t.masked) > 0 {
			c[d] = string(t.masked)
		}
	}
	put(rollup.Country, w.look.geo != nil, o.country)
	put(rollup.Network, w.look.asn != nil, text{masked: []byte(o.name())})
	put(rollup.Browser, w.look.agents != nil, a.browser)
	put(rollup.System, w.look.agents != nil, a.os)
	put(rollup.Device, w.look.agents != nil, a.class)
	put(rollup.BotReason, false, a.reason)
	if *c == (rollup.Client{}) {
		return nil
	}
	if known := w.clients[*c]; known != nil {
		return known
	}
	if len(w.clients) >= maxMemo {
		clear(w.clients)
	}
	w.clients[*c] = c
	return c
}

// name is that of the network, with its number: names are not unique.
func (o *location) name() string {
	if o.asn == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("AS%d %s", o.asn, o.network.masked))
}

// unlooked deals with an event that cannot be looked up and tells whether that is
// all: it becomes a bad row, or ends the run.
func (w *Worker) unlooked(v *visitor, line []byte) bool {
	if w.References.Missing != enrich.BadRow {
		if w.fault == nil {
			w.fault = v.fault
		}
		return false
	}
	w.file(refused{w.place, badrow.Reference, line, int64(len(line))}, w.line.Time)
	return true
}

// putTold appends the columns of reference data.
func (w *Worker) putTold(v *visitor, a *agent) {
	w.putRare(weblog.EventBrowser, &a.browser)
	w.putRare(weblog.EventBrowserVersion, &a.browserVersion)
	w.putRare(weblog.EventOS, &a.os)
	w.putRare(weblog.EventOSVersion, &a.osVersion)
	w.putRare(weblog.EventDevice, &a.device)
	w.putRare(weblog.EventDeviceClass, &a.class)
	w.putRare(weblog.EventBotReason, &a.reason)
	o := v.at
	w.putRare(weblog.EventCountry, &o.country)
	w.putRare(weblog.EventRegion, &o.region)
	w.putRare(weblog.EventCity, &o.city)
	if o.asn != 0 {
		w.events.PadNulls(weblog.EventASN, weblog.EventASN)
		w.events.PutInt(weblog.EventASN, o.asn)
	}
	w.putRare(weblog.EventNetwork, &o.network)
	w.putMemo(weblog.EventEnrichment, &w.look.labels[o.broken])
	w.putCodes()
}
