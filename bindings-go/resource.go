package undergo

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// form is how a resource appears to programs.
type form string

const (
	formObject   form = "object"
	formCallback form = "callback"
	formIterator form = "iterator"
	formReader   form = "reader"
	formWriter   form = "writer"
)

// resource is a type of what lives longer than a call: objects, functions, iterators and streams,
// of the guest or of the host.
type resource struct {
	name        string
	isHosts     bool
	form        form
	constructor *function
	methods     []*function
	// digests are those of the methods.
	digests []uint64
}

// has notes a member.
func (r *resource) has(member *function, name string, isConstructor bool) {
	if isConstructor {
		member.Function = Function{Name: r.name}
		r.constructor = member
		return
	}
	if r.isHosts {
		member.Function = Function{Interface: r.name, Name: name}
	} else {
		member.Function = Function{Name: r.name + "." + name}
	}
	r.methods = append(r.methods, member)
	r.digests = append(r.digests, member.digest)
}

// own is the name of a method without that of the resource.
func (r *resource) own(method *function) string {
	if r.isHosts {
		return method.Name
	}
	return method.Name[len(r.name)+1:]
}

// method finds one by its name in WIT, or as Go writes it; nil for none.
func (r *resource) method(name string) *function {
	var like *function
	for _, method := range r.methods {
		if r.own(method) == name {
			return method
		}
		if fold(r.own(method)) == fold(name) {
			like = method
		}
	}
	return like
}

func (r *resource) methodNames() string {
	names := make([]string, len(r.methods))
	for i, method := range r.methods {
		names[i] = r.own(method)
	}
	return listed(names)
}

// noun is what a program has to pass for one of the host's.
func (r *resource) noun() string {
	switch r.form {
	case formCallback:
		return "a function"
	case formIterator:
		return "a slice or an iter.Seq"
	case formReader:
		return "an io.Reader"
	case formWriter:
		return "an io.Writer"
	default:
		return "a value with the methods " + r.methodNames()
	}
}

// naturalType is the Go type for a variable that has none: of the guest's, since the program has
// its own for the host's.
func (r *resource) naturalType() reflect.Type {
	if r.isHosts {
		return anyType
	}
	switch r.form {
	case formIterator:
		return reflect.TypeFor[*Items[any]]()
	case formReader:
		return reflect.TypeFor[*Reader]()
	case formWriter:
		return reflect.TypeFor[*Writer]()
	default:
		return reflect.TypeFor[*Object]()
	}
}

// item is the type of what an iterator gives: the elements of the list that next gives. A pair may
// be the entry of a map there, since both are the same in WIT.
func (r *resource) item() *typ {
	list := r.methods[0].result.fields[0].typ
	if list.kind != kindMap {
		return list.elem
	}
	pair := &typ{kind: kindTuple, size: list.entry, align: 8, fields: []typeField{{typ: list.key}, {at: list.valueAt, typ: list.elem}}}
	return pair.holds(list.key).holds(list.elem)
}

// resource finds one of the guest's by its name in WIT, or as Go writes it.
func (p *Plugin) resource(name string) (*resource, error) {
	var like *resource
	var names []string
	for _, found := range p.resources {
		if found.isHosts || found.form != formObject {
			continue
		}
		if found.name == name {
			return found, nil
		}
		if fold(found.name) == fold(name) {
			like = found
		}
		names = append(names, found.name)
	}
	if like == nil {
		return nil, fault(KindUnknownExport, "%s has no resource %q; its resources are %s", p.Name(), name, listed(names))
	}
	return like, nil
}

// lowerHandle gives a handle of the guest's, or makes an object of the host of any value that fits.
func lowerHandle(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	isNothing := !v.IsValid() || isNil(v) && v.Kind() != reflect.Slice
	if isNothing && t.optional {
		*(*uintptr)(to) = 0
		return nil
	}
	if t.resource.isHosts {
		if isNothing {
			return &misfit{text: fmt.Sprintf("expected %s for %s, got %s", t.resource.noun(), t, goName(v))}
		}
		given, err := t.resource.given(v)
		if err != nil {
			return err
		}
		passed, err := w.pass(given, t.resource)
		*(*uintptr)(to) = passed
		return err
	}
	if isNothing {
		return wanted(t, v)
	}
	held, ok := v.Interface().(interface{ object() *Object })
	if !ok {
		return wanted(t, v)
	}
	if !w.lend(held) {
		// The collector could free it before the library has read it.
		return &misfit{text: fmt.Sprintf("a handle of %s is not passed here", t)}
	}
	*(*uintptr)(to) = held.object().at
	return nil
}

func goName(v reflect.Value) string {
	switch {
	case !v.IsValid():
		return "nothing"
	case isNil(v):
		return v.Type().String() + "(nil)"
	default:
		return v.Type().String()
	}
}

// lifter is what handles in a result belong to, and the context of the call that gives them.
type lifter struct {
	ctx      context.Context
	instance *Instance
}

// adopter is what is made of a handle of the guest's.
type adopter interface {
	// adopt makes it that of the handle, an undergo_handle_t of that type, unless it fails.
	adopt(l *lifter, t *typ, at uintptr) error
}

// liftHandle makes what a variable wants of a handle, which is its own then.
func liftHandle(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	at := *(*uintptr)(from)
	if at == 0 {
		to.SetZero()
		return nil
	}
	if t.resource.isHosts {
		return liftOwn(t, at, to)
	}
	if l == nil {
		return &misfit{text: fmt.Sprintf("a handle of %s is not passed here", t)}
	}
	wanted := to.Type()
	if natural := t.resource.naturalType(); wanted.Kind() == reflect.Interface && natural.Implements(wanted) {
		wanted = natural
	}
	if wanted.Kind() != reflect.Pointer {
		return unfit(t, to)
	}
	made := reflect.New(wanted.Elem())
	adopted, ok := made.Interface().(adopter)
	if !ok {
		return unfit(t, to)
	}
	if err := adopted.adopt(l, t, at); err != nil {
		return err
	}
	*(*uintptr)(from) = 0
	to.Set(made)
	return nil
}

// liftOwn gives a variable the value of the program's for an object of the host, which a component
// passes back.
func liftOwn(t *typ, at uintptr, to reflect.Value) error {
	own := reflect.ValueOf(ownOf(at))
	if !own.IsValid() || !own.Type().AssignableTo(to.Type()) {
		return unfit(t, to)
	}
	to.Set(own)
	return nil
}

// discard frees the handles in a value that nobody has lifted.
func discard(t *typ, from unsafe.Pointer) {
	if t == nil || !t.holdsHandles {
		return
	}
	switch t.kind {
	case kindHandle:
		if at := *(*uintptr)(from); at != 0 && !t.resource.isHosts {
			*(*uintptr)(from) = 0
			theLibrary.handle_delete.call(at)
		}
	case kindOption:
		if inside := *(*uintptr)(from); inside != 0 {
			discard(t.elem, pointer(inside))
		}
	case kindList:
		list := *(*cList)(from)
		for i := range list.length {
			discard(t.elem, pointer(list.at+i*t.elem.size))
		}
	case kindMap:
		list := *(*cList)(from)
		for i := range list.length {
			discard(t.elem, pointer(list.at+i*t.entry+t.valueAt))
		}
	case kindVariant:
		if number := int(*(*int32)(from)); number >= 0 && number < len(t.variants) {
			discard(t.variants[number].typ, unsafe.Add(from, t.payload))
		}
	default:
		for _, field := range t.fields {
			discard(field.typ, unsafe.Add(from, field.at))
		}
	}
}

// given makes an object of the host's of a value.
func (r *resource) given(v reflect.Value) (*object, error) {
	for v.Kind() == reflect.Pointer && (v.Elem().Kind() == reflect.Func || v.Elem().Kind() == reflect.Interface) {
		v = v.Elem()
	}
	switch r.form {
	case formCallback:
		if v.Kind() != reflect.Func {
			break
		}
		call, err := byReflection(r.methods[0], v)
		if err != nil {
			return nil, &misfit{text: fmt.Sprintf("it does not fit %s: %v", r.name, err)}
		}
		return &object{methods: []hostMethod{{call, r.methods[0]}}}, nil
	case formIterator:
		if given, err := r.givenItems(v); given != nil || err != nil {
			return given, err
		}
	case formReader, formWriter:
		if given := r.givenStream(v.Interface()); given != nil {
			return given, nil
		}
	default:
		return r.givenObject(v)
	}
	return nil, &misfit{text: fmt.Sprintf("expected %s for %s, got %s", r.noun(), r.name, v.Type())}
}

// givenObject makes an object of a value that has the methods, whose names are written as Go does.
func (r *resource) givenObject(v reflect.Value) (*object, error) {
	made := &object{own: v.Interface(), methods: make([]hostMethod, len(r.methods))}
	of := v.Type()
	for i, method := range r.methods {
		number := slices.IndexFunc(methodsOf(of), func(name string) bool { return fold(name) == fold(method.Name) })
		if number < 0 {
			return nil, &misfit{text: fmt.Sprintf("%s has no method %s, as %s has; its methods are %s", of, method.Name, r.name, r.methodNames())}
		}
		call, err := byReflection(method, v.Method(number))
		if err != nil {
			return nil, &misfit{text: fmt.Sprintf("its method %s does not fit that of %s: %v", of.Method(number).Name, r.name, err)}
		}
		made.methods[i] = hostMethod{call, method}
	}
	return made, nil
}

func methodsOf(of reflect.Type) []string {
	names := make([]string, of.NumMethod())
	for i := range names {
		names[i] = of.Method(i).Name
	}
	return names
}
