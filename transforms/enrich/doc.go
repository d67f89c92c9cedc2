// Package enrich adds to an event what follows from its fields and from
// reference data that is replaceable: lists and tables with a version. It sees
// unmasked text, and none of it leaves by an error or a result.
package enrich
