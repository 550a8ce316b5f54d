package undergo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mostKept is how many objects and iterators a soaker holds at once.
const mostKept = 40

// TestSoak uses what lives longer than a call at random: objects, iterators, functions and streams,
// of which nothing may be left on either side. SECONDS=… does so for longer, and SEED=… repeats a
// run.
func TestSoak(t *testing.T) {
	seconds, seed := 2.0, rand.Uint64N(1<<32)
	if given, err := strconv.ParseFloat(os.Getenv("SECONDS"), 64); err == nil {
		seconds = given
	}
	if given, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = given
	}
	plugin := conformance(t)
	runtime.GC()
	before, goroutines := held(), runtime.NumGoroutine()
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	var uses atomic.Int64
	var running sync.WaitGroup
	for number := range uint64(3) {
		running.Add(1)
		go func() {
			defer running.Done()
			count, err := soak(plugin, rand.New(rand.NewPCG(seed, number)), end)
			uses.Add(count)
			if err != nil {
				t.Errorf("soaker %d: %v", number, err)
			}
		}()
	}
	running.Wait()
	t.Logf("soak: %g s, seed %d: %d uses of objects, iterators, callbacks and streams", seconds, seed, uses.Load())
	if uses.Load() == 0 {
		t.Error("nothing was done")
	}
	// What is left to the collector, and the goroutines of iterators, end a little later.
	for deadline := time.Now().Add(10 * time.Second); held() > before || runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d objects are left of %d, and %d goroutines of %d", held(), before, runtime.NumGoroutine(), goroutines)
		}
		runtime.GC()
	}
}

// soaker has an instance, with what is held of it.
type soaker struct {
	inst      *Instance
	dice      *rand.Rand
	objects   []*Object
	iterators []counted
}

// counted is an iterator, and how far it was read.
type counted struct {
	items *Items[int64]
	at    int64
}

// soak does things with an instance of its own, and gives how many.
func soak(plugin *Plugin, dice *rand.Rand, end time.Time) (uses int64, err error) {
	ctx := context.Background()
	runner := &conformanceRunner{}
	inst, err := plugin.Instantiate(ctx, runner.options())
	if err != nil {
		return 0, err
	}
	runner.instance = inst
	defer func() { err = errors.Join(err, inst.Close()) }()
	goroutines, err := Call[int32](ctx, inst, "goroutines")
	if err != nil {
		return 0, err
	}
	s := &soaker{inst: inst, dice: dice}
	all := []func(ctx context.Context) error{
		s.make, s.add, s.merge, s.end, s.count, s.take, s.leave, s.apply, s.fail, s.keep, s.iterate, s.copy, s.read,
	}
	for ; time.Now().Before(end); uses++ {
		if err := all[dice.IntN(len(all))](ctx); err != nil {
			return uses, err
		}
	}
	s.objects, s.iterators = nil, nil
	return uses, s.left(ctx, goroutines)
}

// left lets go of everything, and says what is left.
func (s *soaker) left(ctx context.Context, goroutines int32) error {
	if err := errors.Join(s.inst.Do(ctx, "drop-kept"), s.inst.Do(ctx, "drop-store")); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		ofGuest, err1 := Call[int32](ctx, s.inst, "handles-of-guest")
		ofHost, err2 := Call[int32](ctx, s.inst, "handles-of-host")
		now, err3 := Call[int32](ctx, s.inst, "goroutines")
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		handles := s.inst.Handles()
		if handles == (HandleCounts{}) && ofGuest == 0 && ofHost == 0 && now <= goroutines {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("left are %+v, objects of the guest: %d, of the host: %d, and goroutines: %d", handles, ofGuest, ofHost, now-goroutines)
		}
	}
}

// hold holds an object; an older one is dropped for it, which the collector notices.
func (s *soaker) hold(made ...*Object) {
	s.objects = append(s.objects, made...)
	s.objects = slices.Delete(s.objects, 0, max(len(s.objects)-mostKept, 0))
}

func (s *soaker) object() *Object {
	if len(s.objects) == 0 {
		return nil
	}
	return s.objects[s.dice.IntN(len(s.objects))]
}

func (s *soaker) make(ctx context.Context) error {
	if s.dice.IntN(2) == 0 {
		made, err := s.inst.New(ctx, "tally", s.dice.IntN(100))
		if err == nil {
			s.hold(made)
		}
		return err
	}
	made, err := Call[[]*Object](ctx, s.inst, "count-up", s.dice.IntN(5))
	s.hold(made...)
	return err
}

func (s *soaker) add(ctx context.Context) error {
	tally, n := s.object(), s.dice.Int64N(100)
	if tally == nil {
		return nil
	}
	before, err1 := Call[int64](ctx, tally, "value")
	sum, err2 := Call[int64](ctx, tally, "add", n)
	return errors.Join(err1, err2, wrong(sum, before+n))
}

func (s *soaker) merge(ctx context.Context) error {
	a, b := s.object(), s.object()
	if a == nil {
		return nil
	}
	merged, err := Call[*Object](ctx, s.inst, "merge-tallies", a, b)
	if err != nil {
		return err
	}
	s.hold(merged)
	one, err1 := Call[int64](ctx, a, "value")
	other, err2 := Call[int64](ctx, b, "value")
	sum, err3 := Call[int64](ctx, merged, "value")
	return errors.Join(err1, err2, err3, wrong(sum, one+other))
}

func (s *soaker) end(ctx context.Context) error {
	if len(s.objects) == 0 {
		return nil
	}
	at := s.dice.IntN(len(s.objects))
	tally := s.objects[at]
	s.objects = slices.Delete(s.objects, at, at+1)
	if err := tally.Close(); err != nil {
		return err
	}
	if err := tally.Do(ctx, "value"); !errors.Is(err, ErrTypeMismatch) {
		return fmt.Errorf("a closed object has answered: %w", err)
	}
	return nil
}

func (s *soaker) count(ctx context.Context) error {
	items, err := Call[*Items[int64]](ctx, s.inst, "numbers", s.dice.IntN(2000))
	if err == nil {
		s.iterators = append(s.iterators, counted{items, 0})
		s.iterators = slices.Delete(s.iterators, 0, max(len(s.iterators)-mostKept, 0))
	}
	return err
}

// draw takes an iterator out of those that are held.
func (s *soaker) draw() (counted, bool) {
	if len(s.iterators) == 0 {
		return counted{}, false
	}
	at := s.dice.IntN(len(s.iterators))
	drawn := s.iterators[at]
	s.iterators = slices.Delete(s.iterators, at, at+1)
	return drawn, true
}

func (s *soaker) take(ctx context.Context) error {
	drawn, ok := s.draw()
	if !ok {
		return nil
	}
	for range s.dice.IntN(300) {
		item, more, err := drawn.items.Next(ctx)
		if err != nil || !more {
			return err
		}
		if err := wrong(item, drawn.at); err != nil {
			return err
		}
		drawn.at++
	}
	s.iterators = append(s.iterators, drawn)
	return nil
}

func (s *soaker) leave(context.Context) error {
	drawn, ok := s.draw()
	if ok && s.dice.IntN(2) == 0 {
		return drawn.items.Close()
	}
	return nil
}

// apply passes a function, which may call the instance, or let go of what is held.
func (s *soaker) apply(ctx context.Context) error {
	given := make([]int64, s.dice.IntN(20))
	wanted := make([]int64, len(given))
	for i := range given {
		given[i] = s.dice.Int64N(100)
		wanted[i] = 2 * given[i]
	}
	double := func(ctx context.Context, n int64) (int64, error) {
		switch s.dice.IntN(10) {
		case 0:
			return 2 * n, s.make(ctx)
		case 1:
			return 2 * n, s.leave(ctx)
		}
		return 2 * n, nil
	}
	got, err := Call[[]int64](ctx, s.inst, "apply", given, double)
	if err == nil && !slices.Equal(got, wanted) {
		return fmt.Errorf("%v, and not %v", got, wanted)
	}
	return err
}

var errNo = errors.New("no")

func (s *soaker) fail(ctx context.Context) error {
	_, err := Call[[]int64](ctx, s.inst, "apply", []int64{1}, func(int64) (int64, error) { return 0, errNo })
	if err == nil {
		return errors.New("a function's failure was lost")
	}
	return nil
}

// keep has the guest keep a function and an object, or let go of them.
func (s *soaker) keep(ctx context.Context) error {
	if s.dice.IntN(2) == 0 {
		return errors.Join(s.inst.Do(ctx, "keep-op", func(n int64) int64 { return n + 1 }), s.inst.Do(ctx, "keep-store", store{}))
	}
	return errors.Join(s.inst.Do(ctx, "drop-kept"), s.inst.Do(ctx, "drop-store"))
}

func (s *soaker) iterate(ctx context.Context) error {
	n := s.dice.Int64N(1000)
	given := func(yield func(int64) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
	sum, err := Call[int64](ctx, s.inst, "sum-items", given)
	return errors.Join(err, wrong(sum, n*(n-1)/2))
}

func (s *soaker) copy(ctx context.Context) error {
	content := bytes.Repeat([]byte{byte(s.dice.IntN(256))}, s.dice.IntN(100_000))
	var written bytes.Buffer
	n, err := Call[int64](ctx, s.inst, "copy-stream", &written, bytes.NewReader(content))
	if err == nil && !bytes.Equal(written.Bytes(), content) {
		return errors.New("a copy is another")
	}
	return errors.Join(err, wrong(n, int64(len(content))))
}

// read reads a stream of the guest, or leaves it.
func (s *soaker) read(ctx context.Context) error {
	n := 1 + s.dice.IntN(1000)
	stream, err := Call[*Reader](ctx, s.inst, "repeat-stream", "abc", n)
	if err != nil {
		return err
	}
	if s.dice.IntN(2) == 0 {
		content, err := io.ReadAll(stream)
		if err := errors.Join(err, wrong(int64(len(content)), int64(3*n))); err != nil {
			return err
		}
	}
	return stream.Close()
}

func wrong(got, wanted int64) error {
	if got != wanted {
		return fmt.Errorf("%d, and not %d", got, wanted)
	}
	return nil
}
