package main

import (
	"fmt"
	"time"
)

// NotFound says what is missing.
//
//undergo:error
type NotFound struct {
	Key  string // what was looked for
	Code int
}

func (e *NotFound) Error() string { return "not found: " + e.Key }

// Denied is an error as a value, with more in it.
//
//undergo:error
type Denied struct {
	Roles []string
	Until *time.Time
	Limit [2]int32
	State State
	inner error
}

func (e Denied) Error() string { return fmt.Sprint("denied to ", e.Roles) }

// A State is an enum.
//
//undergo:enum
type State string

const StateOpen State = "open"

//undergo:export
func Find(key string) (string, error) { return "", &NotFound{key, 404} }

//undergo:export
func Check() error { return Denied{} }

// What is marked can be an ordinary value, too.
//
//undergo:export
func Last() *NotFound { return nil }

//undergo:export
func List() ([][]string, error) { return nil, nil }

//undergo:export
func Plain() int32 { return 0 }

//undergo:import host
var Lookup func(key string) (string, error)

//undergo:import host
var Allow func() error

func main() {}
