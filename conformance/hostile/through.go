package main

import (
	"context"
	"runtime"
	"time"
)

// HostDo has the host call Do with what and n. Its own answer is the host's.
//
//undergo:import host do
var HostDo func(what string, n int64) string

// HostEcho returns s.
//
//undergo:import host echo
var HostEcho func(s string) string

// HostFail fails, where Go expects no error.
//
//undergo:import host fail
var HostFail func()

// through do something by way of the host.
var through = map[string]func(n int64){
	"host-call-storm": hostCallStorm,
	"host-fail":       func(int64) { HostFail() },
	"overtake":        overtake,
	"park-outer":      parkOuter,
	"release":         release,
	"yield":           yield,
}

// Through has the host call Do within this call, and says what that said.
//
//undergo:export
func Through(what string, n int64) string { return HostDo(what, n) }

func hostCallStorm(int64) {
	for {
		HostEcho("again")
	}
}

// parkOuter calls the host from two goroutines, which call the guest back and
// yield there: the outer call would end before the inner one, if Go let it.
func parkOuter(int64) {
	done := make(chan bool)
	for range 2 {
		go func() {
			HostDo("yield", 3)
			done <- true
		}()
	}
	<-done
	<-done
}

// overtaken tells overtake to go on.
var overtaken = make(chan struct{}, 1)

// overtake waits until a call within it has begun, and is ready to end before that one.
func overtake(n int64) {
	goOn := make(chan struct{}, 1)
	overtaken = goOn
	go func() {
		HostDo("release", n)
		// The host may not have called.
		tell(goOn)
	}()
	<-goOn
}

// release has overtake go on, and lets it run n times.
func release(n int64) {
	tell(overtaken)
	yield(n)
}

func tell(goOn chan struct{}) {
	select {
	case goOn <- struct{}{}:
	default:
	}
}

// Overtake does the same as the misdeed, by a function with another result than the one
// that is called within.
//
//undergo:export
func Overtake(n int64) int64 {
	overtake(n)
	return n
}

// yield lets the other goroutines run n times.
func yield(n int64) {
	for range n {
		runtime.Gosched()
	}
}

// Remaining says how many milliseconds its call has left; -1 when it has no
// deadline.
//
//undergo:export
func Remaining(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return -1
	}
	return time.Until(deadline).Milliseconds()
}

// WaitForContext waits until its call's time is over, and says so in time for
// the caller to hear of it, when it has a grace of that many milliseconds.
//
//undergo:export
func WaitForContext(ctx context.Context, grace int64) (string, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return "", context.Canceled
	}
	early, cancel := context.WithDeadline(ctx, deadline.Add(-time.Duration(grace)*time.Millisecond))
	defer cancel()
	<-early.Done()
	return early.Err().Error(), nil
}
