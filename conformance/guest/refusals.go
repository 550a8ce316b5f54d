package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
)

// A State is an enum over strings whose zero value is none of its constants.
//
//undergo:enum
type State string

// The states.
const (
	StateOpen State = "open"
	StateDone State = "done"
)

// A Job has fields that the glue may have to refuse.
type Job struct {
	Name  string
	State State
	Last  *State
	Extra any
}

// An Outline has arrays in it.
type Outline struct {
	Name    string
	Corners [][2]float64
	Tags    map[string][2]string
}

// FindJob finds nothing, as Go functions do: a zero value, and an error.
//
//undergo:export
func FindJob(name string) (Job, error) { return Job{}, errors.New("no job " + name) }

// ZeroJob gives a Job that nobody filled in.
//
//undergo:export
func ZeroJob() Job { return Job{Name: "x"} }

// ZeroState gives a State that nobody set.
//
//undergo:export
func ZeroState() State { return "" }

// OpenJobs gives n jobs, of which the one at bad has no state.
//
//undergo:export
func OpenJobs(n, bad int32) ([]Job, error) {
	jobs := make([]Job, n)
	for i := range jobs {
		jobs[i] = Job{Name: "job", State: StateOpen, Extra: i}
		if int32(i) == bad {
			jobs[i].State = ""
		}
	}
	return jobs, nil
}

// JobsByName gives one job, whose last state is none.
//
//undergo:export
func JobsByName(name string) map[string]Job {
	none := State("none")
	return map[string]Job{name: {State: StateDone, Last: &none}}
}

// NumberedJob gives a number, and a job with what JSON can't hold.
//
//undergo:export
func NumberedJob(n int32) (int32, Job) {
	return n, Job{State: StateDone, Extra: map[string]any{"list": []any{n, math.NaN()}}}
}

// Infinite gives what JSON can't hold.
//
//undergo:export
func Infinite() any { return math.Inf(-1) }

// Garbled gives text in JSON that is not UTF-8.
//
//undergo:export
func Garbled() any { return []string{"fine", "\xff"} }

// Broken gives what is no JSON.
//
//undergo:export
func Broken() json.RawMessage { return json.RawMessage(`{"a":`) }

// GarbledError fails with a text that is not UTF-8.
//
//undergo:export
func GarbledError() error { return errors.New("a\xffb") }

// SumTriple adds up three numbers.
//
//undergo:export
func SumTriple(v [3]int32) int32 { return v[0] + v[1] + v[2] }

// TakeTriples takes lists of three numbers, and gives nothing.
//
//undergo:export
func TakeTriples(v map[string][][3]int32) { counter += int32(len(v)) }

// CountCorners counts the corners of an outline.
//
//undergo:export
func CountCorners(s Outline, factor float64) float64 { return float64(len(s.Corners)) * factor }

// AskWithZeroColor asks the host for what is no color.
//
//undergo:export
func AskWithZeroColor(c int32) Color { return HostEchoColor(Color(c)) }

// AskWithInfinity asks the host for what JSON can't hold.
//
//undergo:export
func AskWithInfinity() any { return HostEchoJSON([]any{math.Inf(1)}) }

// CheckGarbled has the host check a text that is not UTF-8, and gives its error.
//
//undergo:export
func CheckGarbled() string {
	if err := HostCheck(context.Background(), "a\xffb"); err != nil {
		return err.Error()
	}
	return "no error"
}

// Kinds says which Go types the values of an object or a list have.
//
//undergo:export
func Kinds(v any) []string { return kinds(v) }

func kinds(v any) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, kinds(e)...)
		}
		return all
	case json.Number:
		return []string{"number " + v.String()}
	}
	return []string{words(v)}
}

// LargeNumbers gives integers that a float64 does not hold.
//
//undergo:export
func LargeNumbers() any {
	return []any{int64(math.MinInt64), uint64(math.MaxUint64), 1<<53 + 1}
}
