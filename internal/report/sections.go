package report

import "context"

// A section is one part of the page. Its markup is the block of its ID in
// templates; a section that draws gives its chart functions in assets/js the
// value of chart as JSON.
type section struct {
	ID    string
	Title string
	Nav   string // shorter title for the list of sections; Title when empty
	Half  bool   // takes half of a wide screen

	shown   func(*Data) bool                           // whether the page has it; always when nil
	collect func(context.Context, Source, *Data) error // reads the section's own outputs
	watch   func(*Data) watcher                        // sees every event of the one pass over events
	data    func(*Data) any                            // what the template shows
	chart   func(*Data) any                            // what the charts draw; nil without one
}

// sections is the page from top to bottom. Collecting follows the same order,
// after traffic, whose time range the others use, and the pass over events.
var sections = []section{
	shopSection,
	devicesSection,
	loginsSection,
	trafficSection,
	alertsSection,
	anomaliesSection,
	statusSection,
	pagesSection,
	visitorsSection,
	hoursSection,
	sessionsSection,
	funnelsSection,
	channelsSection,
	clientsSection,
	botsSection,
	referrersSection,
	sizesSection,
	securitySection,
	sourcesSection,
	badRowsSection,
	ledgerSection,
}
