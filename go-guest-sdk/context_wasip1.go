//go:build wasip1 && go1.24

package undergo

import (
	"context"
	"time"
)

// Context is the context of the running call: it has the call's deadline, and
// ends when the call does.
func Context() (context.Context, context.CancelFunc) {
	left := deadline()
	if left < 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithDeadline(context.Background(), time.Now().Add(time.Duration(left)))
}
