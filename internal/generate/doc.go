// Package generate simulates a web-server farm: it writes access logs as Apache
// would, and beside them the truth that a correct analysis of those logs finds.
//
// One seed and one configuration give the same bytes on every machine. Nothing
// depends on the clock, on the order of a map, on the number of cores, or on
// floating-point functions whose last bit differs between processors: random
// numbers come from PCG, distributions from integer tables, and the time of the
// first line is a setting.
//
// # The simulation
//
// The farm lives in ticks of one second, the resolution of the log. A budget of
// lines, shaped by the hour of the day, is spent on visits: people who enter by a
// search engine or a campaign, look at pages whose popularity follows Zipf, load
// their assets, fill a cart and perhaps pay; crawlers, monitors; attackers. Each
// visit waits in a timing wheel for its next second, so a line costs the same
// whether ten visits are open or a million. Memory grows with the number of
// visitors and of open visits, not with the number of lines.
//
// A line is finished when its request is made and then waits up to the disorder
// bound before it is written, as a server writes a line when the response ends.
//
// # The truth
//
// Counts, sessions, incidents, attacks and planted personal data are recorded
// from what was emitted, by logic of its own that shares nothing with the code
// under test: it may look at the simulation's numbering of visitors and at the
// true order of events, which no reader of the log can.
package generate
