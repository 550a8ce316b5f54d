// Package main has names that the glue uses itself, in all places that a plugin can have them: comments, strings,
// fields, parameters, and declarations. It says elapsed time.Duration, fmt.Sprint, unsafe.Pointer, undergo.Take, runtime.KeepAlive.
package main

import (
	undergoBind "errors"
	"math/big"
	. "strings"
	"time"
)

// A Sample is one reading of the elapsed time. See math.Pi, json.Marshal, undergo.Out and unsafe.Add.
type Sample struct {
	Elapsed time.Duration
	Runtime int    `json:"runtime.KeepAlive"`
	Fmt     string `undergo:"fmt"` // fmt.Sprint
	Unsafe  []args
	Time    string
	Word    big.Word
}

type args struct{ Undergo, Json string }

// runtime is no package here.
type runtime struct{ X int32 }

const unsafe = "unsafe.Pointer"

var undergo = undergoBind.New(ToUpper("undergo.Take"))

func json() {}

// Longest is the sample that took the longest time.Duration. See time.Now.
//
//undergo:export
func Longest(time []Sample, undergo, unsafe string, runtime runtime) int { return 0 }

// Tell tells. It is no time.Time.
//
//undergo:import fmt
var Tell func(fmt string, json any) []args

func main() { _ = unsafe; json() }
