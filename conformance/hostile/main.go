// A guest that misbehaves on command: the tests of failures run it in every
// host. Each misdeed has a name and, where the place matters, a comment
// "at: NAME" on the line that the trace must name first; it is in the function
// whose name is NAME in camel case, unless it says "at: NAME in FUNCTION".
package main

//go:generate go run github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen

import (
	"math/rand"
	"os"
	"slices"
	"strconv"
)

// misdeeds by name. Each takes a number, whose meaning is its own. One that
// returns has done no harm that Go knows of.
var misdeeds = map[string]func(n int64){}

func register(more map[string]func(n int64)) {
	for name, f := range more {
		misdeeds[name] = f
	}
}

// ready is set when all init functions have run.
var ready = false

// init does what the environment variable MISDEED says, with the number in
// MISDEED_N: it runs within _initialize.
func init() {
	register(panics)
	register(fatal)
	register(exits)
	register(endless)
	register(bombs)
	register(forgeries)
	register(through)
	if what := os.Getenv("MISDEED"); what != "" {
		n, _ := strconv.ParseInt(os.Getenv("MISDEED_N"), 10, 64)
		misdeeds[what](n)
	}
	ready = true
}

// Do does a misdeed. It returns "done" when that returns.
//
//undergo:export
func Do(what string, n int64) string {
	f := misdeeds[what]
	if f == nil {
		return "there is no misdeed " + what
	}
	f(n)
	return "done"
}

// Names lists the misdeeds.
//
//undergo:export
func Names() []string {
	var names []string
	for name := range misdeeds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Work is what a well-behaved call does: it allocates, sorts, and its result
// can be foretold: the sum of the squares of 1 to n.
//
//undergo:export
func Work(n int32) int64 {
	squares := make(map[int32]int64)
	for i := range n {
		squares[i+1] = int64(i+1) * int64(i+1)
	}
	var values []int64
	for _, v := range squares {
		values = append(values, v)
	}
	slices.Sort(values)
	var sum int64
	for _, v := range values {
		sum += v
	}
	return sum
}

// Random is a random number of this instance.
//
//undergo:export
func Random() uint64 { return rand.Uint64() }

// Program is the name that the plugin was started under.
//
//undergo:export
func Program() string { return os.Args[0] }

// Ready says whether init came to its end.
//
//undergo:export
func Ready() bool { return ready }

// main never runs: a plugin is initialized, not executed.
func main() {}
