//go:build go1.24

package iterator

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// upTo yields the numbers below n, and says in ended that it has returned.
func upTo(n int, ended *bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer func() { *ended = true }()
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// take asks p for batches until it has n items, or there are no more.
func take[T any](p *Producer[T], most uint32, n int) (items []T, end bool) {
	for len(items) < n && !end {
		var batch []T
		batch, end = p.Next(most)
		items = append(items, batch...)
	}
	return items, end
}

// panics is what f panics with.
func panics(t *testing.T, f func()) (text string) {
	t.Helper()
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	t.Error("it did not panic")
	return ""
}

func TestItemsInOrder(t *testing.T) {
	for _, most := range []uint32{0, 1, 2, 3, 256, 1 << 31} {
		for _, n := range []int{0, 1, 2, 3, 255, 256, 257, 5000} {
			var ended bool
			p := New(upTo(n, &ended))
			items, end := take(p, most, n+1)
			if len(items) != n || !end || !ended {
				t.Errorf("%d items, %d at a time: got %d, end %t, returned %t", n, most, len(items), end, ended)
			}
			for i, v := range items {
				if i != v {
					t.Fatalf("item %d is %d", i, v)
				}
			}
			if again, end := p.Next(most); len(again) != 0 || !end {
				t.Errorf("behind the end: %v, %t", again, end)
			}
			p.Stop()
		}
	}
}

func TestPairs(t *testing.T) {
	p := New2(maps("a", "b", "c"))
	got, _ := take(p, 2, 4)
	if want := []Pair[int, string]{{0, "a"}, {1, "b"}, {2, "c"}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func maps(values ...string) iter.Seq2[int, string] { return slices.All(values) }

func TestFunctionRunsOnDemand(t *testing.T) {
	made := 0
	p := New(func(yield func(int) bool) {
		for {
			made++
			if !yield(made) {
				return
			}
		}
	})
	if made != 0 {
		t.Error("it runs before the first item is asked for")
	}
	for i := range 10 {
		if items, _ := p.Next(1); items[0] != i+1 {
			t.Fatalf("item %d is %d", i, items[0])
		}
	}
	p.Stop()
	if made != 10 {
		t.Errorf("10 items were asked for, %d made", made)
	}
}

func TestStopRunsDeferred(t *testing.T) {
	for _, taken := range []int{1, 2, 100} {
		var ended bool
		p := New(upTo(1000, &ended))
		take(p, 1, taken)
		p.Stop()
		if !ended {
			t.Errorf("after %d items the function has not returned", taken)
		}
		p.Stop()
	}
	var ended bool
	p := New(upTo(1, &ended))
	p.Stop()
	if ended {
		t.Error("a function of which nobody asked for items ran")
	}
	if text := panics(t, func() { p.Next(1) }); !strings.Contains(text, "after its end") {
		t.Error(text)
	}
}

// An item that is there is given while the function waits for the next one.
func TestWaitingFunction(t *testing.T) {
	gate := make(chan struct{}, 4)
	p := New(func(yield func(int) bool) {
		for i := range 4 {
			if !yield(i) {
				return
			}
			<-gate
		}
	})
	for i := range 4 {
		items, end := p.Next(100)
		if !slices.Equal(items, []int{i}) || end {
			t.Fatalf("item %d: %v, %t", i, items, end)
		}
		gate <- struct{}{}
	}
	if items, end := p.Next(1); len(items) != 0 || !end {
		t.Errorf("the end: %v, %t", items, end)
	}
}

func TestStopWhileFunctionWaits(t *testing.T) {
	gate, ended := make(chan struct{}), false
	p := New(func(yield func(int) bool) {
		defer func() { ended = true }()
		yield(1)
		<-gate
		if yield(2) {
			t.Error("yield is true after the stop")
		}
	})
	p.Next(10)
	time.AfterFunc(10*time.Millisecond, func() { close(gate) })
	p.Stop()
	if !ended {
		t.Error("the function has not returned")
	}
}

func TestItemsBeforePanic(t *testing.T) {
	out := crash(t, "panic", func() {
		p := New(func(yield func(int) bool) {
			yield(1)
			yield(2)
			failing("went wrong")
		})
		items, end := take(p, 10, 2)
		fmt.Println("items:", items, end)
		p.Next(1)
	})
	for _, want := range []string{"items: [1 2] false\n", "panic: went wrong\n", "iterator.failing("} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func failing(text string) { panic(text) }

func TestPanicWhileItStops(t *testing.T) {
	out := crash(t, "stopping", func() {
		p := New(func(yield func(int) bool) {
			defer failing("on the way out")
			yield(1)
		})
		p.Next(1)
		p.Stop()
	})
	if !strings.Contains(out, "panic: on the way out\n") {
		t.Error(out)
	}
}

func TestNilIterator(t *testing.T) {
	if New[int](nil) != nil || New2[int, int](nil) != nil {
		t.Error("there is a producer")
	}
}

func TestYieldAfterFalse(t *testing.T) {
	out := crash(t, "false", func() {
		p := New(func(yield func(int) bool) {
			for yield(1) || true {
			}
		})
		p.Next(1)
		p.Stop()
	})
	if !strings.Contains(out, "called yield after that had returned false") {
		t.Error(out)
	}
}

func TestYieldAfterReturn(t *testing.T) {
	var escaped func(int) bool
	p := New(func(yield func(int) bool) { escaped = yield })
	p.Next(1)
	if text := panics(t, func() { escaped(1) }); !strings.Contains(text, "after it had returned") {
		t.Error(text)
	}
}

func TestYieldFromTwoGoroutines(t *testing.T) {
	texts := make(chan string, 1)
	p := New(func(yield func(int) bool) {
		var other sync.WaitGroup
		other.Add(1)
		go func() {
			defer other.Done()
			time.Sleep(10 * time.Millisecond) // by then yield waits
			texts <- panics(t, func() { yield(2) })
		}()
		yield(1)
		other.Wait()
	})
	p.Next(1)
	if text := <-texts; !strings.Contains(text, "from two goroutines at once") {
		t.Error(text)
	}
	p.Stop()
}

func TestNextFromWithin(t *testing.T) {
	var p *Producer[int]
	texts := make(chan string, 3)
	gate := make(chan struct{})
	p = New(func(yield func(int) bool) {
		texts <- panics(t, func() { p.Next(1) })
		yield(1)
		<-gate
		// Nobody waits now, but for the function itself.
		texts <- panics(t, func() { p.Next(1) })
		texts <- panics(t, func() { p.Stop() })
		yield(2)
	})
	p.Next(2)
	close(gate)
	for _, want := range []string{"while it makes one", "asked for its own next item", "while it makes its next item"} {
		if text := <-texts; !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if items, _ := p.Next(1); !slices.Equal(items, []int{2}) {
		t.Errorf("then: %v", items)
	}
	p.Stop()
}

func TestGoexit(t *testing.T) {
	p := New(func(yield func(int) bool) {
		yield(1)
		runtime.Goexit()
	})
	if items, end := take(p, 5, 1); !slices.Equal(items, []int{1}) || end {
		t.Errorf("before: %v, %t", items, end)
	}
	if text := panics(t, func() { p.Next(1) }); !strings.Contains(text, "Goexit") {
		t.Error(text)
	}
}

// A panic behind what the caller has taken is none.
func TestPanicThatNobodyComesTo(t *testing.T) {
	before := runtime.NumGoroutine()
	p := New(func(yield func(int) bool) {
		yield(1)
		panic("far away")
	})
	p.Next(2)
	for {
		p.lock.Lock()
		there := p.state == over
		p.lock.Unlock()
		if there {
			break
		}
		time.Sleep(time.Millisecond)
	}
	p.Stop()
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines are left", n-before)
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := range 1000 {
		var ended bool
		p := New(upTo(i%7, &ended))
		take(p, uint32(i%3), i%5)
		p.Stop()
	}
	if n := goroutines(before); n > before {
		t.Errorf("%d goroutines are left", n-before)
	}
}

// goroutines is how many there are, once those that are about to end have.
func goroutines(enough int) int {
	for range 1000 {
		if runtime.NumGoroutine() <= enough {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}

func TestNestedProducers(t *testing.T) {
	inner := func(n int) iter.Seq[int] {
		return func(yield func(int) bool) {
			var ended bool
			p := New(upTo(n, &ended))
			defer p.Stop()
			for {
				items, end := p.Next(2)
				for _, v := range items {
					if !yield(v) {
						return
					}
				}
				if end {
					return
				}
			}
		}
	}
	items, _ := take(New(inner(100)), 7, 101)
	if len(items) != 100 || items[99] != 99 {
		t.Errorf("got %v", items)
	}
}

func TestBatchesOfLargeItems(t *testing.T) {
	p := New(func(yield func([64 << 10]byte) bool) {
		for range 100 {
			if !yield([64 << 10]byte{}) {
				return
			}
		}
	})
	if items, _ := p.Next(1 << 30); cap(items) > mostBytes/(64<<10) {
		t.Errorf("there is room for %d items", cap(items))
	}
	p.Stop()
}

// crash runs f in another process, which ends by a panic, and returns its output.
func crash(t *testing.T, name string, f func()) string {
	t.Helper()
	if os.Getenv("UNDERGO_CRASH") == name {
		f()
		os.Exit(0)
	}
	if runtime.GOOS == "wasip1" {
		t.Skip("there are no processes")
	}
	if os.Getenv("UNDERGO_CRASH") != "" {
		t.Skip("this process is for another one")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "UNDERGO_CRASH="+name)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("it did not crash: %s", out)
	}
	return string(out)
}

// BenchmarkItems is what an item costs, in batches as a host asks for them.
func BenchmarkItems(b *testing.B) {
	p := New(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	for b.Loop() {
		p.Next(256)
	}
	p.Stop()
}

// Functions that wait, and callers that leave, at random: each item comes once and in
// order, and nothing is left.
func TestAtRandom(t *testing.T) {
	before := runtime.NumGoroutine()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		n, waits, leaves := random.IntN(200), random.IntN(10), random.IntN(300)
		ended := false
		p := New(func(yield func(int) bool) {
			defer func() { ended = true }()
			for i := range n {
				if waits > 0 && i%waits == 0 {
					time.Sleep(time.Duration(i%3) * time.Microsecond)
				}
				if !yield(i) {
					return
				}
			}
		})
		var items []int
		for end := false; !end && len(items) < leaves; {
			var batch []int
			batch, end = p.Next(random.Uint32N(40))
			items = append(items, batch...)
			if random.IntN(20) == 0 {
				runtime.Gosched()
			}
		}
		p.Stop()
		for i, v := range items {
			if v != i {
				t.Fatalf("seed %d: item %d is %d", seed, i, v)
			}
		}
		if len(items) < min(n, leaves) || len(items) > n || len(items) > 0 && !ended {
			t.Fatalf("seed %d: %d of %d items, returned: %t", seed, len(items), n, ended)
		}
	}
	if left := goroutines(before); left > before {
		t.Errorf("%d goroutines are left", left-before)
	}
}
