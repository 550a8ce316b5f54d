package undergo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

func handled(t testing.TB, options ...Option) (*Instance, *conformanceRunner) {
	runner := &conformanceRunner{}
	inst := instance(t, conformance(t), append([]Option{runner.options()}, options...)...)
	runner.instance = inst
	return inst, runner
}

// kindOf is the kind of an error of the package; another one fails the test.
func kindOf(t testing.TB, err error) Kind {
	t.Helper()
	var found *Error
	if !errors.As(err, &found) {
		t.Fatalf("%v is no error of the package", err)
	}
	return found.Kind
}

func TestObjectsAreReleasedWhenNobodyHasThem(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	for range 100 {
		if _, err := inst.New(ctx, "Tally", 1); err != nil {
			t.Fatal(err)
		}
		if err := inst.Do(ctx, "count-up", 3); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); inst.Handles().Given > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(inst.Handles())
		}
		runtime.GC()
	}
	// The guest lets go of them with a call.
	closed, err := Call[int32](ctx, inst, "ClosedTallies")
	left, err2 := Call[int32](ctx, inst, "HandlesOfGuest")
	if closed != 400 || left != 0 || err != nil || err2 != nil {
		t.Error(closed, left, err, err2)
	}
}

func TestObjectsByTheirMethods(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	tally, err := inst.New(ctx, "tally", 5)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := Call[int](ctx, tally, "Add", 2); sum != 7 || err != nil {
		t.Error(sum, err)
	}
	if tally.Resource() != "tally" || tally.Plugin() != inst.Plugin() || !tally.IsOpen() {
		t.Error(tally)
	}
	for call, kind := range map[string]Kind{"Nothing": KindUnknownExport, "Add": KindTypeMismatch} {
		if err := tally.Do(ctx, call); kindOf(t, err) != kind {
			t.Error(call, err)
		}
	}
	if _, err := inst.New(ctx, "talley"); kindOf(t, err) != KindUnknownExport || !strings.Contains(err.Error(), "tally") {
		t.Error(err)
	}
	// In structs, too.
	type counting struct {
		Name   string
		Main   *Object
		Others []*Object
		Spare  *Object
		Named  map[string]*Object
		Best   any
	}
	made, err := Call[counting](ctx, inst, "NewCounting", "x", 5)
	if err != nil || made.Spare != nil || len(made.Others) != 2 || made.Named["a"] == nil {
		t.Fatal(made, err)
	}
	made.Best = Case{Tag: "nobody"}
	if sum, err := Call[int64](ctx, inst, "SumCounting", made); sum != 5+0+1+6 || err != nil {
		t.Error(sum, err)
	}
	if made.Main.IsOpen() || !tally.IsOpen() {
		t.Error("what is passed within a record is given away")
	}
	// A variable that has no form for it, after what has.
	if _, _, err := Call2[*Object, int](ctx, inst, "TallyAndName", 1, "x"); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	if _, err := Call[*Reader](ctx, inst, "MaybeTally", 1); kindOf(t, err) != KindTypeMismatch || !strings.Contains(err.Error(), "its type is *undergo.Object") {
		t.Error(err)
	}
}

func TestObjectsAfterTheirEnd(t *testing.T) {
	ctx := context.Background()
	inst, _ := handled(t)
	use := func(tally *Object) error { return tally.Do(ctx, "value") }
	made := func() *Object {
		t.Helper()
		tally, err := inst.New(ctx, "tally", 1)
		if err != nil {
			t.Fatal(err)
		}
		return tally
	}
	closed := made()
	for range 2 {
		if err := closed.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := use(closed); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	reset := made()
	if err := inst.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	if err := use(reset); kindOf(t, err) != KindTypeMismatch || reset.IsOpen() {
		t.Error(err)
	}
	other, _ := handled(t)
	if err := other.Do(ctx, "sum-tallies", made(), made()); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	dead := made()
	if err := inst.Do(ctx, "panic", "x"); kindOf(t, err) != KindPanic {
		t.Error(err)
	}
	if err := use(dead); kindOf(t, err) != KindDeadInstance || dead.Close() != nil {
		t.Error(err)
	}
	if err := inst.Close(); err != nil {
		t.Fatal(err)
	}
	if err := use(dead); kindOf(t, err) != KindDeadInstance || dead.IsOpen() || dead.Close() != nil {
		t.Error(err)
	}
}

func TestManyGoroutinesUseHandles(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	tally, err := inst.New(ctx, "tally", 0)
	if err != nil {
		t.Fatal(err)
	}
	count := 10_000
	if testing.Short() {
		count = 1000
	}
	var group sync.WaitGroup
	for i := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			own, err := inst.New(ctx, "tally", int64(i))
			if err != nil {
				t.Error(err)
				return
			}
			if value, err := Call[int64](ctx, own, "value"); value != int64(i) || err != nil {
				t.Error(value, err)
			}
			if err := tally.Do(ctx, "add", 1); err != nil {
				t.Error(err)
			}
			// Some are left to the collector.
			if i%2 == 0 {
				if err := own.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	if value, err := Call[int64](ctx, tally, "value"); value != int64(count) || err != nil {
		t.Error(value, err)
	}
}

func TestCallbacksOfAnyForm(t *testing.T) {
	type key struct{}
	inst, _ := handled(t)
	ctx := context.WithValue(context.Background(), key{}, 3)
	before := held()
	given := func(ctx context.Context, n int64) (int64, error) { return n * int64(ctx.Value(key{}).(int)), nil }
	if found, err := Call[[]int](ctx, inst, "apply", []int{1, 2}, given); !slices.Equal(found, []int{3, 6}) || err != nil {
		t.Error(found, err)
	}
	own := &ownError{7}
	if err := inst.Do(ctx, "apply-plain", []int{1}, func(int) (int, error) { return 0, own }); !errors.Is(err, own) || kindOf(t, err) != KindHostError {
		t.Error(err)
	}
	if held() != before {
		t.Errorf("the library holds %d objects more", held()-before)
	}
	inst, _ = handled(t)
	for _, odd := range []any{func() int64 { return 0 }, func(string) (int64, error) { return 0, nil }, 5, nil, (func(int64) int64)(nil)} {
		if err := inst.Do(ctx, "apply", []int{1}, odd); kindOf(t, err) != KindTypeMismatch || !strings.Contains(err.Error(), "apply(f)") {
			t.Error(err)
		}
	}
	var panicked *HostPanic
	if err := inst.Do(ctx, "apply-plain", []int{1}, func(int64) int64 { panic("mine") }); !errors.As(err, &panicked) || panicked.Value != "mine" {
		t.Error(err)
	}
}

func TestWhatIsKeptIsReleased(t *testing.T) {
	inst, _ := handled(t)
	ctx, before := context.Background(), held()
	for range 10 {
		if err := inst.Do(ctx, "keep-op", func(n int64) int64 { return n + 1 }); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := Call[int](ctx, inst, "call-kept", 0); found != 10 || err != nil || held() != before+10 {
		t.Error(found, err, held()-before)
	}
	if err := inst.Do(ctx, "drop-kept"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := inst.Do(ctx, "handles-of-host"); err != nil {
			t.Fatal(err)
		}
	}
	if held() != before || inst.Handles().Held != 0 {
		t.Error(held()-before, inst.Handles())
	}
	if err := inst.Do(ctx, "keep-op", func(n int64) int64 { return n }); err != nil {
		t.Fatal(err)
	}
	if err := inst.Close(); err != nil || held() >= before {
		t.Error(err, held()-before)
	}
}

type lacking struct{}

func (lacking) Get(string) (string, error) { return "", nil }

type unlike struct{ store }

func (unlike) Size() string { return "" }

func TestObjectsOfTheHostThatDoNotFit(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	for wanted, odd := range map[string]any{"has no method put": lacking{}, "its method Size": unlike{}, "expected a value with the methods get, put": nil} {
		if err := inst.Do(ctx, "store-get", odd, "a"); kindOf(t, err) != KindTypeMismatch || !strings.Contains(err.Error(), wanted) {
			t.Error(err)
		}
	}
	// A pointer to one, and one of the interface's own types.
	var given interface{ Size() int64 } = &store{"a": "x"}
	if sum, err := Call[int](ctx, inst, "sum-sizes", []any{given, store{}}, nil); sum != 1 || err != nil {
		t.Error(sum, err)
	}
}

func TestIterators(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	numbers, err := Call[*Items[int]](ctx, inst, "numbers", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	for number, err := range numbers.All(ctx) {
		if number != next || err != nil {
			t.Fatal(number, next, err)
		}
		next++
	}
	if next != 10_000 || inst.Handles().Given != 0 {
		t.Error(next, inst.Handles())
	}
	pairs, err := Call[*Items[Pair[string, int32]]](ctx, inst, "entries", 2)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int32{}
	for pair, err := range pairs.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		found[pair.Key] = pair.Value
	}
	if len(found) != 2 || found["k1"] != 1 {
		t.Error(found)
	}
	endless, err := Call[*Items[int64]](ctx, inst, "count-forever")
	if err != nil {
		t.Fatal(err)
	}
	for number := range endless.All(ctx) {
		if number == 1000 {
			break
		}
	}
	if ended, err := Call[int](ctx, inst, "ended"); ended != 2 || err != nil {
		t.Error(ended, err)
	}
	if _, _, err := endless.Next(ctx); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	if _, err := Call[*Items[string]](ctx, inst, "numbers", 1); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	numbers, err = Call[*Items[int]](ctx, inst, "numbers", 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := numbers.Next(cancelled); !errors.Is(err, context.Canceled) || !inst.Alive() {
		t.Error(err)
	}
	if number, ok, err := numbers.Next(ctx); number != 0 || !ok || err != nil {
		t.Error(number, ok, err)
	}
	// A panic comes after the items before it, also by All.
	panicking, err := Call[*Items[int]](ctx, inst, "count-then-panic", 3, "oh dear")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	var last error
	for number, err := range panicking.All(ctx) {
		if last = err; err == nil {
			all = append(all, number)
		}
	}
	if !slices.Equal(all, []int{0, 1, 2}) || kindOf(t, last) != KindPanic {
		t.Error(all, last)
	}
}

func TestAnIteratorWithinItself(t *testing.T) {
	inst, runner := handled(t)
	ctx := context.Background()
	var items *Items[int64]
	var inner error
	// Each item is said by the host, which asks for the next one.
	echo := WithImport("host", "echo-int", func(n int64) int64 {
		_, _, inner = items.Next(ctx)
		return n
	})
	inst = instance(t, inst.Plugin(), runner.options(), echo)
	var err error
	if items, err = Call[*Items[int64]](ctx, inst, "count-through-host", 2); err != nil {
		t.Fatal(err)
	}
	if _, _, err := items.Next(ctx); err != nil || kindOf(t, inner) != KindBusy {
		t.Error(err, inner)
	}
}

func TestIterablesOfAnyForm(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	upTo := func(yield func(int64) bool) {
		for i := range int64(1000) {
			if !yield(i) {
				return
			}
		}
	}
	own, err := Call[*Items[int64]](ctx, inst, "numbers", 1000)
	if err != nil {
		t.Fatal(err)
	}
	type named iter.Seq[int64]
	type number int32
	const sum = 999 * 500
	for _, given := range []any{
		upTo, iter.Seq[int64](upTo), named(upTo), own, slices.Collect(iter.Seq[int64](upTo)), [2]int64{sum - 1, 1},
		func(yield func(int64, error) bool) { _ = yield(sum, nil) },
		func(yield func(number) bool) { _ = yield(sum) },
		iter.Seq[any](func(yield func(any) bool) { _ = yield(sum-1) && yield(uint8(1)) }),
	} {
		if found, err := Call[int](ctx, inst, "sum-items", given); found != sum || err != nil {
			t.Errorf("%T: %d, %v", given, found, err)
		}
	}
	if found, err := Call[int](ctx, inst, "sum-items", []int64(nil)); found != 0 || err != nil {
		t.Error(found, err)
	}
	entries := func(yield func(string, int) bool) { _ = yield("a", 1) && yield("b", 2) && yield("a", 3) }
	if found, err := Call[map[string]int](ctx, inst, "collect-entries", entries); found["a"] != 4 || err != nil {
		t.Error(found, err)
	}
	for _, odd := range []any{func(yield func(string) bool) {}, "text", []string{"a"}, map[string]int{}, func(int) {}} {
		if err := inst.Do(ctx, "sum-items", odd); kindOf(t, err) != KindTypeMismatch {
			t.Errorf("%T: %v", odd, err)
		}
	}
}

func TestTheFunctionOfAnIterableEndsWithItsCall(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	hasReturned := false
	endless := func(yield func(int64) bool) {
		defer func() { hasReturned = true }()
		for i := int64(0); yield(i); i++ {
		}
	}
	if found, err := Call[[]int64](ctx, inst, "first-items", endless, 3); !slices.Equal(found, []int64{0, 1, 2}) || err != nil || !hasReturned {
		t.Error(found, err, hasReturned)
	}
	// What is ready is not held back.
	wait := make(chan struct{})
	slow := func(yield func(int64) bool) {
		if yield(1) {
			<-wait
			yield(2)
		}
	}
	if found, err := Call[[]int64](ctx, inst, "first-items", slow, 1); !slices.Equal(found, []int64{1}) || err != nil {
		t.Error(found, err)
	}
	close(wait)
	own := &ownError{1}
	failing := func(yield func(int64, error) bool) { _ = yield(1, nil) && yield(0, own) }
	if err := inst.Do(ctx, "sum-items", failing); !errors.Is(err, own) {
		t.Error(err)
	}
}

func TestIterablesThatMisbehave(t *testing.T) {
	ctx := context.Background()
	inst, _ := handled(t, WithTimeout(time.Minute))
	var inner error
	calling := func(yield func(int64) bool) {
		inner = inst.Do(ctx, "nothing")
		yield(7)
	}
	if found, err := Call[int](ctx, inst, "sum-items", calling); found != 7 || err != nil || kindOf(t, inner) != KindBusy {
		t.Error(found, err, inner)
	}
	var panicked *HostPanic
	if err := inst.Do(ctx, "sum-items", func(yield func(int64) bool) { panic("mine") }); !errors.As(err, &panicked) || panicked.Value != "mine" {
		t.Error(err)
	}
	inst, _ = handled(t)
	if err := inst.Do(ctx, "sum-items", func(yield func(int64) bool) { runtime.Goexit() }); kindOf(t, err) != KindHostError {
		t.Error(err)
	}
	inst, _ = handled(t)
	bounded, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	wait := make(chan struct{})
	defer close(wait)
	if err := inst.Do(bounded, "sum-items", func(yield func(int64) bool) { <-wait }); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestStreams(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	stream, err := Call[io.ReadCloser](ctx, inst, "repeat-stream", "0123456789", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer
	if count, err := io.Copy(&copied, stream); count != 1_000_000 || err != nil || !bytes.HasPrefix(copied.Bytes(), []byte("0123456789")) {
		t.Error(count, err)
	}
	if err := stream.Close(); err != nil || inst.Handles().Given != 0 {
		t.Error(err, inst.Handles())
	}
	content := make([]byte, 3<<20)
	_, _ = rand.Read(content)
	copied.Reset()
	for _, reader := range []io.Reader{bytes.NewReader(content), iotest.HalfReader(bytes.NewReader(content)), iotest.DataErrReader(bytes.NewReader(content))} {
		copied.Reset()
		if count, err := Call[int](ctx, inst, "copy-stream", &copied, reader); count != len(content) || err != nil || !bytes.Equal(copied.Bytes(), content) {
			t.Error(count, err)
		}
	}
	if err := iotest.TestReader(streamed(ctx, t, inst, "hello, streams"), []byte("hello, streams")); err != nil {
		t.Error(err)
	}
	// A stream of the plugin's is one of the host's.
	if found, err := Call[[]byte](ctx, inst, "read-stream", streamed(ctx, t, inst, "abc")); string(found) != "abc" || err != nil {
		t.Error(found, err)
	}
	writer, err := Call[*Writer](ctx, inst, "collect-stream", len(content), "not closed well")
	if err != nil {
		t.Fatal(err)
	}
	if count, err := io.Copy(writer, bytes.NewReader(content)); count != int64(len(content)) || err != nil {
		t.Error(count, err)
	}
	if collected, err := Call[[]byte](ctx, inst, "collected"); !bytes.Equal(collected, content) || err != nil {
		t.Error(len(collected), err)
	}
	if _, err := writer.Write([]byte("x")); kindOf(t, err) != KindGuestError || !strings.Contains(err.Error(), "no room") {
		t.Error(err)
	}
	if err := writer.Close(); kindOf(t, err) != KindGuestError || !strings.Contains(err.Error(), "not closed well") {
		t.Error(err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
}

func streamed(ctx context.Context, t *testing.T, inst *Instance, text string) *Reader {
	t.Helper()
	stream, err := Call[*Reader](ctx, inst, "repeat-stream", text, 1)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestStreamsThatMisbehave(t *testing.T) {
	inst, _ := handled(t)
	ctx := context.Background()
	for wanted, reader := range map[string]io.Reader{
		"mine": iotest.ErrReader(&ownError{1}), "no data": stuck(0), "read 9999999 bytes": stuck(9_999_999), "read -1 bytes": stuck(-1),
	} {
		if err := inst.Do(ctx, "read-stream", reader); err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(wanted, "mine", "my own")) {
			t.Error(wanted, err)
		}
	}
	if err := inst.Do(ctx, "write-stream", short{}, "abc", 1); err == nil || !strings.Contains(err.Error(), "short write") {
		t.Error(err)
	}
	if err := inst.Do(ctx, "read-stream", "no stream"); kindOf(t, err) != KindTypeMismatch || !strings.Contains(err.Error(), "an io.Reader") {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	stream, err := Call[*Reader](cancelled, inst, "endless-stream", "x")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) || !inst.Alive() {
		t.Error(err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

type stuck int

func (s stuck) Read([]byte) (int, error) { return int(s), nil }

type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestPoolsLendInstances(t *testing.T) {
	ctx := context.Background()
	runner := &conformanceRunner{}
	pool, err := conformance(t).Pool(ctx, PoolOptions{Size: 2}, runner.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Call[*Object](ctx, pool, "maybe-tally", 1); kindOf(t, err) != KindSignatureMismatch || !strings.Contains(err.Error(), "maybe-tally") {
		t.Error(err)
	}
	var group sync.WaitGroup
	for i := range 20 {
		group.Add(1)
		go func() {
			defer group.Done()
			lent, err := pool.Take(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			tally, err := lent.New(ctx, "tally", i)
			if err != nil {
				t.Error(err)
			}
			runtime.Gosched()
			if value, err := Call[int](ctx, tally, "value"); value != i || err != nil {
				t.Error(value, err)
			}
			returned := make(chan error)
			// On another thread.
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				returned <- lent.Close()
			}()
			if err := <-returned; err != nil {
				t.Error(err)
			}
			if err := tally.Do(ctx, "value"); kindOf(t, err) != KindDeadInstance {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	first, err := pool.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := pool.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	bounded, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := pool.Take(bounded); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if stats, err := pool.Stats(); stats.Busy != 2 || stats.Made != 2 || err != nil {
		t.Error(stats, err)
	}
	if count, err := Call[int](ctx, first, "handles-of-guest"); count != 0 || err != nil {
		t.Error(count, err)
	}
	_ = first.Close()
	// The pool is freed after the last of its instances.
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Do(ctx, "nothing"); err != nil {
		t.Error(err)
	}
	_ = second.Close()
	if _, err := pool.Take(ctx); kindOf(t, err) != KindDeadInstance {
		t.Error(err)
	}
}
