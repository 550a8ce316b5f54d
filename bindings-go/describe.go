package undergo

import (
	"strconv"
	"strings"
)

// kind is what a type of an interface is.
type kind uint8

const (
	kindBool kind = iota
	kindS8
	kindU8
	kindS16
	kindU16
	kindS32
	kindU32
	kindS64
	kindU64
	kindF32
	kindF64
	kindI32
	kindI64
	kindString
	kindJSON
	kindDuration
	kindTime
	kindOption
	kindList
	kindMap
	kindTuple
	kindRecord
	kindEnum
	kindVariant
	// kindHandle is a handle of a resource.
	kindHandle
)

// simple are the types that are one word, with their sizes in C.
var simple = map[string]struct {
	kind kind
	size uintptr
}{
	"bool": {kindBool, 1}, "s8": {kindS8, 1}, "u8": {kindU8, 1}, "s16": {kindS16, 2}, "u16": {kindU16, 2}, "s32": {kindS32, 4}, "u32": {kindU32, 4}, "s64": {kindS64, 8}, "u64": {kindU64, 8},
	"f32": {kindF32, 4}, "f64": {kindF64, 8}, "i32": {kindI32, 4}, "i64": {kindI64, 8}, "string": {kindString, 16}, "json": {kindJSON, 16}, "duration": {kindDuration, 8}, "time": {kindTime, 16},
}

// typ is a type of an interface, and how it lies in C.
type typ struct {
	kind        kind
	name        string
	size, align uintptr
	// elem is that of an option, a list, and the value of a map, which has a key beside it.
	elem, key *typ
	// valueAt is where the value of a map's entry lies, of entry bytes.
	valueAt, entry uintptr
	fields         []typeField
	cases          []string
	// variants are the cases of a variant, whose values lie at payload.
	variants []variantCase
	payload  uintptr
	// resource is that of a handle, and optional says whether there may be none.
	resource *resource
	optional bool
	// holdsHandles says whether it is a handle, or a part of it.
	holdsHandles bool
	// digest is that of the record of an error's fields; 0 for other types.
	digest uint64
}

// typeField is a field of a record or a tuple, or a parameter.
type typeField struct {
	name string
	at   uintptr
	typ  *typ
}

// function is an export, an import, or a constructor or a method of a resource.
type function struct {
	Function
	number   uint32
	digest   uint64
	params   []typeField
	size     uintptr
	result   *typ
	fallible bool
}

// description is what undergo_plugin_describe gives.
type description struct {
	exports, imports []*function
	resources        []*resource
	// errors are the records of the errors with fields.
	errors []*typ
}

// described reads the description.
func described(text string) (found description) {
	var named types
	var last *typ
	var fields *[]typeField
	for line := range strings.Lines(text) {
		words := &words{rest: strings.Fields(line), known: &named}
		switch what := words.next(); what {
		case "resource":
			named.resources = append(named.resources, &resource{name: words.next(), isHosts: words.next() == "host", form: form(words.next())})
		case "record":
			last = &typ{kind: kindRecord, name: words.next(), size: words.number(), align: words.number()}
			named.records, fields = append(named.records, last), &last.fields
		case "enum":
			last = &typ{kind: kindEnum, name: words.next(), size: 4, align: 4}
			named.enums = append(named.enums, last)
		case "variant":
			last = &typ{kind: kindVariant, name: words.next(), size: words.number(), align: words.number(), payload: words.number()}
			named.variants = append(named.variants, last)
		case "case":
			if last.kind == kindEnum {
				last.cases = append(last.cases, words.next())
			} else {
				last.variants = append(last.variants, variantCase{words.next(), words.typ()})
				last.holds(last.variants[len(last.variants)-1].typ)
			}
		case "error":
			record := named.records[words.number()]
			record.digest = words.digest()
			found.errors = append(found.errors, record)
		case "export":
			export := words.function(len(found.exports))
			found.exports, fields = append(found.exports, export), &export.params
		case "import":
			imported := words.function(len(found.imports))
			found.imports, fields = append(found.imports, imported), &imported.params
		case "constructor", "method":
			of := named.resources[words.number()]
			number, name := int(words.number()), words.next()
			member := words.function(number)
			of.has(member, name, what == "constructor")
			fields = &member.params
		case "field":
			*fields = append(*fields, typeField{words.next(), words.number(), words.typ()})
			last.holds((*fields)[len(*fields)-1].typ)
		case "param":
			*fields = append(*fields, typeField{words.next(), words.number(), words.typ()})
		}
	}
	found.resources = named.resources
	return found
}

// types are those that have names, by their numbers.
type types struct {
	records, enums, variants []*typ
	resources                []*resource
}

// words are those of a line that were not read yet.
type words struct {
	rest  []string
	known *types
}

func (w *words) next() string {
	if len(w.rest) == 0 {
		return ""
	}
	word := w.rest[0]
	w.rest = w.rest[1:]
	return word
}

func (w *words) number() uintptr {
	number, _ := strconv.ParseUint(w.next(), 10, 64)
	return uintptr(number)
}

func (w *words) digest() uint64 {
	digest, _ := strconv.ParseUint(w.next(), 10, 64)
	return digest
}

func (w *words) function(number int) *function {
	return &function{number: uint32(number), digest: w.digest(), size: w.number(), fallible: w.next() == "true", result: w.typ()}
}

// typ reads a type; nil for none.
func (w *words) typ() *typ {
	word := w.next()
	if simple, ok := simple[word]; ok {
		return &typ{kind: simple.kind, name: word, size: simple.size, align: min(simple.size, 8)}
	}
	switch word {
	case "option":
		elem := w.typ()
		if elem.kind == kindHandle {
			// It is the pointer itself that may be NULL.
			elem.optional = true
			return elem
		}
		return (&typ{kind: kindOption, size: 8, align: 8, elem: elem}).holds(elem)
	case "list":
		elem := w.typ()
		return (&typ{kind: kindList, size: 16, align: 8, elem: elem}).holds(elem)
	case "map":
		found := &typ{kind: kindMap, size: 16, align: 8, entry: w.number(), key: w.typ()}
		found.valueAt, found.elem = w.number(), w.typ()
		return found.holds(found.elem)
	case "tuple":
		count := w.number()
		found := &typ{kind: kindTuple, size: w.number(), align: w.number()}
		for range count {
			found.fields = append(found.fields, typeField{at: w.number(), typ: w.typ()})
			found.holds(found.fields[len(found.fields)-1].typ)
		}
		return found
	case "record":
		return w.known.records[w.number()]
	case "enum":
		return w.known.enums[w.number()]
	case "variant":
		return w.known.variants[w.number()]
	case "own", "borrow":
		of := w.known.resources[w.number()]
		return &typ{kind: kindHandle, name: of.name, resource: of, holdsHandles: true, size: 8, align: 8}
	}
	return nil
}

// holds notes that another type, if there is one, is a part of this one.
func (t *typ) holds(part *typ) *typ {
	t.holdsHandles = t.holdsHandles || part != nil && part.holdsHandles
	return t
}

// mayBeNothing says whether a value need not be there.
func (t *typ) mayBeNothing() bool { return t.kind == kindOption || t.optional }

// String is the type in WIT.
func (t *typ) String() string {
	switch t.kind {
	case kindOption:
		return "option<" + t.elem.String() + ">"
	case kindList:
		return "list<" + t.elem.String() + ">"
	case kindMap:
		return "map<" + t.key.String() + ", " + t.elem.String() + ">"
	case kindTuple:
		items := make([]string, len(t.fields))
		for i, field := range t.fields {
			items[i] = field.typ.String()
		}
		return "tuple<" + strings.Join(items, ", ") + ">"
	default:
		return t.name
	}
}
