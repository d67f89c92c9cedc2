package rest

import "strings"

// goCause is what a function of a Go worker failed with. Beam's text about it is
// long (the whole plan of the bundle, a line for each node) and has the cause at
// its end, behind the line that names the function:
//
//	DoFn[UID:26, PID:e3, Name: millrace/io/endpoint.streamFn] failed:
//	describe kinesis://access-logs: no AWS credentials were found
//
// A text without such a line is given back as it is.
func goCause(text string) string {
	if !strings.Contains(text, "SDK harness") && !strings.Contains(text, "DoFn[") {
		return text
	}
	if at := strings.LastIndex(text, "] failed:\n"); at >= 0 {
		if cause := strings.TrimSpace(text[at+len("] failed:\n"):]); cause != "" {
			return cause
		}
	}
	if at := strings.LastIndex(text, "\tcaused by:\n"); at >= 0 {
		if cause := strings.TrimSpace(text[at+len("\tcaused by:\n"):]); cause != "" {
			return cause
		}
	}
	return text
}
