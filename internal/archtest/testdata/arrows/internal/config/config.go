// Package config is plumbing that keeps every rule.
package config
