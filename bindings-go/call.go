package undergo

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Callable is what exports can be called of: an [Instance] or a [Pool].
type Callable interface {
	// Do calls an export without a result, by its name in WIT or in Go.
	Do(ctx context.Context, name string, arguments ...any) error
	// Plugin is the plugin that it is of.
	Plugin() *Plugin

	of() *callee
}

// Call calls an export by its name in WIT or in Go, and gives its result as a T; any is a type for
// all results. Arguments may be what the export wants in Go, a struct for a record, matched by the
// names of its fields, or a map[string]any. A result of several values is a struct or a list; see
// [Call2].
func Call[T any](ctx context.Context, callable Callable, name string, arguments ...any) (T, error) {
	var result T
	err := invoke(ctx, callable, name, arguments, []reflect.Value{reflect.ValueOf(&result).Elem()}, true)
	return result, err
}

// Call2 is [Call] for an export with two results.
func Call2[A, B any](ctx context.Context, callable Callable, name string, arguments ...any) (A, B, error) {
	var a A
	var b B
	err := invoke(ctx, callable, name, arguments, []reflect.Value{reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem()}, false)
	return a, b, err
}

// Call3 is [Call] for an export with three results.
func Call3[A, B, C any](ctx context.Context, callable Callable, name string, arguments ...any) (A, B, C, error) {
	var a A
	var b B
	var c C
	results := []reflect.Value{reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem(), reflect.ValueOf(&c).Elem()}
	err := invoke(ctx, callable, name, arguments, results, false)
	return a, b, c, err
}

// entry is undergo_entry_t.
type entry struct {
	target     uintptr
	digest     uint64
	number     uint32
	args       unsafe.Pointer
	result     unsafe.Pointer
	scratch    unsafe.Pointer
	scratchLen uintptr
	timeout    uint64
	cancel     uintptr
	caller     unsafe.Pointer
	arena      uintptr
	error      uintptr
}

// call is a call of an export under way. It lies on the heap, because the goroutine's stack may
// move during a host function.
type call struct {
	entry  entry
	callee *callee
	ctx    context.Context
	// answer is for the result of a host function, of which one runs at a time.
	answer RawWriter
	// scratch has most results' nested data.
	scratch [64]uint64
}

var calls = sync.Pool{New: func() any { return new(call) }}

// run waits for a turn and makes the call, whose arguments and result lie in C's memory or on Go's
// heap. What the result points to lies there until done.
func (c *call) run(ctx context.Context, callee *callee, number uint32, digest uint64, args, result unsafe.Pointer) error {
	isBound := ctx.Done() != nil
	if isBound && ctx.Err() != nil {
		return asked(ctx, fault(KindCancelled, "the call was cancelled before it began"))
	}
	if err := callee.acquire(ctx); err != nil {
		return err
	}
	c.callee, c.ctx = callee, ctx
	e := &c.entry
	e.target, e.digest, e.number, e.args, e.result = callee.handle, digest, number, args, result
	e.scratch, e.scratchLen, e.caller = unsafe.Pointer(&c.scratch), unsafe.Sizeof(c.scratch), unsafe.Pointer(c)
	if isBound {
		bound := bind(ctx)
		e.timeout, e.cancel = bound.timeout, bound.token.at
		cgocall(callee.enter, unsafe.Pointer(e))
		bound.end()
		e.timeout, e.cancel = 0, 0
	} else {
		cgocall(callee.enter, unsafe.Pointer(e))
	}
	callee.release()
	if e.error == 0 {
		return nil
	}
	return c.failed(ctx)
}

// failed gives the error of the call.
func (c *call) failed(ctx context.Context) error {
	handle := c.entry.error
	c.entry.error = 0
	return asked(ctx, taken(handle))
}

// clean frees what the result pointed to, and lets go of what the call had.
func (c *call) clean() {
	if c.entry.arena != 0 {
		theLibrary.arena_delete.call(c.entry.arena)
		c.entry.arena = 0
	}
	c.entry.args, c.entry.result, c.callee, c.ctx, c.answer.host = nil, nil, nil, nil, nil
}

// done cleans the call, and gives it back.
func (c *call) done() {
	c.clean()
	calls.Put(c)
}

// token is undergo_cancel_t, which is freed when nobody has it any more.
type token struct {
	at uintptr
	// cancel ends the calls that have the token.
	cancel func()
}

// tokens are those that were not used up.
var tokens = sync.Pool{New: func() any {
	made := &token{}
	made.at, _ = theLibrary.cancel_new.call()
	made.cancel = func() {
		theLibrary.cancel_cancel.call(made.at)
		runtime.KeepAlive(made)
	}
	runtime.AddCleanup(made, func(at uintptr) { theLibrary.cancel_delete.call(at) }, made.at)
	return made
}}

// bound is what a context means for the library: a time, and a token by which it ends the call.
type bound struct {
	timeout uint64
	token   *token
	stop    func() bool
}

func bind(ctx context.Context) bound {
	b := bound{token: tokens.Get().(*token)}
	if deadline, ok := ctx.Deadline(); ok {
		// At least 1: 0 is no bound.
		b.timeout = uint64(max(time.Until(deadline), 1))
	}
	b.stop = context.AfterFunc(ctx, b.token.cancel)
	return b
}

// end lets go of the context. A token that is used, or about to be, is not used again.
func (b bound) end() {
	if b.stop() {
		tokens.Put(b.token)
	}
	runtime.KeepAlive(b.token)
}

// block is memory for arguments, which C reads.
type block struct {
	free []uint64
	used int
	// kept is what C knows the addresses of.
	kept []any
}

func (b *block) room(size, align uintptr) unsafe.Pointer {
	// All is aligned to 8 bytes, which is enough for any value.
	words := max(int(size+7)/8, 1)
	if b.used+words > len(b.free) {
		b.free, b.used = make([]uint64, max(words, 64)), 0
		b.kept = append(b.kept, b.free)
	}
	at := unsafe.Pointer(&b.free[b.used])
	b.used += words
	return at
}

func (b *block) lend(value any) bool {
	b.kept = append(b.kept, value)
	return true
}

// invoke makes a call by reflection. whole says that the only variable is for the result as it is,
// also when that is several values.
func invoke(ctx context.Context, callable Callable, name string, arguments []any, results []reflect.Value, whole bool) error {
	callee := callable.of()
	found, err := callee.plugin.export(name)
	if err != nil {
		return err
	}
	if len(arguments) != len(found.params) {
		return &Error{Kind: KindTypeMismatch, Path: found.Name + "()", Message: fmt.Sprintf("expected %d arguments, got %d", len(found.params), len(arguments))}
	}
	if found.result == nil && len(results) > 0 && !(whole && results[0].Kind() == reflect.Interface) {
		return &Error{Kind: KindTypeMismatch, Path: found.Name + "()", Message: "it has no result: call it with Do"}
	}
	block := &block{}
	args := block.room(found.size, 8)
	for i, param := range found.params {
		if err := lower(block, param.typ, reflect.ValueOf(arguments[i]), unsafe.Add(args, param.at)); err != nil {
			return mismatched(at(err, param.name), found.Name)
		}
	}
	var result unsafe.Pointer
	if found.result != nil {
		result = block.room(found.result.size, 8)
	}
	c := calls.Get().(*call)
	err = c.run(ctx, callee, found.number, found.digest, args, result)
	if err == nil && found.result != nil && len(results) > 0 {
		err = liftResults(found.result, result, results, whole)
		err = mismatched(at(err, "result"), found.Name)
	}
	c.done()
	runtime.KeepAlive(block)
	runtime.KeepAlive(callable)
	return err
}

func liftResults(t *typ, from unsafe.Pointer, results []reflect.Value, whole bool) error {
	if whole {
		return lift(t, from, results[0])
	}
	if t.kind != kindTuple || len(t.fields) != len(results) {
		return &misfit{text: fmt.Sprintf("a result of %s is not %d values", t, len(results))}
	}
	for i, field := range t.fields {
		if err := lift(field.typ, unsafe.Add(from, field.at), results[i]); err != nil {
			return at(err, fmt.Sprintf(".%d", i))
		}
	}
	return nil
}
