package main

import (
	"fmt"
	"os"
)

// exits end the guest by os.Exit.
var exits = map[string]func(n int64){
	"exit":                 exit,
	"exit-in-goroutine":    exitInGoroutine,
	"exit-in-defer":        exitInDefer,
	"exit-after-imitation": exitAfterImitation,
	"exit-after-recover":   exitAfterRecover,
}

func exit(n int64) { os.Exit(int(n)) }

func exitInGoroutine(n int64) {
	go func() { os.Exit(int(n)) }()
	select {}
}

func exitInDefer(n int64) {
	defer func() { os.Exit(int(n)) }()
	panic("not the cause")
}

// exitAfterImitation is what log.Fatal does in the worst case.
func exitAfterImitation(n int64) {
	os.Stderr.WriteString(imitation)
	os.Exit(int(n))
}

// exitAfterRecover is what a careful main function does: it tells of a panic, and exits.
func exitAfterRecover(n int64) {
	defer func() {
		fmt.Fprintln(os.Stderr, "panic:", recover())
		os.Exit(int(n))
	}()
	panic("told by hand")
}
