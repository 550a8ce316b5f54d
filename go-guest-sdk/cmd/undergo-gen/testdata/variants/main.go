package main

import "time"

// A Shape is drawn.
//
//undergo:variant
type Shape interface{ isShape() }

// A Circle is round.
type Circle struct{ Radius float64 }

// A Label is a text.
type Label string

// Nowhere has nothing to show.
type Nowhere struct{}

// A Path is known by its address.
type Path struct {
	Points []Point
	Name   string
}

// A Count is a number.
type Count int32

func (Circle) isShape()  {}
func (Label) isShape()   {}
func (Nowhere) isShape() {}
func (*Path) isShape()   {}
func (Count) isShape()   {}

// A Point is no case.
type Point struct{ X, Y int32 }

// A Style is a variant whose order is fixed.
//
//undergo:variant Dashed Plain Colored
type Style interface{ Style() string }

// Plain is a style without a value, as a pointer.
type Plain struct{}

// Dashed has a pattern.
type Dashed [3]float32

// Colored is a color.
type Colored Color

// A Color is an enum.
//
//undergo:enum
type Color uint8

const (
	ColorRed Color = iota
	ColorGreen
)

func (*Plain) Style() string  { return "plain" }
func (Dashed) Style() string  { return "dashed" }
func (Colored) Style() string { return "colored" }

// A Drawing has variants in it.
type Drawing struct {
	Title    string
	Shapes   []Shape
	ByName   map[string]Shape
	Border   Style
	Cover    Shape  `json:"cover,omitempty"`
	Back     Shape  `undergo:",optional"`
	Pointer  *Shape // optional, too
	Finished time.Time
}

//undergo:export
func Area(s Shape) (float64, error) { return 0, nil }

//undergo:export
func Scale(s Shape, by float64) Shape { return s }

//undergo:export
func Draw(d Drawing) (Drawing, error) { return d, nil }

//undergo:export
func Restyle(in Style) Style { return in }

//undergo:export
func Pick(in []Shape, at *Shape) (*Shape, []Style) { return at, nil }

// Only shapes without values are flat as one number.
//
//undergo:variant
type Switch interface{ isSwitch() }

type On struct{}

type Off struct{}

func (On) isSwitch()  {}
func (Off) isSwitch() {}

//undergo:export
func Flip(s Switch) Switch { return s }

// Ask asks the host.
//
//undergo:import host
var Ask func(s Shape, t Style, u Switch) (Shape, error)

//undergo:import host
var Toggle func(s Switch) Switch

func main() {}
