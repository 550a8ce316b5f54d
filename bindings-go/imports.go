package undergo

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// WithImport gives the plugin a function: by the name of its interface in WIT, and its own in WIT
// or in Go. What the plugin does not import is left alone.
//
// The function has the parameters of the import, in Go: a context.Context may come before them,
// which is that of the call, and carries its deadline. It has its results, and an error may come
// after them. An error becomes the Go error of the guest where the import returns one, and ends the
// call and the instance elsewhere: then the caller gets it, and errors.Is finds it. A panic is an
// error, too, a [HostPanic].
//
// It runs on the goroutine of the call. It may call the instance that called it, and close it. For
// a pool, it is called by several goroutines at once. It must not end its goroutine with
// runtime.Goexit (as testing.T.FailNow does), which ends the process with a message.
func WithImport(module, name string, function any) Option {
	return func(c *config) error {
		found := c.plugin.imported(module, name)
		if found == nil {
			return nil
		}
		call, err := byReflection(found, reflect.ValueOf(function))
		if err != nil {
			return fault(KindSignatureMismatch, "the host function %s.%s does not fit %s: %v", module, name, found.Signature, err)
		}
		return c.give(found, call)
	}
}

// WithLink gives the plugin the exports of another instance as the functions of an interface: a
// plugin that calls a plugin. Their types have to be those that it imports, or else the instance is
// not made, for [ErrSignatureMismatch]; an option that comes later may give a function in place of
// one of them.
//
// A call goes from guest to guest, within the context of the call around it, and waits for its turn
// where others call the linked instance. Whatever ends that one is an error of the import, which
// the guest gets where the import returns one. Calls in a circle fail with [ErrBusy]. What was made
// with the option has the linked instance until its own end, even if that was closed meanwhile; one
// that a pool has lent can't be linked.
func WithLink(module string, instance *Instance) Option {
	return func(c *config) error {
		return instance.use(func(handle uintptr) error {
			interfaceName := cText(module)
			failed, _ := theLibrary.imports_link.call(c.imports, address(interfaceName), handle)
			return taken(failed)
		})
	}
}

// give gives a host function, whose errors may have fields.
func (c *config) give(found *function, call func(ctx context.Context, d *dispatch) error, fields ...func(writer *RawWriter, err error) RawFields) error {
	given := &object{methods: []hostMethod{{call, found}}, home: c.home, plugin: c.plugin}
	if len(fields) > 0 {
		given.fields = fields[0]
	}
	module, name := cText(found.Interface), cText(found.Name)
	failed, _ := theLibrary.imports_set_dispatched.call(
		c.imports, address(module), address(name), uintptr(found.digest), uintptr(unsafe.Pointer(theDispatcher)), hold(given))
	return taken(failed)
}

// imported finds an import by its name in WIT, or as Go writes it.
func (p *Plugin) imported(module, name string) *function {
	var like *function
	for _, found := range p.imports {
		if found.Interface != module && !strings.HasPrefix(found.Interface, module+"@") {
			continue
		}
		if found.Name == name {
			return found
		}
		if fold(found.Name) == fold(name) {
			like = found
		}
	}
	return like
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// byReflection makes a host function of any Go function that fits the import.
func byReflection(found *function, f reflect.Value) (func(ctx context.Context, d *dispatch) error, error) {
	if f.Kind() != reflect.Func || f.IsNil() {
		return nil, fmt.Errorf("%s is no function", goName(f))
	}
	t := f.Type()
	first := 0
	if t.NumIn() > 0 && t.In(0) == contextType {
		first = 1
	}
	if t.IsVariadic() || t.NumIn()-first != len(found.params) {
		return nil, fmt.Errorf("%s has other parameters", t)
	}
	results := t.NumOut()
	fails := results > 0 && t.Out(results-1) == errorType
	if fails {
		results--
	}
	if results > 1 && (found.result == nil || found.result.kind != kindTuple || results != len(found.result.fields)) || results == 0 && found.result != nil || results > 0 && found.result == nil {
		return nil, fmt.Errorf("%s has other results", t)
	}
	for i, param := range found.params {
		if err := checked(param.typ, t.In(first+i), false); err != nil {
			return nil, fmt.Errorf("its parameter %s: %w", param.name, err)
		}
	}
	if results == 1 {
		if err := checked(found.result, t.Out(0), true); err != nil {
			return nil, fmt.Errorf("its result: %w", err)
		}
	}
	return func(ctx context.Context, d *dispatch) error {
		in := make([]reflect.Value, 0, t.NumIn())
		if first == 1 {
			in = append(in, reflect.ValueOf(ctx))
		}
		for i, param := range found.params {
			value := reflect.New(t.In(first + i)).Elem()
			if err := lift(nil, param.typ, unsafe.Add(d.args, param.at), value); err != nil {
				return ofHost(at(err, param.name), found)
			}
			in = append(in, value)
		}
		out := f.Call(in)
		if fails && !out[results].IsNil() {
			return out[results].Interface().(error)
		}
		return ofHost(d.answering(found, func(w answering) error { return lowerResults(w, found.result, out[:results]) }), found)
	}, nil
}

// ofHost names the host function in which a value does not fit.
func ofHost(err error, found *function) error {
	if misfit, ok := err.(*misfit); ok {
		misfit.function = found.Interface + "." + found.Name
	}
	return err
}

func lowerResults(w answering, t *typ, results []reflect.Value) error {
	place := w.place()
	switch {
	case t == nil:
		return nil
	case len(results) == 1:
		return at(lower(w, t, results[0], place), "result")
	}
	for i, field := range t.fields {
		if err := lower(w, field.typ, results[i], unsafe.Add(place, field.at)); err != nil {
			return at(err, fmt.Sprintf("result.%d", i))
		}
	}
	return nil
}

// answering is what a host function writes its result with, and to.
type answering interface {
	writer
	place() unsafe.Pointer
}

func (d *dispatch) place() unsafe.Pointer { return d.result }

// lend refuses: the library reads a result after the dispatcher has returned.
func (d *dispatch) lend(any) bool { return false }

// checked says early what can't ever be: that a value of the interface fits a variable of that
// type, or the other way round that of a result.
func checked(t *typ, goType reflect.Type, isResult bool) error {
	if t.kind == kindJSON || goType.Kind() == reflect.Interface && goType.NumMethod() == 0 {
		return nil
	}
	wrong := fmt.Errorf("%s does not fit %s", t, goType)
	fits := func(kinds ...reflect.Kind) error {
		for _, kind := range kinds {
			if goType.Kind() == kind {
				return nil
			}
		}
		return wrong
	}
	switch t.kind {
	case kindHandle:
		// What a component passes back is what the program has given: of any type.
		if !isResult && (!t.resource.isHosts || t.resource.form != formObject) {
			return wrong
		}
	case kindBool:
		return fits(reflect.Bool)
	case kindF32:
		return fits(reflect.Float32, reflect.Float64)
	case kindF64:
		return fits(reflect.Float64)
	case kindString:
		return fits(reflect.String)
	case kindDuration:
		if goType != durationType {
			return wrong
		}
	case kindTime:
		if !timeType.ConvertibleTo(goType) {
			return wrong
		}
	case kindOption:
		if isResult && goType.Kind() == reflect.Interface && t.elem.kind == kindVariant {
			return nil
		}
		if goType.Kind() != reflect.Pointer {
			return fmt.Errorf("%s, which may be nothing, wants a pointer, and not %s", t, goType)
		}
		return checked(t.elem, goType.Elem(), isResult)
	case kindList:
		if goType.Kind() != reflect.Slice && goType.Kind() != reflect.Array {
			return wrong
		}
		return checked(t.elem, goType.Elem(), isResult)
	case kindMap:
		if goType.Kind() != reflect.Map {
			return wrong
		}
		if err := checked(t.key, goType.Key(), isResult); err != nil {
			return err
		}
		return checked(t.elem, goType.Elem(), isResult)
	case kindRecord:
		if goType.Kind() != reflect.Struct {
			return wrong
		}
		_, err := placesOf(t, goType)
		return err
	case kindTuple:
		return fits(reflect.Struct, reflect.Slice, reflect.Array)
	case kindVariant:
		return checkedVariant(t, goType, isResult)
	case kindEnum:
	default:
		if value := reflect.New(goType).Elem(); !value.CanInt() && !value.CanUint() || goType == durationType {
			return wrong
		}
	}
	return nil
}
