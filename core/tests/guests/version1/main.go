// A plugin as version 1 of the contract had it. plugin.wasm.gz was built of it by the SDK of that
// time, and stays as it is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// State is an enum of strings.
//
//undergo:enum
type State string

// The states.
const (
	StateOpen State = "open"
	StateDone State = "done"
)

// A Job has a bit of everything.
type Job struct {
	Name    string
	State   State
	Due     time.Time
	Took    time.Duration
	Tags    []string
	Scores  []float64
	Place   *Place
	Counts  map[string]uint8
	Details any
	Raw     json.RawMessage
}

// A Place is laid out in Go as it is for the host.
type Place struct{ X, Y int32 }

// Add adds.
//
//undergo:export
func Add(a, b int64) int64 { return a + b }

// Greet greets.
//
//undergo:export
func Greet(name string) string { return "Hello, " + name + "!" }

// Echo gives the job back.
//
//undergo:export
func Echo(job Job) Job { return job }

// Jobs gives a list of them, or an error.
//
//undergo:export
func Jobs(names []string) ([]Job, error) {
	if len(names) == 0 {
		return nil, errors.New("no names")
	}
	jobs := make([]Job, len(names))
	for i, name := range names {
		jobs[i] = Job{Name: name, State: StateDone, Raw: json.RawMessage(`{"n":1}`), Details: map[string]any{"i": i}}
	}
	return jobs, nil
}

// Pair gives two results.
//
//undergo:export
func Pair(blob []byte) (int, []byte) { return len(blob), blob }

// Ask asks the host for a job's state and for a word about it.
//
//undergo:export
func Ask(name string) (State, error) {
	text, err := Word(name)
	if err != nil {
		return StateOpen, err
	}
	Note(text)
	return Find(name), nil
}

// Left says how much time is left, in nanoseconds, and -1 when there is no deadline.
//
//undergo:export
func Left(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return -1
	}
	return int64(time.Until(deadline))
}

// Bad gives what is no constant of its enum.
//
//undergo:export
func Bad() Job { return Job{Name: "bad"} }

// Find asks for a state.
//
//undergo:import directory
var Find func(name string) State

// Word asks for a word.
//
//undergo:import directory
var Word func(name string) (string, error)

// Note tells the host something.
//
//undergo:import log
var Note func(text string)

func main() {}
