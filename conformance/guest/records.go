package main

import (
	"encoding/json"
	"time"
)

// A Color is an enum over integers.
//
//undergo:enum
type Color int

// The colors.
const (
	ColorRed   Color = iota // the color of fire
	ColorGreen              // the color of grass
	ColorDarkBlue
)

// A Level is an enum over strings.
//
//undergo:enum
type Level string

// The levels.
const (
	LevelLow  Level = "low!"
	LevelHigh Level = "high!"
)

// A Point has scalars only.
type Point struct {
	X, Y float64
	Tag  uint8
}

// An Address is a record within a record.
type Address struct {
	Street string
	Zip    *uint32
}

// A Person has a bit of everything.
type Person struct {
	Name     string
	Email    *string // optional
	Age      uint8
	Tags     []string
	Home     Address
	Others   []Address
	Scores   map[string]float64
	Favorite Color
	Level    *Level
	Born     time.Time
	Nap      time.Duration
	UserID   UserID
	private  int
	Skipped  func() `json:"-"`
}

// A Price has names from tags.
type Price struct {
	Minor    int64  `json:"minor_units,omitempty"`
	Currency string `undergo:"iso-code" json:"currency"`
	Type     string // a keyword of WIT
}

// EchoPerson returns p.
//
//undergo:export
func EchoPerson(p Person) Person { return p }

// EchoPeople returns v.
//
//undergo:export
func EchoPeople(v []Person) []Person { return v }

// EchoPoint returns p.
//
//undergo:export
func EchoPoint(p Point) Point { return p }

// EchoPoints returns v.
//
//undergo:export
func EchoPoints(v []Point) []Point { return v }

// EchoPrice returns p.
//
//undergo:export
func EchoPrice(p Price) Price { return p }

// EchoColor returns v.
//
//undergo:export
func EchoColor(v Color) Color { return v }

// EchoLevel returns v.
//
//undergo:export
func EchoLevel(v Level) Level { return v }

// EchoColors returns v.
//
//undergo:export
func EchoColors(v []Color) []Color { return v }

// BadColor returns what is no color.
//
//undergo:export
func BadColor() Color { return Color(7) }

// MaybeInt returns v.
//
//undergo:export
func MaybeInt(v *int32) *int32 { return v }

// MaybeBool returns v.
//
//undergo:export
func MaybeBool(v *bool) *bool { return v }

// MaybeFloat returns v.
//
//undergo:export
func MaybeFloat(v *float64) *float64 { return v }

// MaybeString returns v.
//
//undergo:export
func MaybeString(v *string) *string { return v }

// MaybeColor returns v.
//
//undergo:export
func MaybeColor(v *Color) *Color { return v }

// MaybePoint returns v.
//
//undergo:export
func MaybePoint(v *Point) *Point { return v }

// MaybeAddress returns v.
//
//undergo:export
func MaybeAddress(v *Address) *Address { return v }

// MaybeStrings returns v.
//
//undergo:export
func MaybeStrings(v *[]string) *[]string { return v }

// MaybeTime returns v.
//
//undergo:export
func MaybeTime(v *time.Time) *time.Time { return v }

// ListOfMaybe returns v.
//
//undergo:export
func ListOfMaybe(v []*string) []*string { return v }

// EchoAny returns v.
//
//undergo:export
func EchoAny(v any) any { return v }

// EchoRaw returns v.
//
//undergo:export
func EchoRaw(v json.RawMessage) json.RawMessage { return v }

// EchoAnys returns v.
//
//undergo:export
func EchoAnys(v map[string]any) map[string]any { return v }

// BadAny returns what is no JSON.
//
//undergo:export
func BadAny() any { return make(chan int) }
