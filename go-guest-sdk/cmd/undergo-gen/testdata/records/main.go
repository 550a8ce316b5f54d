package main

import (
	"encoding/json"
	"image"
	"time"
)

// A Spot is laid out alike on both sides.
type Spot struct{ X, Y float64 }

// Padded is not: Go's int is no u8.
type Padded struct {
	A uint8
	B Spot
	c int
}

// Time has the name of a type of undergo:go.
type Time struct {
	Hour   uint8
	Real   time.Time
	Record *Spot // a word of WIT
}

// A Deep has the rest.
type Deep struct {
	ID       int64             `undergo:"identifier" json:"id"`
	Name     string            `json:"full_name,omitempty"`
	NoName   string            `json:",omitempty"`
	Hidden   chan int          `json:"-"`
	Points   []Spot            // list of what is alike
	Others   map[string]Padded // and of what is not
	Maybe    *string
	List     *[]string
	Any      any
	Raw      json.RawMessage
	Wait     time.Duration
	HTTPPort uint16
	private  func()
}

//undergo:export
func EchoDeep(d Deep, t Time) Deep { return d }

//undergo:export
func EchoPoints(p []Spot, q Spot, r *Spot) []Spot { return p }

//undergo:export
func Foreign(p image.Point) *image.Point { return &p }

//undergo:export
func Options(a *bool, b *int64, c *float32, d *string, e *time.Time) (*bool, *string) { return a, d }

//undergo:export
func JSON(v any, raw json.RawMessage) (any, json.RawMessage) { return v, raw }

func main() {}
