package main

import (
	"os"
	"sync"
	"time"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

// Panic panics with msg.
//
//undergo:export
func Panic(msg string) { panic(msg) }

// NilMapWrite writes to a nil map.
//
//undergo:export
func NilMapWrite() {
	var m map[string]int
	m["x"] = 1
}

// OutOfRange reads behind the end of v.
//
//undergo:export
func OutOfRange(v []int32) int32 { return v[len(v)] }

// Exit ends the plugin.
//
//undergo:export
func Exit(code int32) { os.Exit(int(code)) }

// Deadlock waits for what never comes.
//
//undergo:export
func Deadlock() { <-make(chan int) }

var spins uint64

// Spin computes forever.
//
//undergo:export
func Spin() {
	for {
		spins++
	}
}

// Sleep sleeps.
//
//undergo:export
func Sleep(ms int32) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// SumInGoroutines adds up 1 to n, each number in a goroutine of its own.
//
//undergo:export
func SumInGoroutines(n int32) int64 {
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		sum int64
	)
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			mu.Lock()
			defer mu.Unlock()
			sum += int64(i) + 1
		}()
	}
	wg.Wait()
	return sum
}

var background int32

// StartBackground starts a goroutine that counts its turns.
//
//undergo:export
func StartBackground() {
	go func() {
		for {
			background++
			undergo.Yield()
		}
	}()
}

// Background says how many turns the goroutine had.
//
//undergo:export
func Background() int32 { return background }
