// Package jobs keeps every rule.
package jobs
