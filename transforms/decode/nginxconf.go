package decode

import (
	"fmt"
	"strings"
)

// directive is a log_format of a configuration.
type directive struct {
	name string
	line int
	json bool // escape=json
	text string
}

// findLogFormat gives the text of a log_format in the configuration of nginx: the
// named one, or the only one. A file without a log_format is that text itself, in
// one line.
func findLogFormat(file, content, name string) (string, error) {
	all, err := logFormats(file, content)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		text := strings.TrimSpace(content)
		if name != "" || text == "" || strings.Contains(text, "\n") {
			return "", fmt.Errorf("%s: it has no log_format, and is not the text of one in one line", file)
		}
		return text, nil
	}
	var names []string
	for _, d := range all {
		names = append(names, d.name)
		if d.name != name && (name != "" || len(all) > 1) {
			continue
		}
		if d.json {
			return "", fmt.Errorf("%s:%d: log_format %s writes JSON (escape=json): give format json with a mapping", file, d.line, d.name)
		}
		return d.text, nil
	}
	if name != "" {
		return "", fmt.Errorf("%s: no log_format %s; there are %s", file, name, strings.Join(names, ", "))
	}
	return "", fmt.Errorf("%s: there are log_formats %s; name one: nginx@%s#%s", file, strings.Join(names, ", "), file, names[0])
}

// logFormats finds the log_format directives of a configuration.
func logFormats(file, content string) (all []directive, err error) {
	words := confWords{rest: content, line: 1}
	for {
		word, quoted, ok := words.next()
		if !ok {
			return all, nil
		}
		if quoted || word != "log_format" {
			continue
		}
		d := directive{line: words.line}
		if d.name, quoted, ok = words.next(); !ok || !quoted && d.name == ";" {
			return nil, fmt.Errorf("%s:%d: log_format has no name", file, d.line)
		}
		for {
			if word, quoted, ok = words.next(); !ok {
				return nil, fmt.Errorf("%s:%d: log_format %s never ends; a semicolon is missing, or a quote", file, d.line, d.name)
			}
			if !quoted && word == ";" {
				break
			}
			if !quoted && strings.HasPrefix(word, "escape=") {
				d.json = word == "escape=json"
				continue
			}
			d.text += word
		}
		if strings.ContainsAny(d.text, "\r\n") {
			return nil, fmt.Errorf("%s:%d: log_format %s holds a line end: a record of it would be several lines", file, d.line, d.name)
		}
		all = append(all, d)
	}
}

// confWords walks the words of a configuration, comments left out. Braces and
// semicolons are words of their own.
type confWords struct {
	rest string
	line int
}

func (w *confWords) next() (word string, quoted, ok bool) {
	for w.rest != "" {
		switch c := w.rest[0]; {
		case c == '\n':
			w.line++
			w.rest = w.rest[1:]
		case c == ' ' || c == '\t' || c == '\r':
			w.rest = w.rest[1:]
		case c == '#':
			end := strings.IndexByte(w.rest, '\n')
			if end < 0 {
				end = len(w.rest)
			}
			w.rest = w.rest[end:]
		case c == ';' || c == '{' || c == '}':
			w.rest = w.rest[1:]
			return string(c), false, true
		case c == '"' || c == '\'':
			word, ok = w.quoted(c)
			return word, true, ok
		default:
			end := strings.IndexAny(w.rest, " \t\r\n;{}")
			if end > 0 && w.rest[end-1] == '$' && w.rest[end] == '{' { // ${name}
				if closing := strings.IndexByte(w.rest[end:], '}'); closing >= 0 {
					end += closing + 1
				}
			}
			if end < 0 {
				end = len(w.rest)
			}
			word, w.rest = w.rest[:end], w.rest[end:]
			return word, false, true
		}
	}
	return "", false, false
}

// quoted reads a word in quotes, with its escapes undone; false when it never
// ends.
func (w *confWords) quoted(quote byte) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(w.rest); i++ {
		c := w.rest[i]
		switch {
		case c == quote:
			w.rest = w.rest[i+1:]
			return b.String(), true
		case c == '\n':
			w.line++
		case c == '\\' && i+1 < len(w.rest):
			const escapes, mean = `"'\tnr`, "\"'\\\t\n\r"
			if k := strings.IndexByte(escapes, w.rest[i+1]); k >= 0 {
				i++
				c = mean[k]
			}
		}
		b.WriteByte(c)
	}
	w.rest = ""
	return "", false
}
