package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// endless go on until they are stopped.
var endless = map[string]func(n int64){
	"loop":               loop,
	"loop-allocating":    loopAllocating,
	"loop-in-goroutine":  loopInGoroutine,
	"loop-yielding":      loopYielding,
	"sleep":              sleep,
	"sleep-shortly":      sleepShortly,
	"sleep-in-goroutine": sleepInGoroutine,
	"timer-storm":        timerStorm,
	"timer-later":        timerLater,
	"collect":            collect,
	"finalizers":         finalizers,
	"print-stdout":       printStdout,
	"print-stderr":       printStderr,
	"print-line":         printLine,
	"recover-for-ever":   recoverForEver,
	"spawn-for-ever":     spawnForEver,
	"read-stdin":         readStdin,
}

func loop(int64) {
	for {
		sink++
	}
}

var garbage []byte

// loopAllocating is stopped in the middle of an allocation, as likely as not.
func loopAllocating(int64) {
	for {
		garbage = make([]byte, 100)
	}
}

// loopInGoroutine never gives the goroutine of the call its turn again.
func loopInGoroutine(n int64) {
	go loop(n)
	runtime.Gosched()
}

func loopYielding(int64) {
	for {
		runtime.Gosched()
	}
}

// sleep sleeps n milliseconds.
func sleep(n int64) { time.Sleep(time.Duration(n) * time.Millisecond) }

func sleepShortly(int64) {
	for {
		time.Sleep(time.Microsecond)
	}
}

func sleepInGoroutine(n int64) {
	done := make(chan bool)
	go func() {
		sleep(n)
		close(done)
	}()
	<-done
}

func timerStorm(int64) {
	for {
		t := time.NewTimer(time.Nanosecond)
		<-t.C
	}
}

// timerLater leaves a timer behind that panics in some later call, in n
// milliseconds at the earliest.
func timerLater(n int64) {
	time.AfterFunc(time.Duration(n)*time.Millisecond, func() {
		panic("a timer of an earlier call") // at: timer-later in main.timerLater.func1
	})
}

func collect(int64) {
	for {
		runtime.GC()
	}
}

type finalized struct{ next *finalized }

func finalizers(int64) {
	for {
		f := &finalized{}
		runtime.SetFinalizer(f, func(f *finalized) { f.next = &finalized{} })
		if sink++; sink%1000 == 0 {
			runtime.GC()
		}
	}
}

func printStdout(int64) {
	for {
		fmt.Println("a line on standard output")
	}
}

func printStderr(int64) {
	for {
		fmt.Fprintln(os.Stderr, "a line on standard error")
	}
}

// printLine prints one line without an end.
func printLine(n int64) {
	out := os.Stdout
	if n != 0 {
		out = os.Stderr
	}
	part := strings.Repeat("x", 64<<10)
	for {
		out.WriteString(part)
	}
}

func recoverForEver(int64) {
	for {
		recovered(0)
	}
}

// spawnForEver gives each goroutine its turn, so that time runs out long before memory does.
func spawnForEver(int64) {
	for {
		go loopYielding(0)
		runtime.Gosched()
	}
}

// readStdin reads until the end.
func readStdin(int64) {
	buffer := make([]byte, 1000)
	for {
		if _, err := os.Stdin.Read(buffer); err != nil {
			return
		}
	}
}
