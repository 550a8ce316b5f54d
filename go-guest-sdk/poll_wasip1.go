//go:build wasip1

package undergo

import "runtime"

// turns is how often a poll lets the other goroutines run: a few times, so that
// a value can pass along a short chain of them.
const turns = 4

//go:wasmexport undergo_poll
func poll() {
	for range turns {
		runtime.Gosched()
	}
}
