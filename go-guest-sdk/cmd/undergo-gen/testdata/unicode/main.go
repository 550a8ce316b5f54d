// Package main has names beyond ASCII, and the names of WIT that they are given.
package main

// Übersetze translates.
//
//undergo:export translate
func Übersetze(wort string) string { return wort + "!" }

// λ is a function.
//
//undergo:export lambda
func λ(x float64) float64 { return x }

//undergo:export get-name
func 取名(n ℕ) (Ärger Maß) { return n.toMaß() }

type ℕ = N

// N is a number.
type N struct {
	Größe int    `undergo:"size"`
	Ñame  string `json:"name"`
	名     string // not exported
	Ärmel int    `undergo:"-"`
}

func (n N) toMaß() Maß { return n.Größe }

type Maß = int

func main() {}

// Öffne opens, by the host.
//
//undergo:import files open
var Öffne func(name string) ([]N, error)
