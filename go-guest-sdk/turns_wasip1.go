//go:build wasip1 && go1.24

package undergo

// WebAssembly returns from calls in the reverse order of their beginning, and
// goroutines don't. One that the host has called may become ready to return while
// another one's call of the host is under way; if a call of the host within that then
// waits, the first one runs, and must not return yet: Go's runtime would take its
// return for that of the inner call, with its result if both are of the same function,
// and with a trap otherwise.

// depth is how many calls of the host are under way.
var depth int

// A Turn is the place of the running call among those around it.
type Turn int

// Now is the turn of the call that has just begun.
func Now() Turn { return Turn(depth) }

// Await waits until the calls of the host that have begun since have returned. An
// export does so when nothing is left to do that may let other goroutines run.
func (t Turn) Await() {
	// Each export does this much, in its own code.
	if depth > int(t) {
		t.await()
	}
}

//go:noinline
func (t Turn) await() {
	for depth > int(t) {
		o := &outside{turn: int(t), ready: make(chan struct{}, 1), next: outer}
		outer = o
		<-o.ready
	}
}

// An outside call waits for the ones within it.
type outside struct {
	turn  int
	ready chan struct{}
	next  *outside
}

// outer are those that wait, in any order.
var outer *outside

// wakeOuter wakes who waits for no more calls than are under way.
func wakeOuter() {
	for at := &outer; *at != nil; {
		o := *at
		if depth > o.turn {
			at = &o.next
			continue
		}
		*at = o.next
		o.ready <- struct{}{}
	}
}
