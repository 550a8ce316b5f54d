//go:build go1.24

// Package iterator carries iterators between a plugin and its host, a batch of
// items at a time, for the generated code: those of Go, which the host asks for
// items (a [Producer]), and those of the host, over which Go code ranges (a
// [Source]). Nothing in it needs WebAssembly.
package iterator

import (
	"iter"
	"unsafe"
)

const (
	// mostItems is the most items of a batch, and mostBytes what they may take:
	// there is room for all of them before it is known how many come.
	mostItems = 1024
	mostBytes = 1 << 20
)

// A Pair is an item of an iter.Seq2.
type Pair[K, V any] struct {
	Key   K
	Value V
}

// A Producer runs the function of an iterator, in a goroutine of its own, and has
// it make items for as long as somebody waits for them.
//
// The host waits in [Producer.Next], which the first item of a batch makes ready to
// go on. On WebAssembly, with its one thread and no preemption, that happens when
// the function's goroutine waits for something: in yield because the batch is full,
// or in the function's own code. So an item that is there is not held back by one
// that takes long to come, and a function that only computes fills its batches.
// With several threads, as in tests, batches are shorter.
//
// Between two calls of Next the function stands still in its yield. If it waited in
// its own code when Next returned, it goes on to its next yield, which keeps that
// item for the next batch.
type Producer[T any] struct {
	seq iter.Seq[T]

	lock  lock
	state state
	batch []T // the batch that is being filled, with room for as many as were asked for
	n     int // how many items it has
	quick int // up to here yield adds items without a further thought
	early T   // an item for which nobody has waited

	asked    bool // Next runs
	open     bool // it waits, and the batch has room
	woken    bool // it was told that there is something
	hasEarly bool
	stopped  bool // yield returns false from now on
	refused  bool // yield has returned false

	end     ending
	ready   chan struct{} // tells Next that there is something
	more    chan struct{} // tells yield to return
	verdict chan bool     // tells a panic whether to go on
	gone    chan struct{} // closed when nothing of the function's goroutine is left
}

// A state is where the function of a producer stands.
type state uint8

const (
	fresh   state = iota // it has not been called
	running              // it runs, or waits in its own code
	parked               // it waits in yield
	over                 // it has come to its end, whichever
)

// New is the producer of the items of seq, which does not run yet; nil if seq is nil.
func New[T any](seq iter.Seq[T]) *Producer[T] {
	if seq == nil {
		return nil
	}
	return &Producer[T]{
		seq:     seq,
		ready:   make(chan struct{}, 1),
		more:    make(chan struct{}, 1),
		verdict: make(chan bool, 1),
		gone:    make(chan struct{}),
	}
}

// New2 is the same for pairs.
func New2[K, V any](seq iter.Seq2[K, V]) *Producer[Pair[K, V]] {
	if seq == nil {
		return nil
	}
	return New(func(yield func(Pair[K, V]) bool) {
		seq(func(k K, v V) bool { return yield(Pair[K, V]{k, v}) })
	})
}

// Next gives one to most items, and whether there are no more; with the end there
// may be none. The items are valid until the next call.
//
// If the function panics, the items before that are given first. Then Next lets the
// panic go on where it is: in the function's goroutine, with the function's stack,
// where nobody recovers it.
func (p *Producer[T]) Next(most uint32) (items []T, end bool) {
	p.lock.Lock()
	if p.asked || p.stopped {
		asked := p.asked
		p.lock.Unlock()
		if asked {
			panic("undergo: an iterator was asked for its next item while it makes one")
		}
		panic("undergo: an iterator was asked for its next item after its end")
	}
	p.asked = true
	elsewhere := p.state == running
	p.lock.Unlock()
	if elsewhere && p.beneath() {
		p.lock.Lock()
		p.asked = false
		p.misuse("asked for its own next item")
	}

	// Others may run while memory is allocated. What yield has for the batch
	// meanwhile is early.
	p.reserve(most)

	p.lock.Lock()
	switch {
	case p.hasEarly:
		var zero T
		p.batch[0], p.n = p.early, 1
		p.early, p.hasEarly = zero, false
	case p.state == over:
		p.n = 0
	default:
		p.await()
	}
	items = p.batch[:p.n]
	p.asked, p.open, p.quick = false, false, 0
	isOver, how := p.state == over && !p.hasEarly, p.end
	p.lock.Unlock()
	switch {
	case !isOver:
		return items, false
	case how == returned:
		return items, true
	case len(items) > 0:
		return items, false
	}
	p.fail()
	return nil, true
}

// await has the function fill the batch. The lock is held, but for the time in
// which it waits.
func (p *Producer[T]) await() {
	before := p.state
	p.n, p.open, p.woken = 0, true, false
	if before == fresh {
		p.state = running
	}
	p.lock.Unlock()
	turn := now()
	switch before {
	case fresh:
		go p.run()
	case parked:
		p.more <- struct{}{}
	}
	<-p.ready
	turn.Await()
	p.lock.Lock()
}

// reserve makes room for a batch of that many items.
func (p *Producer[T]) reserve(most uint32) {
	n := min(max(int(min(most, mostItems)), 1), max(mostBytes/int(max(unsafe.Sizeof(p.early), 1)), 1))
	if n > cap(p.batch) {
		p.batch = make([]T, n)
	}
	p.batch = p.batch[:n]
}

// yield is what the function calls for each item. As a literal it is called directly,
// which a method would not be.
func (p *Producer[T]) yield() func(T) bool {
	return func(v T) bool {
		p.lock.Lock()
		if n := p.n; n < p.quick {
			p.batch[n] = v
			p.n = n + 1
			p.lock.Unlock()
			return true
		}
		return p.yieldSlowly(v)
	}
}

// yieldSlowly is yield for the first item of a batch, and the last one. The lock is held.
func (p *Producer[T]) yieldSlowly(v T) bool {
	switch {
	case p.state == over:
		p.misuse("called yield after it had returned")
	case p.refused:
		p.misuse("called yield after that had returned false")
	case p.state == parked:
		p.misuse("called yield from two goroutines at once")
	case p.stopped:
		p.refused = true
		p.lock.Unlock()
		return false
	case p.open:
		p.batch[p.n] = v
		p.n++
		p.wake()
		if p.n < len(p.batch) {
			p.quick = len(p.batch) - 1
			p.lock.Unlock()
			return true
		}
		p.open, p.quick = false, 0
	default:
		p.early, p.hasEarly = v, true
	}
	p.state = parked
	p.lock.Unlock()
	<-p.more
	p.lock.Lock()
	p.state = running
	p.refused = p.stopped
	goOn := !p.stopped
	p.lock.Unlock()
	return goOn
}

// misuse panics about what the function did. The lock is held.
func (p *Producer[T]) misuse(what string) {
	p.lock.Unlock()
	panic("undergo: the function of an iterator " + what)
}

// wake tells Next that there is something, once for each time that it waits.
func (p *Producer[T]) wake() {
	if !p.woken {
		p.woken = true
		p.ready <- struct{}{}
	}
}

// Stop ends the iterator: its yield returns false, and Stop returns when the
// function has returned, deferred functions included. A function that never does
// holds Stop for as long as the call in which the host stops it may last.
func (p *Producer[T]) Stop() {
	p.lock.Lock()
	asked, elsewhere := p.asked, p.state == running
	p.lock.Unlock()
	if asked || elsewhere && p.beneath() {
		panic("undergo: an iterator was closed while it makes its next item")
	}
	p.lock.Lock()
	if p.stopped {
		p.lock.Unlock()
		return
	}
	var zero T
	p.stopped, p.early, p.hasEarly = true, zero, false
	before, how := p.state, p.end
	if before == fresh {
		p.state = over
	}
	p.lock.Unlock()
	turn := now()
	switch {
	case before == fresh:
		return
	case before == parked:
		p.more <- struct{}{}
	case before == over && how == panicked:
		p.verdict <- false
	}
	<-p.gone
	turn.Await()
	p.batch = nil
}
