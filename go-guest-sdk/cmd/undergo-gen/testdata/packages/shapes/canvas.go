package shapes

import "iter"

// A Canvas has shapes.
//
//undergo:resource
type Canvas struct{ shapes []Shape }

// NewCanvas is a constructor.
//
//undergo:export
func NewCanvas(width int32) (*Canvas, error) { return nil, NoSpace{1} }

// Add adds s.
//
//undergo:export
func (c *Canvas) Add(s Shape, unit Unit) {}

// Draw has the host draw.
//
//undergo:export
//undergo:keep p
func (c *Canvas) Draw(p Pen, each func(s Shape) bool) error { return nil }

// Shapes are all of them.
//
//undergo:export
func (c *Canvas) Shapes() iter.Seq[Shape] { return nil }

// Close ends it.
func (c *Canvas) Close() {}

// Union makes one of two.
//
//undergo:export
func Union(a, b *Canvas) *Canvas { return a }

// Count has nothing to do with canvases.
//
//undergo:export
func Count(all []Shape) int { return len(all) }
