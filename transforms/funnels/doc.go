// Package funnels follows users through steps.
package funnels
