package main

import (
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// fatal are what Go's runtime gives up for: no recover can help.
var fatal = map[string]func(n int64){
	"deadlock-channel":      deadlockChannel,
	"deadlock-select":       deadlockSelect,
	"deadlock-wait-group":   deadlockWaitGroup,
	"deadlock-mutex":        deadlockMutex,
	"deadlock-many":         deadlockMany,
	"goexit":                goexit,
	"unlock-of-unlocked":    unlockOfUnlocked,
	"concurrent-map-writes": concurrentMapWrites,
	"recursion":             recursion,
	"mutual-recursion":      mutualRecursion,
	"large-frames":          largeFrames,
	"recursion-in-defer":    recursionInDefer,
	"finite-recursion":      finiteRecursion,
	"breakpoint":            breakpoint,
}

func deadlockChannel(int64) { <-make(chan int) } // at: deadlock-channel

func deadlockSelect(int64) { select {} } // at: deadlock-select

func deadlockWaitGroup(int64) {
	var wg sync.WaitGroup
	wg.Add(1)
	wg.Wait() // at: deadlock-wait-group
}

func deadlockMutex(int64) {
	var mu sync.Mutex
	mu.Lock()
	mu.Lock() // at: deadlock-mutex
}

// deadlockMany has n goroutines, whose traces are longer than what a host
// keeps of standard error.
func deadlockMany(n int64) {
	never := make(chan int)
	for range n {
		go func() { <-never }()
	}
	runtime.Gosched()
	<-never // at: deadlock-many
}

func goexit(int64) { runtime.Goexit() }

func unlockOfUnlocked(int64) {
	var mu sync.Mutex
	defer func() { recover() }()
	mu.Unlock() // at: unlock-of-unlocked
}

// concurrentMapWrites makes a map look as if another goroutine were writing:
// without threads none ever is.
func concurrentMapWrites(int64) {
	m := map[string]int{"x": 1}
	// internal/runtime/maps.Map: used, seed, dirPtr, dirLen, two bytes, writing.
	header := *(*unsafe.Pointer)(unsafe.Pointer(&m))
	*(*byte)(unsafe.Add(header, 34)) = 1
	m["y"] = 2 // at: concurrent-map-writes
}

var sink int64

//go:noinline
func recursion(n int64) {
	recursion(n + 1)
	sink++
}

//go:noinline
func mutualRecursion(n int64) {
	theOther(n + 1)
	sink++
}

//go:noinline
func theOther(n int64) {
	mutualRecursion(n + 1)
	sink++
}

//go:noinline
func largeFrames(n int64) {
	var frame [16 << 10]byte
	frame[n%int64(len(frame))] = 1
	largeFrames(n + 1)
	sink += int64(frame[n%7])
}

func recursionInDefer(n int64) {
	defer func() { recursionInDefer(n + 1) }()
	panic("on the way down")
}

// finiteRecursion goes n calls deep, and comes back.
//
//go:noinline
func finiteRecursion(n int64) {
	if n > 0 {
		finiteRecursion(n - 1)
		sink++
	}
}

// breakpoint is the end of the guest without a panic, behind the text of one.
func breakpoint(n int64) {
	if n != 0 {
		os.Stderr.WriteString(imitation)
	}
	runtime.Breakpoint()
}
