package enrich

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Geo is a database of networks in the MaxMind DB format: countries, cities,
// networks' owners, or several of them. Safe for concurrent use.
type Geo struct {
	reader  *maxminddb.Reader
	version string
}

// Place is what a database tells of an address; what it does not is empty.
type Place struct {
	Country   string  // client.geo.country_iso_code
	Name      string  // client.geo.country_name, in English
	Continent string  // client.geo.continent_code
	Region    string  // client.geo.region_iso_code: country and subdivision
	City      string  // client.geo.city_name, in English
	Zone      string  // client.geo.timezone
	Latitude  float64 // of the middle of a wide area; client.geo.location
	Longitude float64
	Located   bool   // whether there are coordinates
	ASN       uint32 // client.as.number; 0 unknown
	Owner     string // client.as.organization.name
	Anonymous bool   // VPN, proxy, Tor exit or hosting
}

// maxGeo bounds a database in memory; the largest public ones have 120 MB.
const maxGeo = 1 << 30

// ParseGeo makes a database of a file's content, which it keeps: do not change
// it. A file that is none, or is cut short, is an error.
func ParseGeo(content []byte) (*Geo, error) {
	if len(content) > maxGeo {
		return nil, fmt.Errorf("reading a network database: %d bytes, and %d are possible", len(content), maxGeo)
	}
	g := &Geo{version: version(content)}
	err := guard(func() (err error) {
		g.reader, err = maxminddb.OpenBytes(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a network database: %w", err)
	}
	return g, nil
}

// Version identifies the content.
func (g *Geo) Version() string { return g.version }

// Type is what the database calls itself, for example GeoLite2-City.
func (g *Geo) Type() string { return g.reader.Metadata.DatabaseType }

// record is the union of the databases' records.
type record struct {
	Continent struct {
		Code string `maxminddb:"code"`
	} `maxminddb:"continent"`
	Country struct {
		Code  string            `maxminddb:"iso_code"`
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"country"`
	Registered struct {
		Code  string            `maxminddb:"iso_code"`
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"registered_country"`
	Subdivisions []struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
		Zone      string   `maxminddb:"time_zone"`
	} `maxminddb:"location"`
	ASN       uint32 `maxminddb:"autonomous_system_number"`
	Owner     string `maxminddb:"autonomous_system_organization"`
	Anonymous bool   `maxminddb:"is_anonymous"`
}

// Lookup returns what the database tells of an address, and whether it knows it.
// An entry that is broken is an error: which address it was is not in it.
func (g *Geo) Lookup(addr netip.Addr) (p Place, ok bool, err error) {
	at, ok, err := g.find(addr)
	if !ok || err != nil {
		return Place{}, false, err
	}
	p, err = g.read(at)
	return p, err == nil, err
}

// find returns where the record of an address stands, if there is one.
func (g *Geo) find(addr netip.Addr) (at uintptr, ok bool, err error) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || addr.Is6() && g.reader.Metadata.IPVersion == 4 {
		return 0, false, nil
	}
	err = guard(func() error {
		result := g.reader.Lookup(addr)
		if result.Err() != nil {
			return errors.New("its search tree is damaged") // the cause names the address
		}
		at, ok = result.Offset(), result.Found()
		return nil
	})
	return at, ok, g.looking(err)
}

// read reads the record that stands there.
func (g *Geo) read(at uintptr) (Place, error) {
	var r record
	if err := guard(func() error { return g.reader.LookupOffset(at).Decode(&r) }); err != nil {
		return Place{}, g.looking(err)
	}
	return placeOf(&r), nil
}

func (g *Geo) looking(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("looking an address up in the network database %s (version %s): %w", g.Type(), g.version, err)
}

func placeOf(r *record) Place {
	p := Place{
		Country: r.Country.Code, Name: r.Country.Names["en"], Continent: r.Continent.Code, City: r.City.Names["en"], Zone: r.Location.Zone,
		ASN: r.ASN, Owner: r.Owner, Anonymous: r.Anonymous,
	}
	if p.Country == "" { // an address without a place of its own has that of its owner
		p.Country, p.Name = r.Registered.Code, r.Registered.Names["en"]
	}
	if len(r.Subdivisions) > 0 && r.Subdivisions[0].Code != "" {
		p.Region = p.Country + "-" + r.Subdivisions[0].Code
	}
	if r.Location.Latitude != nil && r.Location.Longitude != nil {
		p.Latitude, p.Longitude, p.Located = *r.Location.Latitude, *r.Location.Longitude, true
	}
	return p
}

// guard turns a panic over damaged data into an error.
func guard(read func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the data is damaged: %v", r)
		}
	}()
	return read()
}
