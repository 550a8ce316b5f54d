package undergo_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	undergo "github.com/undergo-dev/undergo/bindings-go"
	"github.com/undergo-dev/undergo/bindings-go/internal/conformance"
)

func TestErrorsWithFieldsOfAClient(t *testing.T) {
	guest, _ := client(t)
	ctx := context.Background()
	err := guest.FailWith(ctx, "twice")
	var missing *conformance.NotFound
	if !errors.As(err, &missing) || *missing != (conformance.NotFound{Key: "x", Code: 4, Message: "not found: x"}) || missing.Error() != "not found: x" {
		t.Fatalf("%#v of %v", missing, err)
	}
	var denied *conformance.Denied
	if errors.As(err, &denied) {
		t.Errorf("%#v of %v", denied, err)
	}
	var returned *undergo.GuestError
	if !errors.Is(err, undergo.ErrGuestError) || !errors.As(err, &returned) || returned.Message != "starting: loading: not found: x" {
		t.Error(err)
	}
	var texts []string
	for each := err; each != nil; each = errors.Unwrap(each) {
		texts = append(texts, each.Error())
	}
	if want := []string{"starting: loading: not found: x", "loading: not found: x", "not found: x"}; !reflect.DeepEqual(texts, want) {
		t.Errorf("%q", texts)
	}
	if err := guest.FailWith(ctx, "value"); !errors.As(err, &denied) || !reflect.DeepEqual(denied.Roles, []string{"a", "ü"}) || denied.Level != conformance.LevelHigh ||
		denied.Shape != conformance.Shape(conformance.Circle{Radius: 1.5}) {
		t.Errorf("%#v of %v", denied, err)
	}
	if err := guest.FailWith(ctx, "marked around marked"); !errors.As(err, &missing) || !errors.As(err, &denied) || denied.Roles[0] != "b" || denied.Shape != nil {
		t.Error(err)
	}
	var clash *conformance.Clash
	if err := guest.FailWith(ctx, "clash"); !errors.As(err, &clash) || clash.Message != "m" || clash.Message_ != "clash" || *clash.Cause != "because" || clash.Stack != -1 {
		t.Errorf("%#v of %v", clash, err)
	}
	// What is an error is an ordinary value, too.
	if back, err := guest.EchoNotFound(ctx, conformance.NotFound{Key: "k", Code: -1}); err != nil || *back != (conformance.NotFound{Key: "k", Code: -1}) {
		t.Error(back, err)
	}
	if text := (&conformance.NotFound{Key: "k", Code: 1}).Error(); text != `not-found {"Key":"k","Code":1}` {
		t.Error(text)
	}
	if err := guest.FailWith(ctx, ""); err != nil {
		t.Error(err)
	}
}

// notFound is what another plugin's client has for an error of the same name.
type notFound struct{ Key string }

func (e *notFound) Error() string { return "not ours" }

// cycle wraps itself.
type cycle struct{ conformance.NotFound }

func (c *cycle) Error() string { return "cycle" }
func (c *cycle) Unwrap() error { return c }

// rude panics when it is asked what it says.
type rude struct{}

func (rude) Error() string { panic("rude") }

// ruder does so when it is asked what it wraps.
type ruder struct{}

func (ruder) Error() string { return "ruder" }
func (ruder) Unwrap() error { panic("ruder") }

func TestErrorsWithFieldsFromAHost(t *testing.T) {
	guest, functions := client(t)
	ctx := context.Background()
	missing := &conformance.NotFound{Key: "k", Code: 7}
	text := missing.Error()
	for _, each := range []struct {
		name string
		err  error
		want []string
	}{
		{"itself", missing, []string{text, "k 7", "not found: k", "is"}},
		{"with a message", &conformance.NotFound{Key: "k", Message: "mine"}, []string{"mine", "k 0", "not found: k", "is"}},
		{"wrapped", fmt.Errorf("a: %w", fmt.Errorf("b: %w", missing)), []string{"a: b: " + text, "k 7", "not found: k", "is", "b: " + text, text}},
		{"beside others", errors.Join(errors.New("x"), missing), []string{"x\n" + text, "k 7", "not found: k", "is", text}},
		{"of another plugin", &notFound{"k"}, []string{"not ours"}},
		{"a nil pointer", fmt.Errorf("a: %w", (*conformance.Clash)(nil)), nil},
		{"without fields", errors.New("plain"), []string{"plain"}},
		{"by hand", &undergo.Error{Message: "m", Name: "not-found", Fields: map[string]any{"key": "k", "code": 7}}, []string{"m", "k 7", "not found: k", "is"}},
		{"by hand, unknown", &undergo.Error{Message: "m", Name: "lost", Fields: map[string]any{"key": "k"}}, []string{"m"}},
	} {
		functions.missing = each.err
		said, err := guest.Looked(ctx, "key")
		if err != nil || each.want != nil && !reflect.DeepEqual(said, each.want) {
			t.Errorf("%s: %q is not %q, %v", each.name, said, each.want, err)
		}
	}
	functions.missing = &cycle{}
	if said, err := guest.Looked(ctx, "key"); err != nil || len(said) != 64 {
		t.Errorf("%q, %v", said, err)
	}
	// The host's own error comes back through the guest.
	functions.missing = fmt.Errorf("host: %w", missing)
	_, err := guest.LookupWrapped(ctx, "key")
	var found *conformance.NotFound
	if !errors.As(err, &found) || found.Key != "k" || found.Code != 7 || err.Error() != "guest: host: "+text {
		t.Error(err)
	}
	// An error that came from a guest reaches it again as what it was.
	functions.missing = err
	if said, err := guest.Looked(ctx, "key"); err != nil || len(said) < 4 || said[0] != "guest: host: "+text || said[1] != "k 7" {
		t.Errorf("%q, %v", said, err)
	}
	for _, odd := range []error{rude{}, ruder{}} {
		functions.missing = odd
		if said, err := guest.Looked(ctx, "key"); err != nil || !strings.Contains(said[0], "panicked: rude") {
			t.Errorf("%q, %v", said, err)
		}
	}
}

func TestFieldsThatDoNotFit(t *testing.T) {
	for name, each := range map[string]struct {
		err  error
		text string
	}{
		"no case":       {&conformance.Denied{Level: conformance.Level(99)}, "99 is not a case of level"},
		"no shape":      {&conformance.Denied{Shape: (*conformance.Circle)(nil)}, "expected a case of shape, got *conformance.Circle(nil)"},
		"no UTF-8":      {fmt.Errorf("a: %w", &conformance.NotFound{Key: "\xff"}), "UTF-8"},
		"a wrong field": {&undergo.Error{Name: "not-found", Fields: map[string]any{"key": 5, "code": 7}}, "host.lookup(not-found.key): expected string, got int"},
		"no fields":     {&undergo.Error{Name: "not-found"}, "the field key of not-found is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			guest, functions := client(t)
			functions.missing = each.err
			_, err := guest.Looked(context.Background(), "key")
			if !errors.Is(err, undergo.ErrTypeMismatch) || !strings.Contains(err.Error(), each.text) {
				t.Error(err)
			}
		})
	}
}
