package lakequery

import (
	"context"
	"sync"

	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

// Ask answers questions over all events of the days that were opened.
func (e *Events) Ask(ctx context.Context, list []funnels.Question) ([]funnels.Answer, error) {
	q, err := funnels.CompileQuestions(list, weblog.Events, funnels.Options{})
	if err != nil {
		return nil, err
	}
	all := q.NewAnswers()
	err = e.visitors(ctx, q.Set(), func(evaluator *funnels.Evaluator, mu *sync.Mutex) error {
		of := q.NewAnswers()
		if err := q.Answer(evaluator, of); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		funnels.MergeAnswers(all, of)
		return nil
	})
	return all, err
}
