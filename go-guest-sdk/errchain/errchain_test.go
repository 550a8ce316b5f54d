package errchain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

type notFound struct{ Key string }

func (e *notFound) Error() string { return "not found: " + e.Key }

type denied struct{ Code int }

func (e denied) Error() string { return fmt.Sprint("denied: ", e.Code) }

func number(err error) uint32 {
	switch err.(type) {
	case *notFound:
		return 1
	case denied:
		return 2
	}
	return 0
}

func TestOf(t *testing.T) {
	nf := &notFound{"x"}
	plain := errors.New("plain")
	wrapped := fmt.Errorf("loading: %w", nf)
	twice := fmt.Errorf("starting: %w", wrapped)
	for name, test := range map[string]struct {
		err  error
		want []Link
	}{
		"nil":      {nil, nil},
		"a text":   {plain, []Link{{"plain", nil}}},
		"a marked": {nf, []Link{{"not found: x", nf}}},
		"a value":  {denied{4}, []Link{{"denied: 4", denied{4}}}},
		"wrapped":  {wrapped, []Link{{"loading: not found: x", nil}, {"not found: x", nf}}},
		"twice":    {twice, []Link{{"starting: loading: not found: x", nil}, {"loading: not found: x", nil}, {"not found: x", nf}}},
		"joined": {errors.Join(plain, wrapped, denied{1}), []Link{
			{"plain\nloading: not found: x\ndenied: 1", nil}, {"not found: x", nf}, {"denied: 1", denied{1}}}},
		"joined texts": {errors.Join(plain, plain), []Link{{"plain\nplain", nil}}},
		"two verbs":    {fmt.Errorf("%w, %w", denied{1}, nf), []Link{{"denied: 1, not found: x", nil}, {"denied: 1", denied{1}}, {"not found: x", nf}}},
	} {
		if got := Of(test.err, number); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

type cycle struct{ again int }

func (c *cycle) Error() string { return "again" }

func (c *cycle) Unwrap() error { return c }

type tree struct{}

func (tree) Error() string { return "tree" }

func (tree) Unwrap() []error { return []error{tree{}, tree{}, denied{1}} }

func TestEndless(t *testing.T) {
	if got := Of(&cycle{}, number); len(got) != longest {
		t.Errorf("a cycle: %d", len(got))
	}
	if got := Of(tree{}, number); len(got) > longest || got[0].Text != "tree" {
		t.Errorf("a tree: %d", len(got))
	}
	err := error(denied{1})
	for range 1000 {
		err = fmt.Errorf("x %w", err)
	}
	if got := Of(err, number); len(got) != longest || !strings.HasPrefix(got[0].Text, "x x x ") {
		t.Errorf("a long chain: %d", len(got))
	}
	if got := Of(Join(make([]Link, 1000)), number); len(got) != longest {
		t.Errorf("a long chain of a host: %d", len(got))
	}
}

func TestJoin(t *testing.T) {
	links := []Link{{"looking up: gone", nil}, {"gone", &notFound{"k"}}, {"no: 3", denied{3}}, {"end", nil}}
	err := fmt.Errorf("here: %w", Join(links))
	var nf *notFound
	var d denied
	if !errors.As(err, &nf) || nf.Key != "k" || !errors.As(err, &d) || d.Code != 3 {
		t.Errorf("%v, %v", nf, d)
	}
	if !errors.Is(err, denied{3}) || errors.Is(err, denied{4}) || !errors.Is(err, nf) || errors.Is(err, &notFound{"k"}) {
		t.Error("errors.Is is not equality")
	}
	if text := errors.Unwrap(err).Error(); text != "looking up: gone" {
		t.Errorf("the outermost text is %q", text)
	}
	if text := errors.Unwrap(errors.Unwrap(err)).Error(); text != "gone" {
		t.Errorf("the next text is %q", text)
	}
	// It goes back as it came.
	if got := Of(err, number); !slices.Equal(got, append([]Link{{"here: looking up: gone", nil}}, links...)) {
		t.Errorf("%v", got)
	}
	if Join(nil) == nil {
		t.Error("a failure without an error is none")
	}
}
