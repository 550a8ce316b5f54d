//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"runtime"
	"time"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:io/poll@0.2.0 [method]pollable.ready
func pollableReady(self uint32) uint32

//go:wasmimport wasi:io/poll@0.2.0 [resource-drop]pollable
func dropPollable(self uint32)

//go:wasmimport wasi:io/poll@0.2.0 poll
func pollList(handles unsafe.Pointer, n uint32, ret unsafe.Pointer)

//go:wasmimport wasi:clocks/monotonic-clock@0.2.0 subscribe-duration
func subscribeDuration(nanoseconds uint64) uint32

// A pollable is what can be waited for.
//
// Go's scheduler knows nothing of pollables, and a wait in the host stops all goroutines. So one
// goroutine waits for all: it lets the others run first, and waits in the host for a while at a
// time, in between which it lets them run again. A goroutine that sleeps wakes late by that time
// at most.
type pollable uint32

// A waiter is a goroutine that waits for a pollable.
type waiter struct {
	pollable pollable
	ended    chan struct{}
	fired    bool // it is ready
	gone     bool // it is dropped
}

var (
	waiters []*waiter
	polling bool
	// polled are the handles of the waiters, and that of a timer.
	polled []uint32
)

const (
	shortest = time.Millisecond
	longest  = 16 * time.Millisecond
	// busy is more time than it takes to find out that no other goroutine can run.
	busy = 50 * time.Microsecond
)

// wait waits until p is ready, and says whether it is: done has ended otherwise, or p was
// dropped.
func (p pollable) wait(done <-chan struct{}) bool {
	if pollableReady(uint32(p)) != 0 {
		return true
	}
	w := &waiter{pollable: p, ended: make(chan struct{})}
	waiters = append(waiters, w)
	if !polling {
		polling = true
		go pollAll()
	}
	select {
	case <-w.ended:
	case <-done:
		remove(func(other *waiter) bool { return other == w })
	}
	return w.fired
}

// rest comes before what is tried for the nth time, since what was waited for was ready too early:
// some hosts say so of all streams. The other goroutines run meanwhile.
func rest(n int) {
	const often = 8
	switch {
	case n > often:
		time.Sleep(shortest)
	case n > 0:
		runtime.Gosched()
	}
}

// drop ends p, and who waits for it.
func (p pollable) drop() {
	remove(func(w *waiter) bool {
		w.gone = w.gone || w.pollable == p
		return w.pollable == p
	})
	dropPollable(uint32(p))
}

// remove ends the waits for which it is true.
func remove(is func(*waiter) bool) {
	// Nothing here lets other goroutines run.
	kept := waiters[:0]
	for _, w := range waiters {
		if is(w) {
			close(w.ended)
		} else {
			kept = append(kept, w)
		}
	}
	clear(waiters[len(kept):])
	waiters = kept
}

func pollAll() {
	var slice time.Duration
	for {
		before := time.Now()
		runtime.Gosched()
		if len(waiters) == 0 {
			polling = false
			return
		}
		if time.Since(before) > busy {
			slice = 0
		}
		if pollFor(slice) {
			slice = 0
		} else {
			slice = min(max(2*slice, shortest), longest)
		}
	}
}

// pollFor waits in the host for that time at most, and wakes whose pollables are ready. It says
// whether there was one.
func pollFor(slice time.Duration) bool {
	// What is waited for may be dropped where memory is allocated, and the host is asked for what
	// there is.
	for cap(polled) <= len(waiters) {
		polled = make([]uint32, 0, 2*len(waiters)+8)
	}
	polled = polled[:0]
	for _, w := range waiters {
		polled = append(polled, uint32(w.pollable))
	}
	timer := subscribeDuration(uint64(slice))
	polled = append(polled, timer)
	call := undergo.Begin()
	pollList(unsafe.Pointer(unsafe.SliceData(polled)), uint32(len(polled)), ret)
	args := call.End()
	found := false
	for _, i := range unsafe.Slice((*uint32)(undergo.Pointer(wordAt(0))), wordAt(4)) {
		if int(i) < len(waiters) {
			waiters[i].fired, found = true, true
		}
	}
	args.Release()
	dropPollable(timer)
	if found {
		remove(func(w *waiter) bool { return w.fired })
	}
	return found
}
