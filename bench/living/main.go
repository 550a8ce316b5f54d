// The plugin whose objects, functions and iterators are measured.
package main

import "iter"

// An Adder adds.
//
//undergo:resource
//undergo:export
type Adder struct{ calls int32 }

// NewAdder makes one.
func NewAdder() *Adder { return &Adder{} }

// Add adds.
func (a *Adder) Add(x, y int32) int32 {
	a.calls++
	return x + y
}

// Add adds.
//
//undergo:export
func Add(a, b int32) int32 { return a + b }

// Same is the host's, and returns n.
//
//undergo:import host
var Same func(n int32) int32

// CallHost calls the host n times.
//
//undergo:export
func CallHost(n int32) int32 {
	sum := int32(0)
	for i := range n {
		sum += Same(i)
	}
	return sum
}

// CallBack calls f n times.
//
//undergo:export
func CallBack(n int32, f func(n int32) int32) int32 {
	sum := int32(0)
	for i := range n {
		sum += f(i)
	}
	return sum
}

// Numbers are those below n.
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

func main() {}
