//go:build wasip1 && go1.24

package undergo

import (
	"runtime"
	"time"
)

// turns is how often a poll lets the other goroutines run: a few times, so that
// a value can pass along a short chain of them.
const turns = 4

// glance is how long a poll rests. The runtime looks for connections that are
// ready and the like only when no goroutine can run, so not while this one yields.
// A shorter rest would be over before it looks.
const glance = 20 * time.Microsecond

//go:wasmexport undergo_poll
func poll() {
	turn := Now()
	time.Sleep(glance)
	Settle()
	for range turns {
		runtime.Gosched()
	}
	turn.Await()
}
