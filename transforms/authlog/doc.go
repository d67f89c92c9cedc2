// Package authlog turns lines of logs of authentication (auth.log, secure) into masked
// events, and counts what clients do that can be part of an attack. It is the only
// place of the authlogs job where unmasked data exists. Plain Go.
//
// What it produces is a function of the lines, their origins and when their records
// arrived alone, not of how they were cut into blocks or spread over workers.
package authlog
