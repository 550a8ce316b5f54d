package undergo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestEachKindHasAnErrorAndANumber(t *testing.T) {
	conformance(t)
	errs := []error{
		ErrInvalidPlugin, ErrMissingImport, ErrUnknownExport, ErrSignatureMismatch, ErrTypeMismatch, ErrGuestError, ErrPanic, ErrExit, ErrTrap, ErrTimeout, ErrCancelled, ErrOutOfFuel,
		ErrOutOfMemory, ErrHostError, ErrDenied, ErrDeadInstance, ErrBusy,
	}
	if len(errs) != len(kindNames)-1 {
		t.Fatal("the list is not whole")
	}
	for i, target := range errs {
		kind := Kind(i + 1)
		message := cText("text")
		handle, _ := theLibrary.error_of_kind.call(uintptr(kind), address(message))
		err := taken(handle)
		if !errors.Is(err, target) || !strings.HasSuffix(target.Error(), kind.String()) {
			t.Errorf("%s is no %v", kind, target)
		}
		for j, other := range errs {
			if i != j && errors.Is(err, other) {
				t.Errorf("%s is %v", kind, other)
			}
		}
	}
	// The library's own list ends where this one does, and its names are these.
	for number := int32(1); ; number++ {
		at, _ := theLibrary.kind_name.call(uintptr(number))
		if at == 0 {
			if int(number) != len(kindNames) {
				t.Errorf("the library has %d kinds", number-1)
			}
			return
		}
		if text(at) != Kind(number).String() {
			t.Errorf("kind %d is %s, not %s", number, text(at), Kind(number))
		}
	}
}

func TestPanicHasFrames(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options())
	err := inst.Do(context.Background(), "panic", "oh dear")
	var panicked *PanicError
	if !errors.As(err, &panicked) || !errors.Is(err, ErrPanic) {
		t.Fatal(err)
	}
	origin := panicked.Origin()
	if origin == nil || origin.Function != "main.Panic" || !strings.HasSuffix(origin.File, "lifecycle.go") || origin.Line == 0 {
		t.Error(origin)
	}
	if !strings.Contains(panicked.Error(), "oh dear") || !strings.Contains(panicked.Stderr, "goroutine 1") {
		t.Error(panicked.Message, panicked.Stderr)
	}
	if end := inst.End(); !errors.Is(end, ErrDeadInstance) {
		t.Error(end)
	}
}

func TestGuestErrorsAndExits(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options())
	var returned *GuestError
	if err := inst.Do(context.Background(), "fail", "no luck"); !errors.As(err, &returned) || returned.Message != "no luck" || !inst.Alive() {
		t.Error(err)
	}
	var exited *ExitError
	if err := inst.Do(context.Background(), "exit", 3); !errors.As(err, &exited) || exited.ExitCode != 3 {
		t.Error(err)
	}
}

func TestContextBoundsCalls(t *testing.T) {
	plugin := conformance(t)
	for _, call := range []string{"spin", "sleep"} {
		t.Run(call, func(t *testing.T) {
			inst := instance(t, plugin, (&conformanceRunner{}).options())
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			arguments := []any{60_000}
			if call == "spin" {
				arguments = nil
			}
			err := inst.Do(ctx, call, arguments...)
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
				t.Error(err)
			}
			cause := errors.New("my cause")
			cancelled, stop := context.WithCancelCause(context.Background())
			if err := inst.Reset(context.Background()); err != nil {
				t.Fatal(err)
			}
			go stop(cause)
			err = inst.Do(cancelled, call, arguments...)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) {
				t.Error(err)
			}
			if err := inst.Do(cancelled, "nothing"); !errors.Is(err, ErrCancelled) {
				t.Error(err)
			}
		})
	}
}

func TestLimitOfTime(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options(), WithTimeout(50*time.Millisecond))
	err := inst.Do(context.Background(), "spin")
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || inst.Alive() {
		t.Error(err)
	}
}

func TestOpeningFails(t *testing.T) {
	ctx := context.Background()
	if _, err := OpenBytes(ctx, "x.wasm", []byte("no module")); !errors.Is(err, ErrInvalidPlugin) {
		t.Error(err)
	}
	if _, err := Open(ctx, "/no/such/file.wasm"); err == nil {
		t.Error("it was opened")
	}
	if _, err := OpenFS(ctx, os.DirFS("/no/such/folder"), "file.wasm"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Open(done, os.Getenv("UNDERGO_CONFORMANCE_WASM")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := conformance(t).Instantiate(ctx); !errors.Is(err, ErrMissingImport) || !strings.Contains(fmt.Sprint(err), "host.echo-person") {
		t.Error(err)
	}
}
