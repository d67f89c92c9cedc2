package rest

import (
	"strings"
	"unicode/utf8"
)

// longestCause is what RootCause cuts to, in bytes: a few lines of a terminal.
const longestCause = 1000

// RootCause is the innermost cause of a Java stack trace, without the frames:
// what went wrong rather than who noticed. The text of a Go worker's error that
// Beam wraps is kept. It is cut to 1,000 bytes.
func RootCause(trace string) string {
	trace = strings.TrimPrefix(strings.TrimSpace(trace), "<Exception on server side:") // what REST answers wrap it in
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	start := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "Caused by: ") {
			start = i
		}
	}
	var cause []string
	for _, line := range lines[start:] {
		line = strings.TrimRight(line, "\r")
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "at ") && strings.HasSuffix(trimmed, ")") || strings.HasPrefix(trimmed, "... ") ||
			strings.HasPrefix(trimmed, "End of exception on server side") || strings.HasPrefix(trimmed, "Suppressed: ") {
			break
		}
		cause = append(cause, line)
	}
	text := strings.TrimSpace(strings.TrimPrefix(strings.Join(cause, "\n"), "Caused by: "))
	return cut(goCause(text), longestCause)
}

// cut shortens text to at most limit bytes, at a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = " ..."
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
