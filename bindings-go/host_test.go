package undergo

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
)

func TestErrorsOfTheHostComeBack(t *testing.T) {
	own := &ownError{7}
	inst := instance(t, conformance(t), (&conformanceRunner{}).options(), WithImport("host", "crash", func(string) error { return own }))
	err := inst.Do(context.Background(), "crash", "x")
	var found *ownError
	if !errors.Is(err, ErrHostError) || !errors.Is(err, own) || !errors.As(err, &found) || found != own {
		t.Error(err)
	}
}

type ownError struct{ code int }

func (e *ownError) Error() string { return "my own" }

func TestPanicsOfTheHostAreErrors(t *testing.T) {
	own := errors.New("mine")
	for _, value := range []any{"text", own, nil} {
		inst := instance(t, conformance(t), (&conformanceRunner{}).options(), WithImport("host", "crash", func(string) { panic(value) }))
		err := inst.Do(context.Background(), "crash", "x")
		var panicked *HostPanic
		if !errors.As(err, &panicked) || !strings.Contains(string(panicked.Stack), "host_test.go") {
			t.Fatal(err)
		}
		if value == own && !errors.Is(err, own) || value == "text" && panicked.Value != "text" {
			t.Error(panicked.Value)
		}
		if inst.Alive() {
			t.Error("the instance lives")
		}
	}
}

func TestHostFunctionsHaveTheContextOfTheCall(t *testing.T) {
	type key struct{}
	var seen []any
	note := WithImport("host", "note", func(ctx context.Context, _ string) { seen = append(seen, ctx.Value(key{})) })
	plugin := conformance(t)
	inst := instance(t, plugin, (&conformanceRunner{}).options(), note)
	ctx := context.WithValue(context.Background(), key{}, "mine")
	if err := inst.Do(ctx, "notes", []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	pool, err := plugin.Pool(context.Background(), PoolOptions{Size: 2}, (&conformanceRunner{}).options(), note)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.Do(ctx, "notes", []string{"c"}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || seen[0] != "mine" || seen[1] != "mine" || seen[2] != "mine" {
		t.Error(seen)
	}
}

func TestFunctionsThatDoNotFit(t *testing.T) {
	plugin := conformance(t)
	for name, function := range map[string]any{
		"echo-string": func(s string, more int) string { return s },
		"echo-int":    func(s string) string { return s },
		"echo-bytes":  func(v []byte) {},
		"echo-maybe":  func(s string) *string { return nil },
		"divmod":      func(a, b int64) int64 { return a },
		"notes":       "no function",
		"note":        func(s ...string) {},
		"echo-person": func(p struct{ Name string }) person { return person{} },
	} {
		_, err := plugin.Instantiate(context.Background(), (&conformanceRunner{}).options(), WithImport("host", name, function))
		if !errors.Is(err, ErrSignatureMismatch) || !strings.Contains(err.Error(), "host."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A goroutine's stack moves when it grows: what the library knows of it must not lie there.
func TestStackGrowsInAHostFunction(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options(), WithImport("host", "divmod", func(a, b int64) (int64, int64) {
		return deep(10_000, a) / b, a % b
	}))
	for range 3 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			q, r, err := Call2[int64, int64](context.Background(), inst, "divmod-through-host", 17, 5)
			if err != nil || q != 3 || r != 2 {
				t.Error(q, r, err)
			}
		}()
		<-done
	}
}

//go:noinline
func deep(n int, value int64) int64 {
	var frame [64]byte
	if n == 0 {
		return value
	}
	frame[n%64] = 1
	return deep(n-1, value) + int64(frame[(n+1)%64])
}

func TestDeepRecursionAndThenTheHost(t *testing.T) {
	runner := &conformanceRunner{}
	inst := instance(t, conformance(t), runner.options(), WithStack(64<<20))
	runner.instance = inst
	depth, err := Call[int64](context.Background(), inst, "reenter", 100)
	if err != nil || depth != 100 {
		t.Error(depth, err)
	}
	if n, err := Call[int32](context.Background(), inst, "recurse", 100_000); err != nil || n != 100_000 {
		t.Error(n, err)
	}
}

func TestNilDereferencesOfTheHostPanic(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options(), WithImport("host", "note", func(string) { dereference(nil) }))
	for range 3 {
		func() {
			defer func() {
				if _, ok := recover().(runtime.Error); !ok {
					t.Error("it did not panic")
				}
			}()
			dereference(nil)
		}()
	}
	err := inst.Do(context.Background(), "notes", []string{"x"})
	var panicked *HostPanic
	if !errors.As(err, &panicked) {
		t.Fatal(err)
	}
	if _, ok := panicked.Value.(runtime.Error); !ok {
		t.Error(panicked.Value)
	}
	// That of a guest is the guest's.
	if err := inst.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := inst.Do(context.Background(), "nil-map-write"); !errors.Is(err, ErrPanic) {
		t.Error(err)
	}
}

//go:noinline
func dereference(p *int) int { return *p }
