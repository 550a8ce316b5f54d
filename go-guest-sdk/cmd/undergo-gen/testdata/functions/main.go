package main

import (
	"context"
	"errors"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

// Greet greets.
//
// It does so in two paragraphs.
//
//undergo:export
func Greet(ctx context.Context, name string) (string, error) {
	undergo.Yield()
	return Lookup(name)
}

//undergo:export
func Check() error { return errors.New("no") }

//undergo:export
func Pair(class, type_ int32) (a int32, b string, err error) { return }

//undergo:export
func args(out, ret, call string) string { return out }

// Lookup asks the host.
//
//undergo:import directory
var Lookup func(name string) (string, error)

var (
	// Log writes a line.
	//
	//undergo:import log write-line
	Log func(line string, level int8)

	//undergo:import directory
	Count func() int64

	//undergo:import directory
	All func(prefix *string) []string

	//undergo:import directory
	Save func(names []string, flags map[string]bool, a, b, c, d, e, f, g, h, i, j, k, l int32) error
)

func main() {}

// There are two functions whose names differ in case only.
//
//undergo:export
func twin(a int32) {}

//undergo:export other-twin
func Twin(a int32) {}

// undergo and out are names that the glue would like to have.
var undergoInterface, out, v1 = 1, 2, 3
