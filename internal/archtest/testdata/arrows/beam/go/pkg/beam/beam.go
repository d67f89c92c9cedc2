// Package beam stands for the Beam SDK: the rules look at import paths only.
package beam
