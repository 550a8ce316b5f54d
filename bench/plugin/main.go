// The plugin whose calls are measured.
package main

import (
	"os"
	"time"
)

func init() {
	if os.Getenv("SPIN") != "" {
		Spin()
	}
}

// Order is a record of six fields, one of them a list.
type Order struct {
	ID       string
	Customer string
	Total    float64
	Count    int32
	Paid     bool
	Items    []string
}

// Add adds.
//
//undergo:export
func Add(a, b int32) int32 { return a + b }

// EchoString returns s.
//
//undergo:export
func EchoString(s string) string { return s }

// EchoOrder returns o.
//
//undergo:export
func EchoOrder(o Order) Order { return o }

// EchoBytes returns b.
//
//undergo:export
func EchoBytes(b []byte) []byte { return b }

// Sum adds up.
//
//undergo:export
func Sum(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

// Upper is the host's.
//
//undergo:import host
var Upper func(s string) string

// CallHost calls the host n times, and gives the length of what it said.
//
//undergo:export
func CallHost(n int32) int64 {
	length := int64(0)
	for range n {
		length += int64(len(Upper("hello world")))
	}
	return length
}

// Spin never ends.
//
//undergo:export
func Spin() {
	for {
	}
}

// Sleep sleeps.
//
//undergo:export
func Sleep(ms int64) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// ReadStdin reads a byte.
//
//undergo:export
func ReadStdin() (int, error) { return os.Stdin.Read(make([]byte, 1)) }

// Pause is the host's, and takes a while.
//
//undergo:import host
var Pause func(n int32) int32

// CallPause calls the host once.
//
//undergo:export
func CallPause(n int32) int32 { return Pause(n) }

// CallPauses calls the host n times, and adds up what it said.
//
//undergo:export
func CallPauses(n int32) int64 {
	sum := int64(0)
	for i := range n {
		sum += int64(Pause(i))
	}
	return sum
}

// Work computes for a while: n rounds of a generator of numbers.
//
//undergo:export
func Work(n int64, seed uint64) uint64 {
	for range n {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
	}
	return seed
}

func main() {}
