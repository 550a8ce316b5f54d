package undergo

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// What the library does to the process must leave Go's own as it is.

func TestSignalsStayGos(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options())
	trap := func() {
		t.Helper()
		if err := inst.Do(context.Background(), "recurse", 1_000_000_000); !errors.Is(err, ErrTrap) {
			t.Error(err)
		}
		if err := inst.Reset(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	trap()
	got := make(chan os.Signal, 10)
	signal.Notify(got, syscall.SIGUSR1, syscall.SIGHUP)
	defer signal.Stop(got)
	for _, wanted := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP} {
		spinning := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			spinning <- inst.Do(ctx, "spin")
		}()
		if err := syscall.Kill(os.Getpid(), wanted); err != nil {
			t.Fatal(err)
		}
		if is := <-got; is != wanted {
			t.Error(is)
		}
		if err := <-spinning; !errors.Is(err, ErrTimeout) {
			t.Error(err)
		}
		if err := inst.Reset(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	// Faults of Go's code are Go's, after those of a guest.
	trap()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	func() {
		defer func() {
			if _, ok := recover().(runtime.Error); !ok {
				t.Error("it did not panic")
			}
		}()
		nowhere := uintptr(4096)
		dereference(*(**int)(unsafe.Pointer(&nowhere)))
	}()
}

func TestProfilesAndTheCollectorAmidCalls(t *testing.T) {
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Skip(err)
	}
	defer pprof.StopCPUProfile()
	pool, err := conformance(t).Pool(context.Background(), PoolOptions{Size: 2}, (&conformanceRunner{}).options())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	stop := make(chan struct{})
	var collector, callers sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for range 8 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for n := range int64(200) {
				if q, r, err := Call2[int64, int64](context.Background(), pool, "divmod-through-host", n, 7); err != nil || q != n/7 || r != n%7 {
					t.Error(q, r, err)
				}
				given := person{Name: "Ada", Favorite: "red", Tags: []string{"a", "b"}, Scores: map[string]float64{"x": 1}}
				if back, err := Call[person](context.Background(), pool, "person-through-host", given); err != nil || len(back.Tags) != 2 || back.Scores["x"] != 1 {
					t.Error(back, err)
				}
			}
		}()
	}
	callers.Wait()
	close(stop)
	collector.Wait()
}

// Host functions run on the goroutine's stack, however much the guest's may be.
func TestDeepHostFunctionsOfLargeStacks(t *testing.T) {
	runner := &conformanceRunner{}
	var depth int64
	reenter := WithImport("host", "reenter", func(ctx context.Context, left int32) (int32, error) {
		depth += deep(100_000, 0) + 1
		if left%10 == 0 {
			if n, err := Call[int32](ctx, runner.instance, "recurse", 100_000); err != nil || n != 100_000 {
				t.Error(n, err)
			}
		}
		deeper, err := Call[int32](ctx, runner.instance, "reenter", left-1)
		return deeper + 1, err
	})
	inst := instance(t, conformance(t), runner.options(), reenter, WithStack(512<<20))
	runner.instance = inst
	if n, err := Call[int32](context.Background(), inst, "reenter", 50); err != nil || n != 50 || depth != 50 {
		t.Error(n, depth, err)
	}
	// One goroutine's stack has grown; that of another begins anew.
	done := make(chan error)
	go func() { done <- inst.Do(context.Background(), "reenter", 3) }()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// child runs a test again, in a process of its own, in which the variable is set.
func child(t *testing.T, variable string) (int, string) {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), variable+"=1")
	output, err := command.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(output)
}

// The process may end while calls are under way, and while the collector frees what is left.
func TestExitAmidAll(t *testing.T) {
	if os.Getenv("UNDERGO_TEST_EXIT") == "" {
		if code, output := child(t, "UNDERGO_TEST_EXIT"); code != 7 || output != "" {
			t.Errorf("%d: %s", code, output)
		}
		return
	}
	plugin, err := Open(context.Background(), os.Getenv("UNDERGO_CONFORMANCE_WASM"))
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	for i := range 20 {
		inst, err := plugin.Instantiate(context.Background(), (&conformanceRunner{}).options(), WithImport("host", "note", func(string) {
			begun <- struct{}{}
			select {}
		}))
		if err != nil {
			t.Fatal(err)
		}
		runtime.SetFinalizer(inst, func(inst *Instance) { _ = inst.Close() })
		switch i % 3 {
		case 0:
			go func() { _ = inst.Do(context.Background(), "spin") }()
		case 1:
			go func() { _ = inst.Do(context.Background(), "notes", []string{"x"}) }()
			<-begun
		}
	}
	go func() {
		for {
			runtime.GC()
		}
	}()
	time.Sleep(time.Millisecond)
	os.Exit(7)
}
