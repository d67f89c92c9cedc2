// Package influxdb2 stands for a client that benchmarks compare with.
package influxdb2
