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

// Callable is what functions can be called of: the exports of an [Instance] or a [Pool], and the
// methods of an [Object].
type Callable interface {
	// Do calls a function without a result, by its name in WIT or in Go.
	Do(ctx context.Context, name string, arguments ...any) error
	// Plugin is the plugin that it is of.
	Plugin() *Plugin

	of() *callee
	// find gives the function of a name.
	find(name string) (*function, error)
	// giver is what handles in results belong to; nil for a pool.
	giver() *Instance
	// object is the first argument of a method; nil for exports.
	object() *Object
}

// Call calls an export, or a method of an [Object], by its name in WIT or in Go, and gives its
// result as a T; any is a type for all results. A result of several values is a struct or a list;
// see [Call2]. What lives longer than the call is an [*Object], [*Items], a [*Reader] or a
// [*Writer].
//
// Arguments may be what the export wants in Go, a struct for a record, matched by the names of its
// fields, or a map[string]any. Where it wants
//
//   - a function, any function fits that has its parameters and results, as in [WithImport];
//   - an object of the host, any value with the methods does;
//   - an iterator, an iter.Seq, an iter.Seq2, a slice or [*Items] do. An iter.Seq2 whose second
//     value is an error may fail by it. Other goroutines run the functions of iterators, so that
//     these can't call the instance that wants their items;
//   - a stream, any io.Reader or io.Writer does, which the plugin closes if it is an io.Closer.
//
// They are the plugin's for the call, and for longer only if the export says so. Panics and errors
// are as those of [WithImport].
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
	// bounded says whether the context may end the call.
	bounded bool
	// errors are those with fields that the caller knows.
	errors []RawError
	// answer is for the result of a host function, of which one runs at a time.
	answer RawWriter
	// odd is what such a result had that was no case of its variant.
	odd oddity
	// scratch has most results' nested data.
	scratch [64]uint64
}

var calls = sync.Pool{New: func() any { return new(call) }}

// begun says whether a call may begin, as far as its context is concerned, and whether that may end
// it.
func begun(ctx context.Context) (bounded bool, err error) {
	if ctx.Done() == nil {
		return false, nil
	}
	if ctx.Err() == nil {
		return true, nil
	}
	return true, asked(ctx, fault(KindCancelled, "the call was cancelled before it began"))
}

// prepare readies the call for an export. Its arguments and result lie on Go's heap, and what the
// result points to until the call is cleaned.
func (c *call) prepare(callee *callee, export *function, args, result unsafe.Pointer) {
	c.callee = callee
	c.entry = entry{
		target: callee.handle, digest: export.digest, number: export.number, args: args, result: result,
		scratch: unsafe.Pointer(&c.scratch), scratchLen: unsafe.Sizeof(c.scratch), caller: unsafe.Pointer(c),
	}
}

// enter makes the call, whose turn it is.
func (c *call) enter() error {
	ctx, e := c.ctx, &c.entry
	if !c.bounded {
		cgocall(c.callee.enter, unsafe.Pointer(e))
	} else {
		bound := bind(ctx)
		e.timeout, e.cancel = bound.timeout, bound.token.at
		cgocall(c.callee.enter, unsafe.Pointer(e))
		bound.end()
		e.timeout, e.cancel = 0, 0
	}
	if e.error == 0 {
		return nil
	}
	return c.failed(ctx)
}

// failed gives the error of the call.
func (c *call) failed(ctx context.Context) error {
	handle := c.entry.error
	c.entry.error = 0
	defer theLibrary.error_delete.call(handle)
	found := read(handle)
	if found.Kind == KindGuestError {
		c.callee.plugin.readChain(handle, found, c.errors)
	}
	c.odd.explain(found)
	return asked(ctx, found)
}

// clean frees what the result pointed to, and lets go of what it has of the caller.
func (c *call) clean() {
	if c.entry.arena != 0 {
		theLibrary.arena_delete.call(c.entry.arena)
		c.entry.arena = 0
	}
	c.ctx, c.answer.host, c.odd = nil, nil, ""
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
	// callee is what is called, if anything is.
	callee *callee
	// passed are the objects of the library that were made for it, and given what they stand for.
	passed []uintptr
	given  []*object
}

// pass makes an object of the library that lives until the block ends, and as long as the guest
// keeps it.
func (b *block) pass(given *object, resource *resource) (uintptr, error) {
	given.plugin, given.home = b.callee.plugin, b.callee.home
	passed, err := pass(given, resource.digests)
	if err == nil {
		b.passed, b.given = append(b.passed, passed), append(b.given, given)
	}
	return passed, err
}

// end lets go of the objects. What runs for those that the guest has not kept has ended then.
func (b *block) end() {
	for _, passed := range b.passed {
		theLibrary.object_delete.call(passed)
	}
	for _, given := range b.given {
		if given.ended != nil {
			given.ended()
		}
	}
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
	found, err := callable.find(name)
	if err != nil {
		return err
	}
	return invokeFunction(ctx, callable, found, arguments, results, whole)
}

// invokeFunction is invoke for a function that is known.
func invokeFunction(ctx context.Context, callable Callable, found *function, arguments []any, results []reflect.Value, whole bool) error {
	callee, params := callable.of(), found.params
	block := &block{callee: callee}
	args := block.room(found.size, 8)
	if object := callable.object(); object != nil {
		*(*uintptr)(args), params = object.at, params[1:]
	}
	if len(arguments) != len(params) {
		return &Error{Kind: KindTypeMismatch, Path: found.Name + "()", Message: fmt.Sprintf("expected %d arguments, got %d", len(params), len(arguments))}
	}
	if found.result == nil && len(results) > 0 && !(whole && results[0].Kind() == reflect.Interface) {
		return &Error{Kind: KindTypeMismatch, Path: found.Name + "()", Message: "it has no result: call it with Do"}
	}
	defer block.end()
	for i, param := range params {
		if err := lower(block, param.typ, reflect.ValueOf(arguments[i]), unsafe.Add(args, param.at)); err != nil {
			return mismatched(at(err, param.name), found.Name)
		}
	}
	var result unsafe.Pointer
	if found.result != nil {
		result = block.room(found.result.size, 8)
	}
	bounded, err := begun(ctx)
	if err != nil {
		return err
	}
	if err := callee.acquire(ctx); err != nil {
		return err
	}
	c := calls.Get().(*call)
	c.prepare(callee, found, args, result)
	c.ctx, c.bounded = ctx, bounded
	err = c.enter()
	callee.release()
	if err == nil && found.result != nil {
		if len(results) > 0 {
			err = liftResults(&lifter{ctx, callable.giver()}, found.result, result, results, whole)
			err = mismatched(at(err, "result"), found.Name)
		}
		discard(found.result, result)
	}
	c.clean()
	c.callee, c.errors, c.entry.args, c.entry.result = nil, nil, nil, nil
	calls.Put(c)
	runtime.KeepAlive(block)
	runtime.KeepAlive(callable)
	return err
}

func liftResults(l *lifter, t *typ, from unsafe.Pointer, results []reflect.Value, whole bool) error {
	if whole {
		return lift(l, t, from, results[0])
	}
	if t.kind != kindTuple || len(t.fields) != len(results) {
		return &misfit{text: fmt.Sprintf("a result of %s is not %d values", t, len(results))}
	}
	for i, field := range t.fields {
		if err := lift(l, field.typ, unsafe.Add(from, field.at), results[i]); err != nil {
			return at(err, fmt.Sprintf(".%d", i))
		}
	}
	return nil
}
