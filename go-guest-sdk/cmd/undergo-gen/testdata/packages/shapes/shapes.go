// Package shapes draws.
package shapes

import "io"

// A Shape is drawn.
//
//undergo:variant
type Shape interface{ isShape() }

// A Circle has a field that it keeps to itself.
type Circle struct {
	Radius float64
	cached float64
}

// A Square is one.
type Square float64

func (Circle) isShape()  {}
func (*Square) isShape() {}

// A Unit is an enum.
//
//undergo:enum
type Unit uint8

const (
	UnitMeter Unit = iota
	UnitFoot
)

// NoSpace is what fails.
//
//undergo:error
type NoSpace struct{ Wanted int64 }

func (e NoSpace) Error() string { return "no space" }

// A Pen is the host's.
//
//undergo:resource import
type Pen interface {
	Draw(s Shape) error
	io.Closer
}
