package main

// Color is an enum.
//
//undergo:enum
type Color uint8

const (
	// ColorRed is red.
	ColorRed Color = iota + 1
	ColorDarkBlue
	colorHidden
)

// Mode is an enum of strings.
//
//undergo:enum
type Mode string

const (
	ModeFast = Mode("f")
	Slow     = Mode("s")
)

// Plain is no enum, for want of a directive.
type Plain int

const PlainOne Plain = 1

type Car struct {
	Color Color
	Modes map[string]Mode
	List  []Color
	Maybe *Mode
}

//undergo:export
func Paint(c Car, to Color, m Mode, p Plain) (Color, error) { return to, nil }

//undergo:export
func Cars() []Car { return nil }

//undergo:export
func Count(m map[Color][2]int64) map[Color]int64 { return nil }

func main() {}
