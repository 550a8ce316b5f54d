//go:build go1.24

package iterator

import (
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// An ending is how the function of a producer came to its end.
type ending uint8

const (
	returned ending = iota
	panicked
	exited // by runtime.Goexit
)

// run calls the function, in a goroutine of its own.
func (p *Producer[T]) run() {
	finished := false
	defer p.finish(&finished)
	yield := p.yield()
	within(unsafe.Pointer(p), func() { p.seq(yield) })
	finished = true
}

// within calls f. Its frame says on whose behalf a goroutine runs.
//
//go:noinline
func within(producer unsafe.Pointer, f func()) {
	f()
	runtime.KeepAlive(producer)
}

// finish is deferred by run. A panic waits in it until somebody asks for the item
// that it came instead of: nothing has recovered it, so that it is then reported
// with the stack of where it happened. If nobody does, the caller has left early,
// as if the function had never come that far.
func (p *Producer[T]) finish(finished *bool) {
	how := returned
	if !*finished {
		how = unwinding()
	}
	p.lock.Lock()
	p.state, p.end = over, how
	if p.open {
		p.open, p.quick = false, 0
		p.wake()
	}
	stopped := p.stopped
	p.lock.Unlock()
	if how == panicked {
		if stopped || <-p.verdict {
			return
		}
		_ = recover()
	}
	close(p.gone)
}

// fail lets the panic of the function go on, or panics in its place.
func (p *Producer[T]) fail() {
	if p.end == exited {
		panic("undergo: the function of an iterator called runtime.Goexit")
	}
	p.verdict <- true
	select {} // the panic ends the program
}

// unwinding says what runs the deferred function that calls it. Only recover could
// tell, and that would end a panic.
func unwinding() ending {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		switch frame.Function {
		case "runtime.gopanic":
			return panicked
		case "runtime.Goexit":
			return exited
		}
		if !more {
			return panicked
		}
	}
}

// beneath says that the goroutine of the caller is that of the function: the host
// asks for an item while it is called by the function. Go's own number of a
// goroutine would cost each iterator more than its first batch, so that this looks
// at the stack, and only where the answer matters.
func (p *Producer[T]) beneath() bool {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, "/iterator.within") {
			break
		}
		if !more {
			return false
		}
	}
	trace := make([]byte, 64<<10)
	trace = trace[:runtime.Stack(trace, false)]
	address := strconv.FormatUint(uint64(uintptr(unsafe.Pointer(p))), 16)
	return strings.Contains(string(trace), "/iterator.within(0x"+address+",")
}
