//go:build go1.24 && !wasip1

package iterator

import "sync"

// lock is held while the state of a producer is looked at or changed.
type lock struct{ sync.Mutex }
