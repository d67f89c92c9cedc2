// Package beamx stands for Beam's choice of a runner.
package beamx
