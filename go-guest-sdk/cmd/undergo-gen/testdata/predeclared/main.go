// Package main declares each name that Go predeclares, or uses in its place.
package main

import (
	"encoding/json"
	"time"
)

type P struct {
	Names []string_
	M     map[string_][]int_
	V     interface{}
	Raw   json.RawMessage
	Bytes []byte_
	Maybe *int_
	State *State
	When  time.Time
	Grid  [2]int_
	Flags []bool_
	Words [2]string_
	Small map[string_]State
}

//undergo:enum
type State string_

const (
	Open State = "open"
	Done State = "done"
)

// Count counts.
//
//undergo:export
func Count(p P) int_ { return len(p) }

// Echo gives it back.
//
//undergo:export
func Echo(p P) (P, error_) { return p, nothing }

//undergo:export
func Two(p *P, b bool_, s string, raw json.RawMessage, v interface{}) (string, []string, error_) {
	return s, nothing2, nothing
}

//undergo:import host
var Ask func(p P, s string_, v interface{}, names []string_) (P, error_)

//undergo:import host
var Tell func(s string_, n uint8) [2]int_

var nothing error_

var nothing2 []string

func len(p P) (n int_) {
	for range p.Names {
		n++
	}
	return n
}

func make() {}

func append() {}

func cap() {}

func copy() {}

func panic() {}

func recover() {}

func print() {}

func new() {}

func min() {}

func max() {}

func clear() {}

func delete() {}

func close() {}

type string struct{ Text string_ }

type uint8 struct{ Low int_ }

var nil, true, false = 0, 1, 2

type any int_

type error struct{}

type bool struct{}

type byte struct{}

type rune struct{}

type int struct{}

type int8 struct{}

type int16 struct{}

type int32 struct{}

type int64 struct{}

type uint struct{}

type uint16 struct{}

type uint32 struct{}

type uint64 struct{}

type float32 struct{}

type float64 struct{}

func main() {}
