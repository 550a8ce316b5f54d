package undergo

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"unsafe"
)

// Object is an object of the plugin's, of a type that it marks as a resource. Its methods are
// called as exports are, by [Call] and [Object.Do], and it may be an argument of the instance that
// it is of. Once that has ended, or was closed or reset, its calls fail.
//
// It ends with [Object.Close], or else with the next call of the instance after the collector has
// found that nobody has it any more. One that was passed within a record was given away.
type Object struct {
	// at is the undergo_handle_t, which is freed when nobody has the object any more.
	at       uintptr
	resource *resource
	instance *Instance
}

// hold makes it that of a handle. That is freed with it, which runs no code of the guest.
func (o *Object) hold(instance *Instance, resource *resource, at uintptr) *Object {
	o.at, o.resource, o.instance = at, resource, instance
	handles.Add(1)
	runtime.AddCleanup(o, func(at uintptr) {
		theLibrary.handle_delete.call(at)
		handles.Add(-1)
	}, at)
	return o
}

func (o *Object) adopt(l *lifter, t *typ, at uintptr) error {
	if t.resource.form != formObject {
		return &misfit{text: fmt.Sprintf("the %s %s has no methods of its own: its type is %s", t.resource.form, t, t.resource.naturalType())}
	}
	o.hold(l.instance, t.resource, at)
	return nil
}

func (o *Object) of() *callee      { return o.instance.callee }
func (o *Object) giver() *Instance { return o.instance }
func (o *Object) object() *Object  { return o }

func (o *Object) find(name string) (*function, error) {
	if found := o.resource.method(name); found != nil {
		return found, nil
	}
	return nil, fault(KindUnknownExport, "%s has no method %q; its methods are %s", o.resource.name, name, o.resource.methodNames())
}

// Plugin is the plugin that it is of.
func (o *Object) Plugin() *Plugin { return o.instance.Plugin() }

// Resource is the name of its type in WIT.
func (o *Object) Resource() string { return o.resource.name }

// Do calls a method without a result, or whose result is not wanted, by its name in WIT or in Go.
func (o *Object) Do(ctx context.Context, name string, arguments ...any) error {
	return invoke(ctx, o, name, arguments, nil, false)
}

// Close ends the object. The plugin lets go of it at once, or at the end of the call of its
// instance that is under way, and what its type's Close does there runs then. Closing it again does
// nothing; it may be closed in a host function.
func (o *Object) Close() error {
	callee := o.instance.callee
	if callee.join() != nil {
		// It has ended with its instance.
		return nil
	}
	failed, _ := theLibrary.handle_close.call(o.at)
	callee.release()
	runtime.KeepAlive(o)
	return taken(failed)
}

// IsOpen says whether it can be used: it was not closed nor given away, and its instance lives and
// was not reset.
func (o *Object) IsOpen() bool {
	if o.instance.callee.join() != nil {
		return false
	}
	is, _ := theLibrary.handle_is_open.call(o.at)
	o.instance.callee.release()
	runtime.KeepAlive(o)
	return is&0xff != 0
}

func (o *Object) String() string { return fmt.Sprintf("Object(%s)", o.resource.name) }

// enter calls a method with structs, and has the result read while it lives. What it points to lies
// in scratch as far as there is room; nil for some of its own.
func (o *Object) enter(ctx context.Context, method *function, args, result unsafe.Pointer, scratch []byte, read func() error) error {
	bounded, err := begun(ctx)
	if err != nil {
		return err
	}
	callee := o.instance.callee
	if err := callee.acquire(ctx); err != nil {
		return err
	}
	c := calls.Get().(*call)
	c.prepare(callee, method, args, result)
	if len(scratch) > 0 {
		c.entry.scratch, c.entry.scratchLen = unsafe.Pointer(unsafe.SliceData(scratch)), uintptr(len(scratch))
	}
	c.ctx, c.bounded = ctx, bounded
	err = c.enter()
	callee.release()
	if err == nil {
		err = read()
	}
	c.clean()
	c.callee, c.entry.args, c.entry.result, c.entry.scratch = nil, nil, nil, nil
	calls.Put(c)
	runtime.KeepAlive(o)
	return err
}

// New makes an object of the plugin's by the constructor of a resource, whose name is that in WIT
// or in Go. Otherwise as [Call].
func (i *Instance) New(ctx context.Context, resource string, arguments ...any) (*Object, error) {
	of, err := i.Plugin().resource(resource)
	if err != nil {
		return nil, err
	}
	if of.constructor == nil {
		return nil, fault(KindUnknownExport, "%s has no constructor", of.name)
	}
	var made *Object
	err = invokeFunction(ctx, i, of.constructor, arguments, []reflect.Value{reflect.ValueOf(&made).Elem()}, true)
	return made, err
}

// HandleCounts is how many handles there are.
type HandleCounts struct {
	// Held are those that the guest has: of objects of the host, and of its own on their way.
	Held uint32
	// Given are those that the program has of the guest's objects, iterators and streams.
	Given uint32
}

// Handles counts the handles of the instance, also while a call is under way. A closed instance has
// none.
func (i *Instance) Handles() HandleCounts {
	counts := new(HandleCounts)
	_ = i.use(func(handle uintptr) error {
		failed, _ := theLibrary.instance_handles.call(handle, uintptr(unsafe.Pointer(counts)))
		return taken(failed)
	})
	return *counts
}
