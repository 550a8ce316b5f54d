package undergo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// nextItems writes up to so many items of an iterable of the program's as a list of that type, and
// says whether there are no more.
type nextItems func(ctx context.Context, w writer, list *typ, most int, to unsafe.Pointer) (hasEnded bool, err error)

// mostItems is how many are given at once, however many the guest asks for.
const mostItems = 1024

// givenItems makes an object of an iterable; nil for what is none.
func (r *resource) givenItems(v reflect.Value) (*object, error) {
	made := &object{}
	next, err := r.nextOf(made, v)
	if next == nil || err != nil {
		return nil, err
	}
	method := r.methods[0]
	list, ended := method.result.fields[0], method.result.fields[1]
	all := &typ{kind: kindList, size: 16, align: 8, elem: r.item()}
	call := func(ctx context.Context, d *dispatch) error {
		most := int(*(*uint32)(unsafe.Add(d.args, method.params[0].at)))
		var hasEnded bool
		err := d.answering(method, func(w answering) (err error) {
			hasEnded, err = next(ctx, w, all, min(max(most, 1), mostItems), unsafe.Add(d.result, list.at))
			return err
		})
		*(*bool)(unsafe.Add(d.result, ended.at)) = hasEnded
		return ofHost(err, method)
	}
	made.methods = []hostMethod{{call, method}}
	return made, nil
}

// nextOf gives the items of a value. What runs for them ends with the object.
func (r *resource) nextOf(of *object, v reflect.Value) (nextItems, error) {
	if v.CanInterface() {
		if own, ok := v.Interface().(interface{ asItems() nextItems }); ok {
			return own.asItems(), nil
		}
	}
	item := r.item()
	fits := func(goType reflect.Type) error {
		if err := checked(item, goType, true); err != nil {
			return &misfit{text: fmt.Sprintf("the items of %s: %v", r.name, err)}
		}
		return nil
	}
	t := v.Type()
	switch {
	case (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t != rawType:
		return sliceItems(v), fits(t.Elem())
	case t.Kind() != reflect.Func:
		return nil, nil
	case t.CanSeq():
		if next := commonItems(of, v); next != nil {
			return next, fits(t.In(0).In(0))
		}
		return eachItem(newProducer(of, withoutErrors(v.Seq()))), fits(t.In(0).In(0))
	case t.CanSeq2() && t.In(0).In(1) == errorType:
		items := func(yield func(reflect.Value, error) bool) {
			for item, failed := range v.Seq2() {
				err, _ := failed.Interface().(error)
				if !yield(item, err) {
					return
				}
			}
		}
		return eachItem(newProducer(of, items)), fits(t.In(0).In(0))
	case t.CanSeq2() && item.kind == kindTuple && len(item.fields) == 2:
		pairs := func(yield func([2]reflect.Value, error) bool) {
			for key, value := range v.Seq2() {
				if !yield([2]reflect.Value{key, value}, nil) {
					return
				}
			}
		}
		return eachPair(newProducer(of, pairs)), nil
	}
	return nil, nil
}

func withoutErrors[T any](seq iter.Seq[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item := range seq {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// sliceItems gives the elements of a slice or an array, in batches of any size.
func sliceItems(v reflect.Value) nextItems {
	at := 0
	return func(_ context.Context, w writer, list *typ, most int, to unsafe.Pointer) (hasEnded bool, err error) {
		count := min(most, v.Len()-at)
		if v.Kind() == reflect.Slice {
			err = lower(w, list, v.Slice(at, at+count), to)
		} else {
			err = lowerEach(w, list, count, to, func(i int) reflect.Value { return v.Index(at + i) })
		}
		at += count
		return at == v.Len(), err
	}
}

// commonItems are those of the types that most iterators have, for which nothing needs to be
// reflected; nil for others.
func commonItems(of *object, v reflect.Value) nextItems {
	for _, each := range []func(*object, reflect.Value) nextItems{plainItems[int], plainItems[int64], plainItems[float64], plainItems[string]} {
		if next := each(of, v); next != nil {
			return next
		}
	}
	return nil
}

func plainItems[T any](of *object, v reflect.Value) nextItems {
	wanted := reflect.TypeFor[iter.Seq[T]]()
	if !v.Type().ConvertibleTo(wanted) {
		return nil
	}
	from := newProducer(of, withoutErrors(v.Convert(wanted).Interface().(iter.Seq[T])))
	return func(ctx context.Context, w writer, list *typ, most int, to unsafe.Pointer) (bool, error) {
		batch, hasEnded, err := from.next(ctx, most)
		if err != nil {
			return false, err
		}
		return hasEnded, lower(w, list, reflect.ValueOf(batch), to)
	}
}

func eachItem(from *producer[reflect.Value]) nextItems {
	return func(ctx context.Context, w writer, list *typ, most int, to unsafe.Pointer) (bool, error) {
		batch, hasEnded, err := from.next(ctx, most)
		if err != nil {
			return false, err
		}
		return hasEnded, lowerEach(w, list, len(batch), to, func(i int) reflect.Value { return batch[i] })
	}
}

func lowerEach(w writer, list *typ, count int, to unsafe.Pointer, item func(i int) reflect.Value) error {
	size := list.elem.size
	items := w.room(uintptr(count)*size, list.elem.align)
	*(*cList)(to) = cList{uintptr(items), uintptr(count)}
	for i := range count {
		if err := lower(w, list.elem, item(i), unsafe.Add(items, uintptr(i)*size)); err != nil {
			return at(err, "["+strconv.Itoa(i)+"]")
		}
	}
	return nil
}

func eachPair(from *producer[[2]reflect.Value]) nextItems {
	return func(ctx context.Context, w writer, list *typ, most int, to unsafe.Pointer) (bool, error) {
		batch, hasEnded, err := from.next(ctx, most)
		if err != nil {
			return false, err
		}
		pair := list.elem
		items := w.room(uintptr(len(batch))*pair.size, 8)
		*(*cList)(to) = cList{uintptr(items), uintptr(len(batch))}
		for i, parts := range batch {
			for k, field := range pair.fields {
				if err := lower(w, field.typ, parts[k], unsafe.Add(items, uintptr(i)*pair.size+field.at)); err != nil {
					return false, at(err, fmt.Sprintf("[%d].%d", i, k))
				}
			}
		}
		return hasEnded, nil
	}
}

// producer runs the function of an iterator in a goroutine of its own, which fills batches: it
// pushes its items, and the guest pulls them. Coroutines would be quicker, but these belong to a
// thread, and the guest's next call may be on another one.
type producer[T any] struct {
	items iter.Seq2[T, error]
	of    *object

	mutex sync.Mutex
	batch []T
	// most is how many are asked for; 0 while nobody asks.
	most int
	// isEager has the next item be given at once.
	isEager bool
	// begun says whether the goroutine runs, and stands whether it does so in the middle of yield.
	begun, stands bool
	hasEnded      bool
	err           error
	// ready is sent to when a batch is, asked when one is wanted.
	ready, asked chan struct{}
	// stopped is closed when nobody wants more, ended when the function has returned.
	stopped, ended chan struct{}
}

// readyAfter is for how long a batch may be filled, once it has an item.
const readyAfter = 50 * time.Microsecond

func newProducer[T any](of *object, items iter.Seq2[T, error]) *producer[T] {
	p := &producer[T]{items: items, of: of, ready: make(chan struct{}, 1), asked: make(chan struct{}, 1), stopped: make(chan struct{}), ended: make(chan struct{})}
	of.released, of.ended = p.stop, p.wait
	return p
}

// next gives up to so many items. An error comes after the items before it.
func (p *producer[T]) next(ctx context.Context, most int) (items []T, hasEnded bool, err error) {
	p.mutex.Lock()
	p.most, p.isEager = most, false
	if !p.begun {
		p.begun = true
		go p.run()
	} else if p.stands {
		p.stands = false
		p.asked <- struct{}{}
	}
	isReady := p.isReady()
	p.mutex.Unlock()
	if !isReady {
		if err := p.await(ctx); err != nil {
			return nil, false, err
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	// There may be more than are asked for now, if nobody has waited for those that were before.
	count := min(most, len(p.batch))
	items, p.batch, p.most = p.batch[:count:count], p.batch[count:], 0
	// A signal that came after it was looked for.
	select {
	case <-p.ready:
	default:
	}
	if p.hasEnded && len(items) == 0 && p.err != nil {
		return nil, false, p.err
	}
	return items, p.hasEnded && len(p.batch) == 0 && p.err == nil, nil
}

// isReady says whether the batch is to be given. Called with the lock.
func (p *producer[T]) isReady() bool {
	return p.hasEnded || len(p.batch) >= p.most || p.isEager && len(p.batch) > 0
}

// await waits for a batch: for a full one, or after a while for one that has an item.
func (p *producer[T]) await(ctx context.Context) error {
	timer := time.NewTimer(readyAfter)
	defer timer.Stop()
	select {
	case <-p.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	p.mutex.Lock()
	p.isEager = true
	isReady := p.isReady()
	p.mutex.Unlock()
	if isReady {
		return nil
	}
	select {
	case <-p.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run is the goroutine.
func (p *producer[T]) run() {
	var err error
	returned := false
	leave := p.of.home.producing()
	defer func() {
		if !returned {
			if value := recover(); value != nil {
				err = &HostPanic{value, debug.Stack()}
			} else {
				err = errors.New("the function of an iterator ended its goroutine")
			}
		}
		leave()
		p.mutex.Lock()
		p.hasEnded, p.err = true, err
		p.signal()
		p.mutex.Unlock()
		close(p.ended)
	}()
	for item, failed := range p.items {
		if failed != nil {
			err = failed
			break
		}
		if !p.yield(item) {
			break
		}
	}
	returned = true
}

// yield adds an item, and stands still until another one is wanted, if that was the last one of its
// batch.
func (p *producer[T]) yield(item T) bool {
	p.mutex.Lock()
	p.batch = append(p.batch, item)
	isWanted := p.most > 0
	if isWanted && !p.isReady() {
		p.mutex.Unlock()
		return true
	}
	p.stands = true
	if isWanted {
		p.signal()
	}
	p.mutex.Unlock()
	select {
	case <-p.asked:
		return true
	case <-p.stopped:
		return false
	}
}

func (p *producer[T]) signal() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// stop has the function return, as soon as it gives another item. It may be called anywhere.
func (p *producer[T]) stop() { close(p.stopped) }

// wait waits for the function's return where it is about to: when it was stopped in yield.
func (p *producer[T]) wait() {
	select {
	case <-p.stopped:
	default:
		return
	}
	p.mutex.Lock()
	isEnding := p.begun && (p.stands || p.hasEnded)
	p.mutex.Unlock()
	if isEnding {
		<-p.ended
	}
}

// producing notes that this goroutine runs the function of an iterator, which the instance waits
// for.
func (h *home) producing() (leave func()) {
	id := goroutine()
	h.producers.Store(id, nil)
	h.producerCount.Add(1)
	return func() {
		h.producers.Delete(id)
		h.producerCount.Add(-1)
	}
}

// isProducer says whether the goroutine is one that the instance waits for.
func (h *home) isProducer() bool {
	if h.producerCount.Load() == 0 {
		return false
	}
	_, is := h.producers.Load(goroutine())
	return is
}

// goroutine is the number of this one, which Go gives in tracebacks only.
func goroutine() string {
	var room [64]byte
	text := room[len("goroutine "):runtime.Stack(room[:], false)]
	for i, c := range text {
		if c < '0' || c > '9' {
			return string(text[:i])
		}
	}
	return string(text)
}
