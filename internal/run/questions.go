package run

import (
	"errors"
	"slices"

	"millrace/transforms/funnels"
)

// ReadQuestions reads a YAML file of what is asked of a lake: funnels, as in ReadFunnels,
// and beside them, under keys of their own, the questions that only a lake is asked.
func ReadQuestions(content []byte, name string) ([]funnels.Definition, []funnels.Question, error) {
	lists, faults, err := funnelsFile(append([]string{funnelsKey}, funnels.Kinds...)...).lists(content, name)
	if err != nil {
		return nil, nil, &UsageError{err}
	}
	var defs []funnels.Definition
	questions := map[string][]funnels.Question{}
	for _, l := range lists {
		var err error
		if l.key == funnelsKey {
			defs, err = funnels.Decode(l.items, name)
		} else {
			questions[l.key], err = funnels.DecodeQuestions(l.key, l.items, name)
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, nil, &UsageError{err}
	}
	var inOrder []funnels.Question
	for _, kind := range funnels.Kinds {
		inOrder = append(inOrder, questions[kind]...)
	}
	return defs, inOrder, nil
}

func isQuestion(key string) bool { return slices.Contains(funnels.Kinds, key) }

// notOfARun says of a question that a run was given why it is of no use there.
func notOfARun(key string) string {
	return "key " + key + " is asked of a lake that is there, and a run makes nothing of it; put it into a file of its own, for millrace funnels --lake LAKE --funnels FILE"
}
