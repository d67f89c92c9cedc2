package driver

import "context"

type retriesKey struct{}

// WithRetries has tell called for each call to a service below ctx that failed and is
// made again, with what it failed with. It may be called from several goroutines.
func WithRetries(ctx context.Context, tell func(err error)) context.Context {
	return context.WithValue(ctx, retriesKey{}, tell)
}

// Retried tells whoever wants to know that a call is made again.
func Retried(ctx context.Context, err error) {
	if tell, ok := ctx.Value(retriesKey{}).(func(error)); ok {
		tell(err)
	}
}
