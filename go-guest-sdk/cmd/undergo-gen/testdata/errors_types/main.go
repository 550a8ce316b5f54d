package main

import (
	"bytes"
	"net/http"
	"strings"
	"time"
	"unsafe"
)

type Node struct {
	Next *Node
}

type A struct{ B []B }

type B struct{ A map[string]A }

type Empty struct{}

type Private struct{ x int }

type Embeds struct {
	*Base
	Locked
	Name string
}

type Locked struct{ bytes.Buffer }

type Base struct{ ID int }

type Pair[T any] struct{ One, Two T }

type Half struct {
	strings.Reader
	time.Timer
}

type Größe[T any] struct{ X T }

type Person struct{ Name string }

type Deep struct {
	Fields []struct{ X int }
	Done   map[string][]chan int
}

//undergo:enum
type Color int

const ColorRed Color = 0

type Shape interface{ Area() float64 }

//undergo:export
func Chan(c chan int) {}

//undergo:export
func Func(f func()) func(int) { return nil }

//undergo:export
func Pointers(a uintptr, b unsafe.Pointer, c **int) {}

//undergo:export
func Recursive(n Node, a A) {}

//undergo:export
func Structs(a Empty, b Private, c Embeds, d struct{ X int }, e Half) {}

//undergo:export
func Generic(p Pair[chan int], q Größe[int]) {}

//undergo:export
func Deeper(d Deep) {}

//undergo:export
func Interface(s Shape, e error) {}

//undergo:export
func Foreign(r http.Request) {}

//undergo:export
func Keys(a map[float64]int, b map[Base]int, c map[[2]int]string, d map[Person]int) {}

//undergo:export
func Zero(a [0]int) {}

func main() {}
