package undergo

import (
	"reflect"
	"runtime"
	"unsafe"
)

// chained is undergo_chained_t.
type chained struct {
	text   cList
	name   uintptr
	digest uint64
	fields uintptr
	size   uintptr
	value  uintptr
}

const (
	// longestChain is how many errors of a chain cross. What is wrapped still deeper is left out,
	// which ends those that wrap themselves, too.
	longestChain = 64
	// mostWrapped is how many errors are looked at: one that wraps several, each of which does so
	// again, soon has billions.
	mostWrapped = 1024
)

// chainOf gives an error and those that it wraps, outermost first, as plugins do: of errors that
// lie beside others only those with fields, in the order of errors.As. The texts of the others are
// in that of the error around them.
func chainOf(err error, linkOf func(err error) (link chained, hasFields bool, failed error), text func(link *chained, err error)) ([]chained, error) {
	var links []chained
	seen := 0
	var visit func(err error, depth int, isBranch bool) error
	visit = func(err error, depth int, isBranch bool) error {
		for ; err != nil && depth < longestChain && len(links) < longestChain && seen < mostWrapped; depth++ {
			seen++
			err = general(err)
			link, hasFields, failed := linkOf(err)
			if failed != nil {
				return failed
			}
			if hasFields || !isBranch {
				text(&link, err)
				links = append(links, link)
			}
			switch wrapper := err.(type) {
			case interface{ Unwrap() error }:
				err = wrapper.Unwrap()
			case interface{ Unwrap() []error }:
				for _, each := range wrapper.Unwrap() {
					if failed := visit(each, depth+1, true); failed != nil {
						return failed
					}
				}
				return nil
			default:
				return nil
			}
		}
		return nil
	}
	return links, visit(err, 0, false)
}

// general gives an error of this package that has the type of its kind as what it is: it wraps
// that.
func general(err error) error {
	switch err := err.(type) {
	case *GuestError:
		return (*Error)(err)
	case *PanicError:
		return (*Error)(err)
	case *ExitError:
		return (*Error)(err)
	}
	return err
}

// declared finds the record of an error with fields that the plugin declares, by its name in WIT or
// in Go; nil for none.
func (p *Plugin) declared(name string) *typ {
	var like *typ
	for _, record := range p.errors {
		if record.name == name {
			return record
		}
		if like == nil && fold(record.name) == fold(name) {
			like = record
		}
	}
	return like
}

// lowerFields writes the fields of an error that is one of the plugin's: an [Error] that has its
// name, or a struct that is called like it and has its fields. It gives no record for others.
func (p *Plugin) lowerFields(w writer, err error) (record *typ, fields unsafe.Pointer, failed error) {
	v := reflect.ValueOf(err)
	if own, ok := err.(*Error); ok && own != nil {
		record, v = p.declared(own.Name), reflect.ValueOf(own.Fields)
		// Another plugin may have an error of the name.
		if record == nil || own.record != nil && own.record.digest != record.digest {
			return nil, nil, nil
		}
	} else {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct || v.Type().Name() == "" {
			return nil, nil, nil
		}
		record = p.declared(v.Type().Name())
		if record == nil {
			return nil, nil, nil
		}
		if _, err := placesOf(record, v.Type()); err != nil {
			return nil, nil, nil
		}
	}
	place := w.room(record.size, record.align)
	if err := lower(w, record, v, place); err != nil {
		return nil, nil, at(err, record.name)
	}
	return record, place, nil
}

// chain writes the error of a host function with those that it wraps, and the fields of those that
// the plugin declares. It lasts as long as the keeper, and what fields point to until the library
// has read it.
func (o *object) chain(d *dispatch, err error, kept *keeper) ([]chained, error) {
	linkOf := func(err error) (link chained, hasFields bool, failed error) {
		record, fields, failed := o.fieldsOf(d, err)
		if failed != nil || record == nil {
			return link, false, failed
		}
		return chained{name: kept.text(record.name), digest: record.digest, fields: uintptr(fields), size: record.size}, true, nil
	}
	return chainOf(err, linkOf, func(link *chained, err error) {
		text := err.Error()
		link.text = cList{kept.text(text), uintptr(len(text))}
	})
}

// fieldsOf writes the fields of an error, if it is one of the plugin's: by what generated code
// knows, or else by reflection.
func (o *object) fieldsOf(d *dispatch, err error) (record *typ, fields unsafe.Pointer, failed error) {
	if o.fields == nil {
		return o.plugin.lowerFields(d, err)
	}
	own, ok := err.(*Error)
	if ok && own != nil && own.typed != nil {
		err = own.typed
	}
	writer := d.writer()
	found := o.fields(writer, err)
	d.returned(writer)
	for _, record := range o.plugin.errors {
		if found.at != nil && record.digest == found.digest {
			return record, found.at, nil
		}
	}
	if ok {
		return o.plugin.lowerFields(d, own)
	}
	return nil, nil, nil
}

// readChain reads the errors of which a guest's error consists. Each is the cause of the one before
// it, and the first is that error itself.
func (p *Plugin) readChain(handle uintptr, outermost *Error, known []RawError) {
	last, link := outermost, new(chained)
	for i := uintptr(0); ; i++ {
		if is, _ := theLibrary.error_chained.call(handle, i, uintptr(unsafe.Pointer(link))); is&0xff == 0 {
			return
		}
		if i > 0 {
			next := &Error{Kind: KindGuestError, Message: link.text.text()}
			last.cause, last = next, next
		}
		if link.fields == 0 {
			continue
		}
		last.Name = text(link.name)
		for _, record := range p.errors {
			if record.digest == link.digest {
				last.record = record
				if fields, err := natural(nil, record, pointer(link.fields)); err == nil {
					last.Fields = fields.Interface().(map[string]any)
				}
			}
		}
		for _, each := range known {
			if each.digest == link.digest {
				last.typed = each.lift(pointer(link.fields), last.Message)
			}
		}
	}
}

// as gives the error as one with its fields: as what a generated client made of it, or as any
// struct that is called like it and has its fields.
func (e *Error) as(target any) bool {
	to := reflect.ValueOf(target)
	if e.Name == "" || to.Kind() != reflect.Pointer || to.IsNil() {
		return false
	}
	to = to.Elem()
	if e.typed != nil && reflect.TypeOf(e.typed) == to.Type() {
		to.Set(reflect.ValueOf(e.typed))
		return true
	}
	of := to.Type()
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if e.record == nil || of.Kind() != reflect.Struct || fold(of.Name()) != fold(e.Name) {
		return false
	}
	block, made := &block{}, reflect.New(of)
	place := block.room(e.record.size, e.record.align)
	if lower(block, e.record, reflect.ValueOf(e.Fields), place) != nil || lift(nil, e.record, place, made.Elem()) != nil {
		return false
	}
	runtime.KeepAlive(block)
	if to.Kind() == reflect.Pointer {
		to.Set(made)
	} else {
		to.Set(made.Elem())
	}
	return true
}
