package opensearchio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"millrace/io/calls"
)

// answerFilter asks for what the sink looks at, of the answer to a bulk.
const answerFilter = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"

// answerLimit is how many bytes an answer about rows has at most.
func answerLimit(rows int) int64 { return 64<<10 + int64(rows)<<10 }

// outcome is what became of one row of a bulk. Type and Reason are empty where it
// was stored.
type outcome struct {
	Status int
	Error  struct{ Type, Reason string }
}

var (
	storedIndexed = []byte(`{"index":{"status":`)
	storedCreated = []byte(`{"create":{"status":`)
)

// decodeBulk appends the outcomes of a bulk of n rows, in their order. An answer
// that tells of more or fewer is an error.
func decodeBulk(into []outcome, answer []byte, n int) ([]outcome, error) {
	if rest, ok := bytes.CutPrefix(answer, []byte(`{"errors":false,"items":[`)); ok {
		if list, ok := decodeStored(into, rest, n); ok {
			return list, nil
		}
	}
	return decodeAny(into, answer, n)
}

// decodeStored reads the answer that comes when all went well, as OpenSearch writes
// it; it tells when an answer is another.
func decodeStored(into []outcome, rest []byte, n int) ([]outcome, bool) {
	for i := range n {
		if i > 0 {
			if len(rest) == 0 || rest[0] != ',' {
				return nil, false
			}
			rest = rest[1:]
		}
		after, ok := bytes.CutPrefix(rest, storedIndexed)
		if !ok {
			if after, ok = bytes.CutPrefix(rest, storedCreated); !ok {
				return nil, false
			}
		}
		if len(after) < 5 || after[0] != '2' || after[1] != '0' || after[2] < '0' || after[2] > '9' || after[3] != '}' || after[4] != '}' {
			return nil, false
		}
		into = append(into, outcome{Status: 200 + int(after[2]-'0')})
		rest = after[5:]
	}
	return into, string(rest) == "]}"
}

func decodeAny(into []outcome, answer []byte, n int) ([]outcome, error) {
	d := json.NewDecoder(bytes.NewReader(answer))
	if err := expect(d, json.Delim('{')); err != nil {
		return nil, err
	}
	seen := 0
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no answer to a bulk: %w", err)
		}
		if name != "items" {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return nil, fmt.Errorf("no answer to a bulk: %w", err)
			}
			continue
		}
		if err := expect(d, json.Delim('[')); err != nil {
			return nil, err
		}
		for ; d.More(); seen++ {
			if seen == n {
				return nil, fmt.Errorf("the answer tells of more than the %d rows sent", n)
			}
			o, err := decodeItem(d)
			if err != nil {
				return nil, err
			}
			into = append(into, o)
		}
		if err := expect(d, json.Delim(']')); err != nil {
			return nil, err
		}
	}
	if err := expect(d, json.Delim('}')); err != nil {
		return nil, err
	}
	if seen != n {
		return nil, fmt.Errorf("the answer tells of %d of %d rows sent", seen, n)
	}
	return into, nil
}

func expect(d *json.Decoder, want json.Delim) error {
	switch got, err := d.Token(); {
	case err != nil:
		return fmt.Errorf("no answer to a bulk: %w", err)
	case got != want:
		return fmt.Errorf("no answer to a bulk: %v where %v is to be", got, want)
	}
	return nil
}

func decodeItem(d *json.Decoder) (outcome, error) {
	var item struct{ Index, Create *outcome }
	if err := d.Decode(&item); err != nil {
		return outcome{}, fmt.Errorf("no answer to a bulk: %w", err)
	}
	o := item.Index
	if o == nil {
		o = item.Create
	}
	if o == nil || o.Status < 200 || o.Status > 599 {
		return outcome{}, errors.New("no answer to a bulk: an item without a status")
	}
	return *o, nil
}

// decodeError reads the error of an answer that is none to a bulk; texts that are
// no such error give a short piece of themselves.
func decodeError(answer []byte) (kind, reason string) {
	var failed struct {
		Error struct{ Type, Reason string }
	}
	if json.Unmarshal(answer, &failed) == nil && failed.Error.Type != "" {
		return failed.Error.Type, calls.Short([]byte(failed.Error.Reason))
	}
	var told struct{ Message string } // a managed domain's
	if json.Unmarshal(answer, &told) == nil && told.Message != "" {
		return "", calls.Short([]byte(told.Message))
	}
	return "", calls.Short(bytes.TrimSpace(answer))
}
