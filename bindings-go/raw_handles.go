package undergo

import (
	"context"
	"io"
	"iter"
	"unsafe"
)

// What follows is for what 'undergo bindgen --lang go' writes, too: what lives longer than a call.

// RawHandle is a handle of the guest's, or an object of the host's, as C has it.
type RawHandle uintptr

// RawLifter is what handles in the result of a call belong to.
type RawLifter struct {
	ctx    context.Context
	client *RawClient
}

// Lifter is that of the call.
func (c *RawCall[A, R]) Lifter() RawLifter { return RawLifter{c.call.ctx, c.client} }

// Client is what the methods of an object are called with.
func (l RawLifter) Client() *RawClient { return l.client }

// guests is the guest's resource of that name.
func (p *Plugin) guests(name string) *resource {
	for _, found := range p.resources {
		if !found.isHosts && found.name == name {
			return found
		}
	}
	return &resource{name: name}
}

// hosts is the host's.
func (p *Plugin) hosts(name string) *resource {
	for _, found := range p.resources {
		if found.isHosts && found.name == name {
			return found
		}
	}
	return &resource{name: name}
}

// LiftObject is the object of a handle.
func LiftObject(l RawLifter, handle RawHandle, resource string) *Object {
	return new(Object).hold(l.client.callable.giver(), l.client.callee.plugin.guests(resource), uintptr(handle))
}

// LowerObject gives the handle of an object to C.
func LowerObject(w *RawWriter, object *Object) RawHandle {
	w.kept = append(w.kept, unsafe.Pointer(object))
	return RawHandle(object.at)
}

// LiftReader is the stream of a handle; nil for none.
func LiftReader(l RawLifter, handle RawHandle, resource string) *Reader {
	if handle == 0 {
		return nil
	}
	return &Reader{stream{new(Object).hold(l.client.callable.giver(), l.client.callee.plugin.guests(resource), uintptr(handle)), l.ctx}}
}

// LiftWriter is the stream of a handle; nil for none.
func LiftWriter(l RawLifter, handle RawHandle, resource string) *Writer {
	if handle == 0 {
		return nil
	}
	return &Writer{stream{new(Object).hold(l.client.callable.giver(), l.client.callee.plugin.guests(resource), uintptr(handle)), l.ctx}}
}

// RawNext is the struct of the result of an iterator's next.
type RawNext struct {
	V0 RawList
	V1 bool
}

// LiftItems is the iterator of a handle; nil for none. The digest is that of its next, whose list
// lift copies.
func LiftItems[T any](l RawLifter, handle RawHandle, resource string, digest uint64, lift func(l RawLifter, list RawList) []T) *Items[T] {
	if handle == 0 {
		return nil
	}
	of := l.client.callee.plugin.guests(resource)
	object := new(Object).hold(l.client.callable.giver(), of, uintptr(handle))
	client, made := l.client, &Items[T]{}
	fetch := func(ctx context.Context, most uint32) (items []T, hasEnded bool, err error) {
		if len(of.methods) != 1 || of.methods[0].digest != digest {
			return nil, false, outdated([]error{differs(RawSignature{Name: resource + ".next", Digest: digest}, nil)})
		}
		args, result := &nextArgs{object.at, most}, &RawNext{}
		err = object.enter(ctx, of.methods[0], unsafe.Pointer(args), unsafe.Pointer(result), nil, func() error {
			items, hasEnded = lift(RawLifter{ctx, client}, result.V0), result.V1
			return nil
		})
		return items, hasEnded, err
	}
	made.read(object, fetch, len(of.methods) == 1 && isSmall(of.item()))
	return made
}

// RawMethod is a method of an object of the host's: that of the digest.
type RawMethod struct {
	digest uint64
	call   func(ctx context.Context, d *dispatch) error
}

// NewRawMethod is one that a function runs with structs.
func NewRawMethod[A, R any](digest uint64, function func(ctx context.Context, arguments *A, result *R, writer *RawWriter) error) RawMethod {
	return RawMethod{digest, func(ctx context.Context, d *dispatch) error { return answered(ctx, d, function) }}
}

// answered runs a host function with structs. What it gave is freed if it fails.
func answered[A, R any](ctx context.Context, d *dispatch, function func(ctx context.Context, arguments *A, result *R, writer *RawWriter) error) error {
	writer := d.writer()
	err := function(ctx, (*A)(d.args), (*R)(d.result), writer)
	if err == nil {
		err = writer.failed
	}
	if err != nil {
		writer.free()
	}
	d.returned(writer)
	return err
}

// LowerHost gives an object of the host's to C: one of that resource, whose methods are in order.
// A component may pass it back: see [LiftOwn]. The errors that they return have the fields that the
// function gives, if there is one.
func LowerHost(w *RawWriter, resource string, own any, fields func(writer *RawWriter, err error) RawFields, methods ...RawMethod) RawHandle {
	of := w.plugin().hosts(resource)
	made := &object{own: own, fields: fields, methods: make([]hostMethod, len(methods))}
	digests := make([]uint64, len(methods))
	for i, method := range methods {
		function := &function{Function: Function{Interface: resource}}
		if i < len(of.methods) {
			function = of.methods[i]
		}
		made.methods[i], digests[i] = hostMethod{method.call, function}, method.digest
	}
	return w.pass(made, digests)
}

// LiftOwn is what was given as an object of the host's, which a component passes back; nothing for
// none.
func LiftOwn[T any](handle RawHandle) T {
	var own T
	if handle != 0 {
		own, _ = ownOf(uintptr(handle)).(T)
	}
	return own
}

// LowerReader gives a reader of the host's to C; nothing for nil.
func LowerReader(w *RawWriter, resource string, reader io.Reader) RawHandle {
	if reader == nil {
		return 0
	}
	of := w.plugin().hosts(resource)
	return w.pass(of.givenStream(reader), of.digests)
}

// LowerWriter gives a writer of the host's to C; nothing for nil.
func LowerWriter(w *RawWriter, resource string, writer io.Writer) RawHandle {
	if writer == nil {
		return 0
	}
	of := w.plugin().hosts(resource)
	return w.pass(of.givenStream(writer), of.digests)
}

// LowerSeq gives an iterator of the host's to C; nothing for nil. The digest is that of its next,
// whose list lower writes.
func LowerSeq[T any](w *RawWriter, resource string, digest uint64, seq iter.Seq[T], lower func(w *RawWriter, items []T) RawList) RawHandle {
	if seq == nil {
		return 0
	}
	made := &object{}
	from := newProducer(made, withoutErrors(seq))
	next := func(ctx context.Context, d *dispatch) error {
		return answered(ctx, d, func(ctx context.Context, a *struct{ V0 uint32 }, r *RawNext, w *RawWriter) error {
			items, hasEnded, err := from.next(ctx, min(max(int(a.V0), 1), mostItems))
			if err == nil {
				r.V0, r.V1 = lower(w, items), hasEnded
			}
			return err
		})
	}
	made.methods = []hostMethod{{next, &function{Function: Function{Interface: resource, Name: "next"}}}}
	return w.pass(made, []uint64{digest})
}

// LowerSeq2 gives an iterator of pairs.
func LowerSeq2[K, V any](w *RawWriter, resource string, digest uint64, seq iter.Seq2[K, V], lower func(w *RawWriter, items []Pair[K, V]) RawList) RawHandle {
	if seq == nil {
		return 0
	}
	return LowerSeq(w, resource, digest, func(yield func(Pair[K, V]) bool) {
		for key, value := range seq {
			if !yield(Pair[K, V]{key, value}) {
				return
			}
		}
	}, lower)
}

// plugin is whose values are written.
func (w *RawWriter) plugin() *Plugin {
	if w.host != nil {
		return (*object)(w.host.id).plugin
	}
	return w.callee.plugin
}

// pass makes an object of the library, which is freed with the call, or is the library's with the
// result of a host function.
func (w *RawWriter) pass(given *object, digests []uint64) RawHandle {
	given.plugin = w.plugin()
	if w.host != nil {
		given.home = (*object)(w.host.id).home
	} else {
		given.home = w.callee.home
	}
	passed, err := pass(given, digests)
	if err != nil {
		// C refuses what is missing, in other words.
		if w.failed == nil {
			w.failed = err
		}
		return 0
	}
	w.passed = append(w.passed, passed)
	if w.host == nil {
		w.given = append(w.given, given)
	}
	return RawHandle(passed)
}

// free lets go of the objects. What runs for those that the guest has not kept has ended then.
func (w *RawWriter) free() {
	for _, passed := range w.passed {
		theLibrary.object_delete.call(passed)
	}
	w.passed = w.passed[:0]
	for i, given := range w.given {
		if given.ended != nil {
			given.ended()
		}
		w.given[i] = nil
	}
	w.given = w.given[:0]
}
