package undergo

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a program may do in a wrong order ends in an error.

func TestCloseInAHostFunction(t *testing.T) {
	runner := &conformanceRunner{}
	var inner error
	note := WithImport("host", "note", func(ctx context.Context, _ string) {
		if err := runner.instance.Close(); err != nil {
			t.Error(err)
		}
		inner = runner.instance.Do(ctx, "nothing")
	})
	inst, err := conformance(t).Instantiate(context.Background(), runner.options(), note)
	if err != nil {
		t.Fatal(err)
	}
	runner.instance = inst
	if err := inst.Do(context.Background(), "notes", []string{"x"}); err != nil {
		t.Error("the call that was under way did not go on:", err)
	}
	if !errors.Is(inner, ErrDeadInstance) {
		t.Error(inner)
	}
	if err := inst.Do(context.Background(), "nothing"); !errors.Is(err, ErrDeadInstance) || inst.Alive() {
		t.Error(err)
	}
	if err := inst.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosePoolAmidCalls(t *testing.T) {
	pool, err := conformance(t).Pool(context.Background(), PoolOptions{Size: 2}, (&conformanceRunner{}).options())
	if err != nil {
		t.Fatal(err)
	}
	var done, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				switch err := pool.Do(context.Background(), "churn", 1); {
				case err == nil:
					done.Add(1)
				case errors.Is(err, ErrDeadInstance):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
			if i == 7 {
				_ = pool.Close()
			}
		}()
	}
	all.Wait()
	if done.Load() < 20 || done.Load()+refused.Load() != 1000 {
		t.Error(done.Load(), refused.Load())
	}
	if _, err := pool.Stats(); !errors.Is(err, ErrDeadInstance) {
		t.Error(err)
	}
}

func TestClosePoolInAHostFunction(t *testing.T) {
	var pool *Pool
	var inner error
	note := WithImport("host", "note", func(ctx context.Context, _ string) {
		_ = pool.Close()
		inner = pool.Do(ctx, "nothing")
	})
	pool, err := conformance(t).Pool(context.Background(), PoolOptions{Size: 1}, (&conformanceRunner{}).options(), note)
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Do(context.Background(), "notes", []string{"x"}); err != nil {
		t.Error("the call that was under way did not go on:", err)
	}
	if !errors.Is(inner, ErrDeadInstance) {
		t.Error(inner)
	}
}

// A goroutine that a host function starts is no part of the call: it waits for its end.
func TestGoroutineOfAHostFunctionWaits(t *testing.T) {
	runner := &conformanceRunner{}
	var waited error
	note := WithImport("host", "note", func(ctx context.Context, _ string) {
		done := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			done <- runner.instance.Do(ctx, "nothing")
		}()
		waited = <-done
	})
	inst := instance(t, conformance(t), runner.options(), note)
	runner.instance = inst
	if err := inst.Do(context.Background(), "notes", []string{"x"}); err != nil {
		t.Error(err)
	}
	if !errors.Is(waited, ErrTimeout) {
		t.Error(waited)
	}
}

func TestManyGoroutinesOnOneInstance(t *testing.T) {
	inst := instance(t, conformance(t), (&conformanceRunner{}).options())
	const count = 10_000
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range count {
		all.Add(1)
		go func() {
			defer all.Done()
			<-begin
			if err := inst.Do(context.Background(), "counter"); err != nil {
				t.Error(err)
			}
		}()
	}
	close(begin)
	all.Wait()
	if n, err := Call[int](context.Background(), inst, "counter"); err != nil || n != count+1 {
		t.Error(n, err)
	}
}

func TestWaitersEnd(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	note := WithImport("host", "note", func(string) {
		entered <- struct{}{}
		<-leave
	})
	inst := instance(t, conformance(t), (&conformanceRunner{}).options(), note, WithTimeout(time.Minute))
	first := make(chan error)
	go func() { first <- inst.Do(context.Background(), "notes", []string{"x"}) }()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := inst.Do(ctx, "nothing"); !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	waiting := make(chan error)
	go func() { waiting <- inst.Do(context.Background(), "nothing") }()
	for waiters := 0; waiters == 0; runtime.Gosched() {
		inst.callee.mutex.Lock()
		waiters = len(inst.callee.waiters)
		inst.callee.mutex.Unlock()
	}
	_ = inst.Close()
	if err := <-waiting; !errors.Is(err, ErrDeadInstance) {
		t.Error(err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestNobodyPassesThoseWhoWait(t *testing.T) {
	c := &callee{size: 1, home: &home{}}
	if err := c.acquire(context.Background()); err != nil {
		t.Fatal(err)
	}
	turn, err := c.line()
	if turn == nil || err != nil {
		t.Fatal(err)
	}
	second, err := c.line()
	if second == nil || err != nil {
		t.Fatal(err)
	}
	c.release()
	<-turn
	select {
	case <-second:
		t.Fatal("two are inside")
	default:
	}
	// One that gives up after it was given its turn hands it on.
	c.leave(turn)
	<-second
	c.release()
	if c.state.Load() != 0 {
		t.Error(c.state.Load())
	}
}

func TestGoexitInAHostFunction(t *testing.T) {
	if os.Getenv("UNDERGO_TEST_GOEXIT") != "" {
		inst := instance(t, conformance(t), (&conformanceRunner{}).options(), WithImport("host", "note", func(string) { t.FailNow() }))
		_ = inst.Do(context.Background(), "notes", []string{"x"})
		return
	}
	if code, output := child(t, "UNDERGO_TEST_GOEXIT"); code != 2 || !strings.Contains(output, goexited) {
		t.Errorf("%d: %s", code, output)
	}
}

func TestHandlesInAnyOrder(t *testing.T) {
	for range 20 {
		plugin := conformance(t)
		inst, err := plugin.Instantiate(context.Background(), (&conformanceRunner{}).options())
		if err != nil {
			t.Fatal(err)
		}
		_ = plugin.Close()
		_ = plugin.Close()
		if err := inst.Do(context.Background(), "nothing"); err != nil {
			t.Error(err)
		}
		if _, err := plugin.Instantiate(context.Background()); !errors.Is(err, ErrDeadInstance) {
			t.Error(err)
		}
		// The collector closes this one.
		_ = inst
	}
	runtime.GC()
}
