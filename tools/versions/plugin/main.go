// Probe is what the programs in the folder above call, each by its own language: one function for
// each thing that may be wrong with a runtime.
package main

import "errors"

// Point is a record.
type Point struct {
	X, Y float64
	Name string
}

// Add adds.
//
//undergo:export
func Add(a, b int) int { return a + b }

// Sum takes a list of numbers, which hosts pass as a buffer.
//
//undergo:export
func Sum(values []float64) float64 {
	sum := 0.0
	for _, value := range values {
		sum += value
	}
	return sum
}

// Move gives a record for a record.
//
//undergo:export
func Move(p Point, by float64) Point {
	return Point{X: p.X + by, Y: p.Y + by, Name: p.Name + "'"}
}

// Ask asks the host.
//
//undergo:export
func Ask(name string) (string, error) { return Lookup(name) }

// Fail gives an error.
//
//undergo:export
func Fail(text string) error { return errors.New(text) }

// First panics for an empty list.
//
//undergo:export
func First(values []float64) float64 { return values[0] }

// Spin never ends.
//
//undergo:export
func Spin() {
	for {
	}
}

// Lookup is the host's.
//
//undergo:import host
var Lookup func(name string) (string, error)

func main() {}
