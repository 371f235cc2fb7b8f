package worker

import "context"

// Func is the work of one goroutine. It returns when it is done, or soon after
// ctx has ended.
type Func func(ctx context.Context) error
