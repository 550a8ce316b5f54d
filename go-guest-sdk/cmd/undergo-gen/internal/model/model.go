// Package model is what the generator knows of a plugin: its functions, the
// types that cross the boundary, and how the canonical ABI lays them out.
package model

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// A Plugin is a package main with directives.
type Plugin struct {
	World   string  // WIT name of the world and of its package
	Exports []*Func // in source order
	Imports []*Func // in source order
	Types   []*Type // the records, enums and variants, each behind those that it refers to
	Arrays  []*Type // one of each that WIT declares, each behind those that it refers to
	// Resources are what handles are of, in source order. The functions of those of the
	// guest are among the exports, and those of the host's among the imports.
	Resources []*Resource
	// Errors is the variant of the errors with fields: its first case is a text, and
	// each other one a text with a record. It is nil when functions return texts alone.
	Errors *Type
	Taken  map[string]bool // identifiers of the package's scope, and what else the glue can't declare
}

// A Func is an export, or a variable that an import is bound to.
type Func struct {
	Go     string // Go name
	Call   string // Go expression of the function, with each Ref in it
	Name   string // WIT name
	Module string // for imports that variables are bound to
	// Interface is the exported interface that the export stands in, or that of another
	// package of WIT that the import is of; nil for the world itself.
	Interface *Interface
	// Resource is what the function is a constructor or method of. A method has the
	// receiver as its first parameter.
	Resource    *Resource
	Constructor bool
	// Static is the resource of the host's among whose functions an import stands, which has
	// no object of it.
	Static  *Resource
	Method  string // Go name of the method
	Doc     []string
	Pos     token.Position
	Params  []Param // without the context
	Results []*Type // without the error
	Context bool    // has a context.Context as its first parameter
	Error   bool    // has an error as its last result
	// Text says that the error is a text in all plugins, whatever errors theirs have.
	Text bool
	// Fails is the type that the error of an import has in WIT, if it is one of its own there.
	Fails *Type
}

// A Param is a parameter of a function.
type Param struct {
	Go   string // Go name, or a name in its place
	Name string // WIT name
	Type *Type
	Pos  token.Position
}

// Kind is how a type crosses the boundary.
type Kind int

// The kinds of types. Those up to F64 are the scalars of WIT.
const (
	Bool Kind = iota
	S8
	S16
	S32
	S64
	U8
	U16
	U32
	U64
	F32
	F64
	Duration
	Batch // how many items an iterator is asked for
	Enum
	Handle // of the Resource
	String
	Marshaled
	CaseName // of the enum Elem, as the key of a map: WIT has no other keys for it
	JSON
	Time
	List
	Array
	Map
	Option
	Record
	Tuple
	Variant
)

var witNames = [...]string{"bool", "s8", "s16", "s32", "s64", "u8", "u16", "u32", "u64", "f32", "f64"}

// A Type is a Go type and what it is in WIT.
type Type struct {
	Kind     Kind
	Go       string // Go expression, such as []Person, with each Ref in it
	Name     string // WIT name, of records, enums, variants and arrays
	Doc      []string
	Pos      token.Position // of records, enums and variants; where an array is used
	Raw      bool           // JSON that Go holds as text
	Typed    bool           // JSON of a type of its own
	URL      bool           // text of a url.URL, which has functions instead of methods
	Key      *Type          // of maps
	Elem     *Type          // of lists, arrays, maps, and options
	Len      int            // of arrays
	Fields   []Field        // of records, and, without names, of tuples
	Cases    []Case         // of enums and variants
	Basic    Basic          // of enums
	Resource *Resource      // of handles
	Own      bool           // of handles: the one who gets it ends it
	// Only says of a record that it stands for its one field, which is all that WIT has of it.
	Only bool
	// Interface is what declares the type, if that is one of another package of WIT.
	Interface *Interface
	// Bare says of an option that Go has no pointer for it, but what is in it itself:
	// a nil interface, or a nil pointer to a resource, is none.
	Bare bool
	// Alike says that Go lays the type out as the canonical ABI does, so that
	// its memory can be used as it is.
	Alike bool

	// What was found out once the type was complete: types that each have the
	// previous one twice would be looked at a billion times.
	align, size int
	flat        []Core
	home        *Interface
}

// A Field is a field of a record.
type Field struct {
	Go   string
	Name string
	Doc  []string
	Type *Type
	Pos  token.Position
}

// A Case is a constant of an enum, or a type that is a case of a variant.
type Case struct {
	Go      string // the constant's name, or the type's expression, as that of a Type
	Name    string
	Doc     []string
	Pos     token.Position
	Type    *Type // what a variant's case carries, if anything
	Pointer bool  // only pointers to the type implement the variant's interface
}

// Basic is the sort of Go type that an enum is made of.
type Basic int

// The sorts of enums.
const (
	Signed Basic = iota
	Unsigned
	Text
)

// Named says that WIT declares the type under a name of its own. A record without one is
// a tuple there.
func (t *Type) Named() bool {
	return t.Name != "" && (t.Kind == Record || t.Kind == Enum || t.Kind == Variant)
}

// Scalar says that one flat core value holds the type.
func (t *Type) Scalar() bool { return t.Kind <= Handle }

// WIT is the type as WIT refers to it. rename maps the types of the package
// undergo:go to their local names.
func (t *Type) WIT(rename func(string) string) string {
	switch t.Kind {
	case String, Marshaled, CaseName:
		return "string"
	case Duration:
		return rename("duration")
	case Batch:
		return rename("batch")
	case JSON:
		return rename("json")
	case Time:
		return rename("time")
	case List:
		return "list<" + t.Elem.WIT(rename) + ">"
	case Array:
		return t.Name
	case Map:
		return fmt.Sprintf("map<%s, %s>", t.Key.WIT(rename), t.Elem.WIT(rename))
	case Option:
		return "option<" + t.Elem.WIT(rename) + ">"
	case Record, Enum, Variant:
		if t.Named() {
			return Escape(t.Name)
		}
	case Handle:
		name := t.Resource.Name
		if t.Resource.Interface.Shared {
			name = rename(t.Resource.Interface.Local(name))
		}
		if t.Own {
			return Escape(name)
		}
		return "borrow<" + Escape(name) + ">"
	}
	if t.Only {
		return t.Fields[0].Type.WIT(rename)
	}
	if t.Kind == Record || t.Kind == Tuple {
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Type.WIT(rename)
		}
		return "tuple<" + strings.Join(parts, ", ") + ">"
	}
	return witNames[t.Kind]
}

// Walk calls f once for t and for each of the types in it, inner types first.
func (t *Type) Walk(f func(*Type)) { t.walk(f, map[*Type]bool{}) }

func (t *Type) walk(f func(*Type), seen map[*Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	if t.Key != nil {
		t.Key.walk(f, seen)
	}
	if t.Elem != nil {
		t.Elem.walk(f, seen)
	}
	for _, inner := range t.Parts() {
		inner.walk(f, seen)
	}
	f(t)
}

// Parts are the types of the fields of a record or tuple, or of the values of a variant's cases.
func (t *Type) Parts() []*Type {
	ts := t.FieldTypes()
	for _, c := range t.Cases {
		if c.Type != nil {
			ts = append(ts, c.Type)
		}
	}
	return ts
}

// Any says that t, or a type in it, satisfies f.
func (t *Type) Any(f func(*Type) bool) (found bool) {
	t.Walk(func(t *Type) { found = found || f(t) })
	return found
}

// Refusable says that the host may give a value that the guest can't take for t
// itself: another number of elements, or a text that is none of the type's.
func (t *Type) Refusable() bool {
	return t.Kind == Array || t.Kind == Marshaled || t.Kind == CaseName || t.Kind == JSON && t.Typed
}

// Used are the types of the parameters and results of fs, and of their errors.
func (p *Plugin) Used(fs []*Func) []*Type {
	var ts []*Type
	for _, f := range fs {
		ts = append(ts, f.ParamTypes()...)
		ts = append(ts, f.Results...)
		if p.Chained(f) {
			ts = append(ts, p.Errors)
		}
		if f.Fails != nil {
			ts = append(ts, f.Fails)
		}
	}
	return ts
}

// Modules are the names of the imported interfaces of the world's own, in order of first use.
func (p *Plugin) Modules() []string {
	var names []string
	for _, f := range p.Imports {
		if f.Resource == nil && f.Interface == nil && !slices.Contains(names, f.Module) {
			names = append(names, f.Module)
		}
	}
	return names
}

// Refuses says that the glue of p may have to refuse a value, for which it needs
// version 2 of the contract: it lays out enums, variants, handles, JSON or texts of
// Go's types for the host, or takes arrays or such texts from it.
func (p *Plugin) Refuses() bool {
	for _, f := range p.Exports {
		if anyOf(f.Results, leaves) || anyOf(f.ParamTypes(), arrives) || anyOf(p.errorsOf(f), leaves) {
			return true
		}
	}
	for _, f := range p.Imports {
		if anyOf(f.ParamTypes(), leaves) || anyOf(f.Results, arrives) || anyOf(p.errorsOf(f), arrives) {
			return true
		}
	}
	return false
}

// errorsOf is what errors of f carry.
func (p *Plugin) errorsOf(f *Func) []*Type {
	if f.Fails != nil {
		return []*Type{f.Fails}
	}
	if !p.Chained(f) {
		return nil
	}
	return p.Errors.Parts()
}

// Chained says that the error of f crosses as a chain.
func (p *Plugin) Chained(f *Func) bool {
	return f.Error && !f.Text && f.Fails == nil && p.Errors != nil
}

func leaves(t *Type) bool {
	return (t.Kind == Enum || t.Kind == Variant) && !t.Full() || t.Kind == JSON && !t.Raw || t.Kind == Marshaled || t.Given()
}

func arrives(t *Type) bool { return t.Refusable() }

// Varies says that p has variants or errors with fields, for which it needs version 3
// of the contract.
func (p *Plugin) Varies() bool {
	return p.Errors != nil || slices.ContainsFunc(p.Types, func(t *Type) bool { return t.Kind == Variant })
}

func anyOf(ts []*Type, f func(*Type) bool) bool {
	return slices.ContainsFunc(ts, func(t *Type) bool { return t.Any(f) })
}

// Context says that an export of p takes a context.Context.
func (p *Plugin) Context() bool {
	return slices.ContainsFunc(p.Exports, func(f *Func) bool { return f.Context })
}
