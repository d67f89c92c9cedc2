// Package driver is what a system has to offer.
package driver
