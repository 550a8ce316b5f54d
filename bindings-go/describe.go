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
	// kindHandle is a handle of a resource, which Go's values have no form for yet.
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
	// holdsHandles says whether a part of it is a handle.
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

// function is an export or an import.
type function struct {
	Function
	number   uint32
	digest   uint64
	params   []typeField
	size     uintptr
	result   *typ
	fallible bool
	// holdsHandles says whether a parameter, or the result, is or has a handle.
	holdsHandles bool
}

// described reads what undergo_plugin_describe gives.
func described(description string) (exports, imports []*function, errors []*typ) {
	var named types
	var last *typ
	var fields *[]typeField
	// holder is what the next fields belong to.
	var holder *bool
	for line := range strings.Lines(description) {
		words := &words{rest: strings.Fields(line), known: &named}
		switch words.next() {
		case "record":
			record := &typ{kind: kindRecord, name: words.next(), size: words.number(), align: words.number()}
			named.records, fields, holder = append(named.records, record), &record.fields, &record.holdsHandles
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
				last.holdsHandles = last.holdsHandles || words.holdsHandles
			}
		case "error":
			record := named.records[words.number()]
			record.digest = words.digest()
			errors = append(errors, record)
		case "export":
			found := words.function(len(exports))
			exports, fields, holder = append(exports, found), &found.params, &found.holdsHandles
		case "import":
			found := words.function(len(imports))
			imports, fields, holder = append(imports, found), &found.params, &found.holdsHandles
		case "field", "param":
			*fields = append(*fields, typeField{words.next(), words.number(), words.typ()})
			*holder = *holder || words.holdsHandles
		case "constructor", "method":
			fields, holder = new([]typeField), new(bool)
		}
	}
	return exports, imports, errors
}

// types are those that have names, by their numbers.
type types struct {
	records, enums, variants []*typ
}

// words are those of a line that were not read yet.
type words struct {
	rest  []string
	known *types
	// holdsHandles says whether a type that was read is or has a handle.
	holdsHandles bool
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
	found := &function{number: uint32(number), digest: w.digest(), size: w.number(), fallible: w.next() == "true", result: w.typ()}
	found.holdsHandles = w.holdsHandles
	return found
}

// typ reads a type; nil for none.
func (w *words) typ() *typ {
	word := w.next()
	if simple, ok := simple[word]; ok {
		return &typ{kind: simple.kind, name: word, size: simple.size, align: min(simple.size, 8)}
	}
	switch word {
	case "option":
		return &typ{kind: kindOption, size: 8, align: 8, elem: w.typ()}
	case "list":
		return &typ{kind: kindList, size: 16, align: 8, elem: w.typ()}
	case "map":
		found := &typ{kind: kindMap, size: 16, align: 8, entry: w.number(), key: w.typ()}
		found.valueAt, found.elem = w.number(), w.typ()
		return found
	case "tuple":
		count := w.number()
		found := &typ{kind: kindTuple, size: w.number(), align: w.number()}
		for range count {
			found.fields = append(found.fields, typeField{at: w.number(), typ: w.typ()})
		}
		return found
	case "record":
		return w.named(w.known.records)
	case "enum":
		return w.named(w.known.enums)
	case "variant":
		return w.named(w.known.variants)
	case "own", "borrow":
		w.number()
		w.holdsHandles = true
		return &typ{kind: kindHandle, name: "handle", size: 8, align: 8}
	}
	return nil
}

func (w *words) named(all []*typ) *typ {
	found := all[w.number()]
	w.holdsHandles = w.holdsHandles || found.holdsHandles
	return found
}

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
