package undergo

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// dispatch is undergo_dispatch_t.
type dispatch struct {
	context    uintptr
	caller     unsafe.Pointer
	id         unsafe.Pointer
	what       uint32
	method     uint32
	args       unsafe.Pointer
	len        uintptr
	result     unsafe.Pointer
	scratch    unsafe.Pointer
	scratchLen uintptr
	arena      uintptr
	error      uintptr
}

const (
	dispatchCall    = 1
	dispatchLine    = 2
	dispatchRelease = 3
	dispatchFailure = 4
)

// object is what the library holds of this side, by its address: a host function, an object of the
// host, something that gets lines, or an error.
type object struct {
	// methods are those of an object. A host function is the only one.
	methods []hostMethod
	// plugin declares the errors with fields that they may return.
	plugin *Plugin
	// fields gives those of generated code.
	fields func(writer *RawWriter, err error) RawFields
	// home has the context of what is not a call of an export: of the initialisation, say.
	home *home
	// released is called when the library lets go of it, wherever that is; ended at the end of the
	// call that passed it, for what has to have ended by then if it was released.
	released, ended func()
	// line gets a line of output.
	line func(line []byte) error
	// failure is told of a request of HTTP that has failed.
	failure func(err error)
	// err is an error that a host function returned.
	err error
	// own is the value that an object of the host is made of.
	own any
}

// hostMethod is a function of the host for one of the interface.
type hostMethod struct {
	call     func(ctx context.Context, d *dispatch) error
	function *function
}

// home is shared by the host functions of an instance or a pool.
type home struct {
	mutex sync.Mutex
	// entered are the contexts of what is under way, the last one at the end. What a pool does may
	// end in another order than it began.
	entered []*context.Context
	// producers are the goroutines that run the functions of iterators, by their numbers.
	producers     sync.Map
	producerCount atomic.Int64
}

func (h *home) enter(ctx context.Context) (leave func()) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	own := &ctx
	h.entered = append(h.entered, own)
	return func() {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.entered = slices.DeleteFunc(h.entered, func(other *context.Context) bool { return other == own })
	}
}

func (h *home) context() context.Context {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if len(h.entered) == 0 {
		return context.Background()
	}
	return *h.entered[len(h.entered)-1]
}

// objects are those that the library has, which Go's collector must not free.
var objects = struct {
	sync.Mutex
	held map[*object]struct{}
}{held: map[*object]struct{}{}}

// hold gives the number by which the library knows an object, until it releases it.
func hold(o *object) uintptr {
	objects.Lock()
	defer objects.Unlock()
	objects.held[o] = struct{}{}
	return uintptr(unsafe.Pointer(o))
}

func release(o *object) {
	objects.Lock()
	delete(objects.held, o)
	objects.Unlock()
	if o.released != nil {
		o.released()
	}
}

// held counts the objects that the library has.
func held() int {
	objects.Lock()
	defer objects.Unlock()
	return len(objects.held)
}

// hostObject gives the object that an error of the library stands for.
func hostObject(handle uintptr) (*object, bool) { return numbered(theLibrary.error_dispatched, handle) }

// ownOf gives the value that an object of the host is made of, which a component has passed back.
func ownOf(handle uintptr) any {
	if of, is := numbered(theLibrary.object_dispatched, handle); is {
		return of.own
	}
	return nil
}

// numbered gives the object whose number the library has for a handle, if it has one.
func numbered(find symbol, handle uintptr) (*object, bool) {
	id := new(unsafe.Pointer)
	is, _ := find.call(handle, uintptr(unsafe.Pointer(id)))
	return (*object)(*id), is&0xff != 0
}

// dispatched is called by the library, on the stack of the goroutine whose call is under way, for
// all that Go has to do. A panic must not unwind through the library's frames.
func dispatched(at unsafe.Pointer) {
	d := (*dispatch)(at)
	o := (*object)(d.id)
	if d.what == dispatchRelease {
		release(o)
		return
	}
	err := o.run(d)
	if err == nil {
		return
	}
	if d.what == dispatchFailure {
		log.Printf("undergo: the function that is told of failed requests panicked: %v", err)
		return
	}
	// An error has code of the program's, too.
	var handle uintptr
	failed := guarded(func() (failed error) {
		handle, failed = o.handed(d, err)
		return failed
	})
	if failed != nil {
		handle = alone(failed)
	}
	d.error = handle
}

const goexited = "undergo: a host function ended its goroutine with runtime.Goexit (as testing.T.FailNow does): the guest that called it can't go on, nor can the process; return an error instead"

// run does what was asked for: code of the program. A panic is an error, too.
func (o *object) run(d *dispatch) (err error) {
	returned := false
	defer caught(&returned, &err)
	switch d.what {
	case dispatchLine:
		err = o.line(content(uintptr(d.args), d.len))
	case dispatchFailure:
		o.failure(read(uintptr(d.args)))
	default:
		err = o.methods[d.method].call(o.context(d), d)
	}
	returned = true
	return err
}

// guarded runs other code of the program in the same way.
func guarded(code func() error) (err error) {
	returned := false
	defer caught(&returned, &err)
	err = code()
	returned = true
	return err
}

// caught is deferred. It makes the error of code that has not returned.
func caught(returned *bool, err *error) {
	if *returned {
		return
	}
	if value := recover(); value != nil {
		*err = &HostPanic{value, debug.Stack()}
		return
	}
	// Nothing can stop runtime.Goexit. It leaves the library's frames behind, which the next call
	// of the thread would stumble over.
	fmt.Fprintln(os.Stderr, goexited)
	os.Exit(2)
}

func (o *object) context(d *dispatch) context.Context {
	if c := (*call)(d.caller); c != nil {
		return c.ctx
	}
	return o.home.context()
}

// handed gives an error to the library, with those that it wraps where the plugin can get them.
func (o *object) handed(d *dispatch, err error) (uintptr, error) {
	if _, ok := err.(*misfit); ok || d.what != dispatchCall || o.plugin == nil || len(o.plugin.errors) == 0 {
		return alone(err), nil
	}
	function := o.methods[d.method].function
	if !function.fallible {
		return alone(err), nil
	}
	kept := &keeper{}
	links, failed := o.chain(d, err, kept)
	if failed != nil {
		return 0, ofHost(failed, function)
	}
	handle, _ := theLibrary.error_with_chain.call(alone(err), uintptr(unsafe.Pointer(unsafe.SliceData(links))), uintptr(len(links)))
	runtime.KeepAlive(kept)
	runtime.KeepAlive(links)
	return handle, nil
}

// alone gives an error to the library without those that it wraps.
func alone(err error) uintptr {
	if misfit, ok := err.(*misfit); ok {
		message := cText(misfit.Error())
		handle, _ := theLibrary.error_of_kind.call(uintptr(KindTypeMismatch), address(message))
		return handle
	}
	message := []byte(err.Error())
	handle, _ := theLibrary.error_new_dispatched.call(
		address(message), uintptr(len(message)), uintptr(unsafe.Pointer(theDispatcher)), hold(&object{err: err}))
	return handle
}

// writer is for the result of a host function: that of the call, unless a host function uses it
// that has led to this one.
func (d *dispatch) writer() *RawWriter {
	if c := (*call)(d.caller); c != nil && c.answer.host == nil {
		c.answer.host = d
		return &c.answer
	}
	return &RawWriter{host: d}
}

// pass refuses: only an [answer] has objects.
func (d *dispatch) pass(*object, *resource) (uintptr, error) {
	return 0, &misfit{text: "an object is not passed here"}
}

// answer is the result of a host function that has objects, which are the library's when it
// returns.
type answer struct {
	*dispatch
	passed []uintptr
}

func (a *answer) pass(given *object, resource *resource) (uintptr, error) {
	of := (*object)(a.id)
	given.plugin, given.home = of.plugin, of.home
	passed, err := pass(given, resource.digests)
	if err == nil {
		a.passed = append(a.passed, passed)
	}
	return passed, err
}

// answering has the result of a function written, which may have objects.
func (d *dispatch) answering(function *function, write func(w answering) error) error {
	if function.result == nil || !function.result.holdsHandles {
		return write(d)
	}
	answer := &answer{dispatch: d}
	err := write(answer)
	if err != nil {
		for _, passed := range answer.passed {
			theLibrary.object_delete.call(passed)
		}
	}
	return err
}

// pass makes an object of the library of one of this side's, for methods of these digests.
func pass(given *object, digests []uint64) (uintptr, error) {
	passed := new(uintptr)
	failed, _ := theLibrary.object_new_dispatched.call(
		uintptr(unsafe.Pointer(unsafe.SliceData(digests))), uintptr(len(digests)),
		uintptr(unsafe.Pointer(theDispatcher)), hold(given), uintptr(unsafe.Pointer(passed)))
	return *passed, taken(failed)
}

// returned ends the use of a writer.
func (d *dispatch) returned(writer *RawWriter) {
	if c := (*call)(d.caller); c != nil && writer.odd != "" {
		c.odd = writer.odd
	}
	writer.host, writer.odd, writer.passed, writer.failed = nil, "", writer.passed[:0], nil
}

// room gives a place for a part of a host function's result, which lives until the library has read
// it.
func (d *dispatch) room(size, align uintptr) unsafe.Pointer {
	skip := -uintptr(d.scratch) & (align - 1)
	if size+skip <= d.scratchLen {
		at := unsafe.Add(d.scratch, skip)
		d.scratch, d.scratchLen = unsafe.Add(at, size), d.scratchLen-skip-size
		return at
	}
	at, _ := theLibrary.arena_alloc.call(d.arena, size)
	if at == 0 {
		panic(fmt.Sprintf("there is no memory for %d bytes of a result", size))
	}
	return pointer(at)
}
