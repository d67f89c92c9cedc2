// Package prism stands for a Beam runner.
package prism
