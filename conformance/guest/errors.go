package main

import (
	"errors"
	"fmt"
	"strings"
)

// NotFound says what is missing.
//
//undergo:error
type NotFound struct {
	Key  string // what was looked for
	Code int
}

func (e *NotFound) Error() string {
	if e == nil {
		return "nothing is missing"
	}
	return "not found: " + e.Key
}

// Denied says who may not. It is an error as a value.
//
//undergo:error
type Denied struct {
	Roles []string
	Level Level
	Shape Shape `undergo:",optional"`
}

func (e Denied) Error() string { return "denied to " + strings.Join(e.Roles, ", ") }

// Clash has fields whose names errors have in some languages.
//
//undergo:error
type Clash struct {
	Message string
	Kind    string
	Cause   *string
	Args    []string
	Name    string
	Stack   int32
}

func (e *Clash) Error() string { return "clash" }

// again wraps itself.
type again struct{}

func (again) Error() string { return "again" }

func (a again) Unwrap() error { return a }

// branches wraps itself, twice.
type branches struct{}

func (branches) Error() string { return "branches" }

func (b branches) Unwrap() []error { return []error{b, b} }

func failure(how string) error {
	missing := &NotFound{"x", 4}
	cause := "because"
	switch how {
	case "":
		return nil
	case "marked":
		return missing
	case "value":
		return Denied{[]string{"a", "ü"}, LevelHigh, Circle{1.5}}
	case "pointer to a value":
		return &Denied{nil, LevelLow, nil}
	case "wrapped":
		return fmt.Errorf("loading: %w", missing)
	case "twice":
		return fmt.Errorf("starting: %w", fmt.Errorf("loading: %w", missing))
	case "wrapped texts":
		return fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", errors.New("text")))
	case "marked around marked":
		return fmt.Errorf("all: %w, %w", Denied{[]string{"b"}, LevelLow, nil}, missing)
	case "joined":
		return errors.Join(errors.New("first"), fmt.Errorf("second: %w", missing), Denied{nil, LevelLow, nil})
	case "joined texts":
		return errors.Join(errors.New("first"), errors.New("second"))
	case "clash":
		return fmt.Errorf("a %w", &Clash{"m", "k", &cause, []string{"a"}, "n", -1})
	case "nil pointer":
		return fmt.Errorf("wrapped: %w", (*NotFound)(nil))
	case "no level":
		return Denied{nil, "", nil}
	case "stranger":
		return fmt.Errorf("wrapped: %w", Denied{nil, LevelLow, stranger()})
	case "garbled":
		return &NotFound{"\xff", 1}
	case "cycle":
		return again{}
	case "branches":
		return branches{}
	case "deep":
		err := error(missing)
		for range 100 {
			err = fmt.Errorf(".%w", err)
		}
		return err
	}
	return errors.New(how)
}

// FailWith returns an error.
//
//undergo:export
func FailWith(how string) error { return failure(how) }

// FailBeside returns a result and an error.
//
//undergo:export
func FailBeside(how string) ([]Shape, string, error) { return nil, how, failure(how) }

// EchoNotFound returns e, which is an ordinary value here.
//
//undergo:export
func EchoNotFound(e NotFound) *NotFound { return &e }

// Lookup asks the host, and passes its error on.
//
//undergo:export
func Lookup(key string) (string, error) { return HostLookup(key) }

// LookupWrapped does the same, and says that it was here.
//
//undergo:export
func LookupWrapped(key string) (string, error) {
	v, err := HostLookup(key)
	if err != nil {
		return "", fmt.Errorf("guest: %w", err)
	}
	return v, nil
}

// Looked says what the host's error is for Go.
//
//undergo:export
func Looked(key string) []string {
	_, err := HostLookup(key)
	if err == nil {
		return nil
	}
	said := []string{err.Error()}
	var missing *NotFound
	if errors.As(err, &missing) {
		said = append(said, fmt.Sprintf("%s %d", missing.Key, missing.Code), missing.Error())
	}
	if errors.Is(err, missing) {
		said = append(said, "is")
	}
	var denied Denied
	if errors.As(err, &denied) {
		said = append(said, "denied")
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		said = append(said, inner.Error())
	}
	return said
}

var keptError error

// KeepError keeps the host's error, and says its text.
//
//undergo:export
func KeepError(key string) string {
	_, keptError = HostLookup(key)
	return fmt.Sprint(keptError)
}

// KeptError returns the error that was kept.
//
//undergo:export
func KeptError() error { return keptError }
