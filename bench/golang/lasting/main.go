// The plugin whose objects, callbacks, iterators and streams are measured.
package main

import (
	"io"
	"iter"
)

// Add adds.
//
//undergo:export
func Add(a, b int64) int64 { return a + b }

// A Tally counts.
//
//undergo:resource
//undergo:export
type Tally struct{ value int64 }

// NewTally begins at a number.
func NewTally(start int64) *Tally { return &Tally{start} }

// Add counts n more.
func (t *Tally) Add(n int64) int64 {
	t.value += n
	return t.value
}

// Next is the host's.
//
//undergo:import host
var Next func(n int64) int64

// CallHost calls the host n times, and adds up what it said.
//
//undergo:export
func CallHost(n int64) (sum int64) {
	for i := range n {
		sum += Next(i)
	}
	return sum
}

// CallBack does the same with a function of the host's.
//
//undergo:export
func CallBack(n int64, f func(n int64) int64) (sum int64) {
	for i := range n {
		sum += f(i)
	}
	return sum
}

// Numbers gives the numbers below n.
//
//undergo:export
func Numbers(n int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// Sum adds up.
//
//undergo:export
func Sum(numbers iter.Seq[int64]) (sum int64) {
	for number := range numbers {
		sum += number
	}
	return sum
}

// Copy copies a stream to another.
//
//undergo:export
func Copy(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) }

func main() {}
