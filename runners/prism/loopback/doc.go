// Package loopback takes a server of this process off the network when the code
// that opened it has no setting for where it listens.
package loopback
