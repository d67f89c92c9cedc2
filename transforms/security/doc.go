// Package security recognises what attackers do in logs of access and of
// authentication, line by line, and counts it per source and minute. What counts
// how often as an attack is said by the rules of alerts in alerts.yaml, over these
// counts; what a line can be is said by patterns.txt. Both are data.
//
// A target is looked at as it came, decoded once and decoded twice, in lower case,
// with '+' as a space and comments of SQL removed: %2527%2520or is ' or.
//
// A source is a token of the full address, never of its truncation. Counts of one
// source and minute add up, in any order, and equal counts give equal bytes.
package security
