package main

import (
	"runtime"
	"strings"
	"sync"
)

// bombs use memory without an end, or n of something.
var bombs = map[string]func(n int64){
	"one-slice":       oneSlice,
	"many-slices":     manySlices,
	"growing-map":     growingMap,
	"growing-string":  growingString,
	"goroutines":      goroutines,
	"goroutine-stack": goroutineStack,
	"channels":        channels,
	"million":         million,
	"churn":           churn,
}

var hoard [][]byte

// oneSlice asks for n bytes at once.
func oneSlice(n int64) {
	hoard = append(hoard, make([]byte, n)) // at: one-slice
}

func manySlices(int64) {
	for {
		hoard = append(hoard, make([]byte, 1000))
	}
}

func growingMap(int64) {
	m := make(map[int][4]int)
	for i := 0; ; i++ {
		m[i] = [4]int{i}
	}
}

func growingString(int64) {
	s := "x"
	for {
		s += s
		sink += int64(len(s))
	}
}

func goroutines(int64) {
	never := make(chan int)
	for {
		go func() { <-never }()
	}
}

// goroutineStack grows the stacks of many goroutines.
func goroutineStack(int64) {
	never := make(chan int)
	for {
		go func() {
			deep(500, never)
		}()
		runtime.Gosched()
	}
}

//go:noinline
func deep(n int, c chan int) {
	var frame [256]byte
	if n == 0 {
		<-c
	} else {
		deep(n-1, c)
	}
	sink += int64(frame[n%256])
}

func channels(int64) {
	var all []chan [100]int
	for {
		all = append(all, make(chan [100]int, 10))
	}
}

// million runs n goroutines at a time to their end.
func million(n int64) {
	var wg sync.WaitGroup
	for range n {
		wg.Add(1)
		go wg.Done()
	}
	wg.Wait()
}

// churn makes n MiB of garbage, a little at a time: an honest function may.
func churn(n int64) {
	for range n {
		garbage = []byte(strings.Repeat("x", 1<<20))
	}
}
