package undergo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// textsOf are those of the chain of an error, of which io.EOF has fields.
func textsOf(err error) []string {
	var found []string
	isDeclared := func(err error) (chained, bool, error) { return chained{}, err == io.EOF, nil }
	_, _ = chainOf(err, isDeclared, func(_ *chained, err error) { found = append(found, err.Error()) })
	return found
}

// loop wraps itself.
type loop struct{}

func (*loop) Error() string { return "loop" }
func (l *loop) Unwrap() error {
	return l
}

// tree wraps itself many times.
type tree struct{}

func (*tree) Error() string     { return "tree" }
func (t *tree) Unwrap() []error { return []error{t, nil, t, t} }

func TestChainsOfTheHost(t *testing.T) {
	inner := errors.New("inner")
	for _, each := range []struct {
		err  error
		want string
	}{
		{inner, "inner"},
		{fmt.Errorf("outer: %w", inner), "outer: inner, inner"},
		{errors.Join(fmt.Errorf("a: %w", inner), io.EOF), "a: inner\nEOF, EOF"},
		{&Error{Kind: KindGuestError, Message: "m", cause: inner}, "m, inner"},
		{(*GuestError)(&Error{Kind: KindGuestError, Message: "m", cause: inner}), "m, inner"},
	} {
		if got := strings.Join(textsOf(each.err), ", "); got != each.want {
			t.Errorf("%q is not %q", got, each.want)
		}
	}
	if got := textsOf(&loop{}); len(got) != longestChain {
		t.Errorf("a loop has %d errors", len(got))
	}
	if got := textsOf(&tree{}); len(got) != 1 {
		t.Errorf("a tree has %d errors", len(got))
	}
	long := inner
	for range 10_000 {
		long = &wrap{long}
	}
	if got := textsOf(long); len(got) != longestChain {
		t.Errorf("a long one has %d errors", len(got))
	}
}

type wrap struct{ inner error }

func (w *wrap) Error() string { return "wrapped" }
func (w *wrap) Unwrap() error { return w.inner }

// NotFound is a program's own struct for an error of a plugin.
type NotFound struct {
	Key  string
	Code int
}

func (e *NotFound) Error() string { return "own: " + e.Key }

// Denied is one that is an error as a value.
type Denied struct {
	Roles []string
	Level string
	Shape *Case
}

func (e Denied) Error() string { return "denied" }

// Clash has other fields than the plugin's.
type Clash struct{ Other int }

func (e *Clash) Error() string { return "clash" }

func TestErrorsWithFields(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	err := inst.Do(ctx, "fail-with", "wrapped")
	var missing *NotFound
	if !errors.As(err, &missing) || *missing != (NotFound{"x", 4}) {
		t.Errorf("%v of %v", missing, err)
	}
	inner, ok := errors.Unwrap(err).(*Error)
	if !ok || inner.Kind != KindGuestError || inner.Message != "not found: x" || inner.Name != "not-found" || inner.Fields["key"] != "x" || inner.Fields["code"] != int64(4) {
		t.Errorf("%#v", inner)
	}
	if outer := err.(*Error); outer.Name != "" || outer.Fields != nil {
		t.Errorf("%#v", outer)
	}
	var denied Denied
	if err := inst.Do(ctx, "fail-with", "value"); !errors.As(err, &denied) || denied.Roles[1] != "ü" || denied.Level != "high" || denied.Shape.Tag != "circle" || errors.As(err, &missing) {
		t.Errorf("%v of %v", denied, err)
	}
	var clash *Clash
	if err := inst.Do(ctx, "fail-with", "clash"); errors.As(err, &clash) {
		t.Errorf("%v of %v", clash, err)
	}
	var text interface{ Timeout() bool }
	if err := inst.Do(ctx, "fail-with", "deep"); errors.As(err, &text) || errors.As(err, &missing) || len(err.Error()) < 100 {
		t.Error(err)
	}
}

func TestErrorsWithFieldsOfHostFunctions(t *testing.T) {
	ctx, plugin := context.Background(), conformance(t)
	looked := func(failure error) ([]string, error) {
		inst := instance(t, plugin, (&conformanceRunner{}).options(), WithImport("host", "lookup", func(string) (string, error) { return "", failure }))
		return Call[[]string](ctx, inst, "looked", "key")
	}
	for _, each := range []struct {
		failure error
		want    string
	}{
		{&NotFound{"k", 7}, "own: k, k 7, not found: k, is"},
		{fmt.Errorf("a: %w", &NotFound{"k", 7}), "a: own: k, k 7, not found: k, is, own: k"},
		{Denied{Level: "low"}, "denied, denied"},
		{&Denied{Level: "low"}, "denied, denied"},
		{&Clash{1}, "clash"},
		{&Error{Message: "m", Name: "not-found", Fields: map[string]any{"key": "k", "code": 7}}, "m, k 7, not found: k, is"},
		{&loop{}, strings.TrimSuffix(strings.Repeat("loop, ", longestChain), ", ")},
	} {
		if said, err := looked(each.failure); err != nil || strings.Join(said, ", ") != each.want {
			t.Errorf("%q is not %q, %v", said, each.want, err)
		}
	}
	for _, failure := range []error{Denied{Level: "none"}, &Error{Name: "not-found"}, fmt.Errorf("a: %w", &Error{Name: "not-found", Fields: map[string]any{"key": 1, "code": 7}})} {
		if said, err := looked(failure); !errors.Is(err, ErrTypeMismatch) || !strings.Contains(err.Error(), "host.lookup(") {
			t.Errorf("%q, %v", said, err)
		}
	}
	// An error of another plugin's with the same name is a text.
	foreign := &typ{kind: kindRecord, name: "not-found", digest: 1}
	if said, err := looked(&Error{Message: "m", Name: "not-found", Fields: map[string]any{"key": "k", "code": 7}, record: foreign}); err != nil || len(said) != 1 {
		t.Errorf("%q, %v", said, err)
	}
	own := errors.New("mine")
	inst := instance(t, plugin, (&conformanceRunner{}).options(), WithImport("host", "crash", func(string) error { return own }))
	if err := inst.Do(ctx, "crash", "x"); !errors.Is(err, own) || !errors.Is(err, ErrHostError) {
		t.Error(err)
	}
}
