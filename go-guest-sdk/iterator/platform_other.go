//go:build go1.24 && !wasip1

package iterator

import "sync"

// lock is held while the state of a producer is looked at or changed.
type lock struct{ sync.Mutex }

// A turn is the place of a call of the host, which there are none of here.
type turn struct{}

func now() turn { return turn{} }

// Await has nothing to wait for.
func (turn) Await() {}
