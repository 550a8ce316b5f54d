package main

import "errors"

// A Shape is one of several things that can be drawn.
//
//undergo:variant
type Shape interface{ isShape() }

// A Circle is round.
type Circle struct {
	Radius float64 // from the middle to the edge
}

// A Label is a text.
type Label string

// A Polygon has corners. The interface holds a pointer to it.
type Polygon struct {
	Points []Point
	Name   string
	Fill   *Color
}

// A Triangle has three sides.
type Triangle [3]float32

// A Tile lies on a grid.
type Tile struct {
	Row    int64
	Weight float32
}

// Tags are what else is to be drawn.
type Tags map[string]string

// Empty is nothing to draw.
type Empty struct{}

func (Circle) isShape()   {}
func (Label) isShape()    {}
func (*Polygon) isShape() {}
func (Triangle) isShape() {}
func (Tile) isShape()     {}
func (Tags) isShape()     {}
func (Empty) isShape()    {}

// A Round is a variant with a case of another, and in another order.
//
//undergo:variant Wheel Circle Label
type Round interface{ isRound() }

// A Wheel has spokes.
type Wheel struct{ Spokes uint16 }

func (Circle) isRound() {}
func (Label) isRound()  {}
func (Wheel) isRound()  {}

// A Mixed has cases whose values WebAssembly passes in different ways.
//
//undergo:variant
type Mixed interface{ isMixed() }

// Single has 32 bits.
type Single float32

// Long has 64 bits.
type Long int64

// Text has two numbers: where it is, and how long.
type Text string

// Flag has one bit.
type Flag bool

// Blank has none.
type Blank struct{}

func (Single) isMixed() {}
func (Long) isMixed()   {}
func (Text) isMixed()   {}
func (Flag) isMixed()   {}
func (Blank) isMixed()  {}

// A Token has cases whose names mean something else in some languages.
//
//undergo:variant
type Token interface{ isToken() }

type (
	// Class is a keyword.
	Class string
	// None is a constant.
	None struct{}
	// Tag is what some hosts call the case.
	Tag int8
	// Val is what some hosts call the value.
	Val struct{ Tag, Val string }
	// Constructor is on each object of JavaScript.
	Constructor bool
	// List is a type of several languages.
	List []Level
)

func (Class) isToken()       {}
func (None) isToken()        {}
func (Tag) isToken()         {}
func (*Val) isToken()        {}
func (Constructor) isToken() {}
func (List) isToken()        {}

// A Drawing has variants in it.
type Drawing struct {
	Title  string
	Shapes []Shape
	Named  map[string]Shape
	Border Round
	Cover  Shape `json:",omitempty"`
	Back   Token `undergo:",optional"`
	Extra  *Mixed
}

// A stranger has the methods of a Shape and is none: it is no type of the package.
func stranger() Shape {
	type Stranger struct{ Empty }
	return Stranger{}
}

// EchoShape returns s.
//
//undergo:export
func EchoShape(s Shape) Shape { return s }

// EchoShapes returns v.
//
//undergo:export
func EchoShapes(v []Shape) []Shape { return v }

// EchoMaybeShape returns s.
//
//undergo:export
func EchoMaybeShape(s *Shape) *Shape { return s }

// EchoDrawing returns d.
//
//undergo:export
func EchoDrawing(d Drawing) Drawing { return d }

// EchoRound returns r.
//
//undergo:export
func EchoRound(r Round) Round { return r }

// EchoToken returns t.
//
//undergo:export
func EchoToken(t Token) Token { return t }

// EchoMixed returns its arguments.
//
//undergo:export
func EchoMixed(a Mixed, n int32, b Mixed, f float32) (Mixed, int32, Mixed, float32) {
	return a, n, b, f
}

// ManyMixed returns its arguments: more than WebAssembly passes one by one.
//
//undergo:export
func ManyMixed(a, b, c, d, e, f Mixed) []Mixed { return []Mixed{a, b, c, d, e, f} }

// EchoBundle returns its arguments, which are more than WebAssembly passes one by one. It
// fails for one without a name.
//
//undergo:export
func EchoBundle(id int8, s Shape, m *Shape, d Drawing, v []Shape, name string) (int8, Shape, *Shape, Drawing, []Shape, string, error) {
	if name == "" {
		return 0, nil, nil, Drawing{}, nil, "", errors.New("a bundle needs a name")
	}
	return id, s, m, d, v, name, nil
}

// BundleThroughHost sends its arguments through the host and back.
//
//undergo:export
func BundleThroughHost(id int8, s Shape, m *Shape, d Drawing, v []Shape, name string) (int8, Shape, *Shape, Drawing, []Shape, string) {
	return HostBundle(id, s, m, d, v, name)
}

// BadBundle sends the host a bundle in which a shape may be none.
//
//undergo:export
func BadBundle(how string) string {
	_, _, _, _, _, name := HostBundle(1, Empty{}, nil, Drawing{Border: Label("b")}, []Shape{Empty{}, badShape(how)}, "bad")
	return name
}

// Area is how much of the paper s takes.
//
//undergo:export
func Area(s Shape) (float64, error) {
	switch s := s.(type) {
	case Circle:
		return s.Radius * s.Radius * 3, nil
	case *Polygon:
		return float64(len(s.Points)), nil
	case Empty:
		return 0, nil
	}
	return 0, errors.New("no area: " + words(s))
}

// ByPointer returns what s is a case of as a pointer to it, which is the same case.
//
//undergo:export
func ByPointer(s Shape) []Shape {
	switch s := s.(type) {
	case Circle:
		return []Shape{&s}
	case Label:
		return []Shape{&s}
	case Empty:
		return []Shape{&s}
	}
	return []Shape{s}
}

// badShape is what is no case of Shape.
func badShape(how string) Shape {
	switch how {
	case "nil":
		return nil
	case "nil pointer":
		return (*Polygon)(nil)
	case "nil pointer to a value":
		return (*Circle)(nil)
	case "stranger":
		return stranger()
	}
	return Label(how)
}

// BadShape returns what is no case of Shape.
//
//undergo:export
func BadShape(how string) Shape { return badShape(how) }

// BadShapes returns three shapes, of which the middle one is none.
//
//undergo:export
func BadShapes(how string) ([]Shape, error) {
	return []Shape{Empty{}, badShape(how), Label("c")}, nil
}

// BadDrawing returns a drawing whose optional shapes are none, and another is.
//
//undergo:export
func BadDrawing(how string) (int32, Drawing) {
	return 1, Drawing{Border: Label("b"), Cover: badShape(how)}
}

// NoBorder returns a drawing that nobody filled in.
//
//undergo:export
func NoBorder() Drawing { return Drawing{} }

// BadMixed returns no case where all cases are numbers.
//
//undergo:export
func BadMixed() (int32, Mixed) { return 1, nil }

// BadMaybeShape returns a pointer to what is no case of Shape.
//
//undergo:export
func BadMaybeShape(how string) *Shape {
	s := badShape(how)
	return &s
}

// ShapeThroughHost sends s through the host and back.
//
//undergo:export
func ShapeThroughHost(s Shape) Shape { return HostEchoShape(s) }

// BadShapeThroughHost sends what is no case of Shape to the host.
//
//undergo:export
func BadShapeThroughHost(how string) Shape { return HostEchoShape(badShape(how)) }

var keptShapes []Shape

// KeepShapes keeps v as they are, without copies.
//
//undergo:export
func KeepShapes(v []Shape) { keptShapes = append(keptShapes, v...) }

// KeptShapes is what was kept.
//
//undergo:export
func KeptShapes() []Shape { return keptShapes }

// A Switch has cases without values alone, and so is one number.
//
//undergo:variant
type Switch interface{ isSwitch() }

// On is one position.
type On struct{}

// Off is the other one. The interface holds a pointer to it.
type Off struct{}

func (On) isSwitch()   {}
func (*Off) isSwitch() {}

// Flip returns the other position of s.
//
//undergo:export
func Flip(s Switch) Switch {
	if s == (On{}) {
		return &Off{}
	}
	return On{}
}

// FlipAll flips all of them, and the one that may be there.
//
//undergo:export
func FlipAll(all []Switch, one *Switch) ([]Switch, *Switch) {
	for i := range all {
		all[i] = Flip(all[i])
	}
	if one != nil {
		*one = Flip(*one)
	}
	return all, one
}

// BadSwitch returns no position.
//
//undergo:export
func BadSwitch() Switch { return (*Off)(nil) }
