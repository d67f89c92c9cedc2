// Package nab runs the anomaly detector over a corpus like the Numenta Anomaly
// Benchmark and scores it by the benchmark's rules (Lavin and Ahmad, "Evaluating
// real-time anomaly detection algorithms", 2015, arXiv:1510.03336): a window is
// found by its earliest detection, which is worth the more the earlier it is;
// each detection outside of windows costs; the first 15 % of a file, 750 rows at
// most, are not judged; one threshold serves all files and is chosen on them.
package nab
