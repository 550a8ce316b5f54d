package main

import (
	"example.com/acme/packages/v2/internal/inner"
	"example.com/acme/packages/v2/mid"
	"example.com/acme/packages/v2/shapes"
	_ "example.com/acme/packages/v2/text"
)

// Area is a function of main, in the world itself.
//
//undergo:export
func Area(s shapes.Shape) (float64, shapes.Unit) { return mid.Area(s), shapes.UnitMeter }

// Hang takes a resource of a package, and so stands in an interface of main's own.
//
//undergo:export
func Hang(c *shapes.Canvas, i inner.Id) *Wall { return &Wall{} }

// A Wall is main's own.
//
//undergo:resource
//undergo:export
type Wall struct{ canvases []*shapes.Canvas }

// Canvas is another name for what a package has.
func (w *Wall) Canvas(n int) (*shapes.Canvas, error) { return nil, mid.ErrNone }

// Framed has a canvas.
type Framed struct {
	Canvas *shapes.Canvas
	Width  int32
}

//undergo:export
func Frame(f Framed) Framed { return f }

func main() {}
