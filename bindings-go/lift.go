package undergo

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unsafe"
)

// cList is how all lists, texts and maps lie in C.
type cList struct {
	at, length uintptr
}

func (l cList) text() string {
	return string(unsafe.Slice((*byte)(pointer(l.at)), int(l.length)))
}

// lift reads a value of C into a Go variable. What it gives is a copy.
func lift(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	if t.kind == kindHandle && (to.Kind() != reflect.Interface || to.NumMethod() > 0) {
		return liftHandle(l, t, from, to)
	}
	if to.Kind() == reflect.Interface {
		if to.NumMethod() > 0 {
			return unfit(t, to)
		}
		value, err := natural(l, t, from)
		if err != nil {
			return err
		}
		if value.IsValid() {
			to.Set(value)
		} else {
			to.SetZero()
		}
		return nil
	}
	if t.kind == kindOption {
		if to.Kind() != reflect.Pointer {
			return unfit(t, to)
		}
		inside := *(*uintptr)(from)
		if inside == 0 {
			to.SetZero()
			return nil
		}
		value := reflect.New(to.Type().Elem())
		if err := lift(l, t.elem, pointer(inside), value.Elem()); err != nil {
			return err
		}
		to.Set(value)
		return nil
	}
	switch t.kind {
	case kindBool:
		if to.Kind() != reflect.Bool {
			return unfit(t, to)
		}
		to.SetBool(*(*uint8)(from) != 0)
	case kindS8, kindU8, kindS16, kindU16, kindS32, kindU32, kindS64, kindU64, kindI32, kindI64:
		return liftInteger(t, from, to)
	case kindF32, kindF64:
		if !to.CanFloat() {
			return unfit(t, to)
		}
		if t.kind == kindF32 {
			to.SetFloat(float64(*(*float32)(from)))
		} else if to.Kind() == reflect.Float32 {
			return unfit(t, to)
		} else {
			to.SetFloat(*(*float64)(from))
		}
	case kindString:
		if to.Kind() != reflect.String {
			return unfit(t, to)
		}
		to.SetString((*cList)(from).text())
	case kindJSON:
		encoded := []byte((*cList)(from).text())
		if to.Type() == rawType {
			to.SetBytes(encoded)
		} else if err := json.Unmarshal(encoded, to.Addr().Interface()); err != nil {
			return &misfit{text: err.Error()}
		}
	case kindDuration:
		if to.Type() != durationType {
			return unfit(t, to)
		}
		to.SetInt(*(*int64)(from))
	case kindTime:
		if !timeType.ConvertibleTo(to.Type()) {
			return unfit(t, to)
		}
		to.Set(reflect.ValueOf((*cTime)(from).time()).Convert(to.Type()))
	case kindList:
		return liftList(l, t, from, to)
	case kindMap:
		return liftMap(l, t, from, to)
	case kindTuple:
		return liftTuple(l, t, from, to)
	case kindRecord:
		return liftRecord(l, t, from, to)
	case kindEnum:
		return liftEnum(t, from, to)
	case kindVariant:
		return liftVariant(l, t, from, to)
	}
	return nil
}

func unfit(t *typ, to reflect.Value) error {
	return &misfit{text: fmt.Sprintf("a value of %s does not fit a variable of type %s", t, to.Type())}
}

func liftInteger(t *typ, from unsafe.Pointer, to reflect.Value) error {
	var bits uint64
	signed := false
	switch t.kind {
	case kindS8:
		bits, signed = uint64(*(*int8)(from)), true
	case kindU8:
		bits = uint64(*(*uint8)(from))
	case kindS16:
		bits, signed = uint64(*(*int16)(from)), true
	case kindU16:
		bits = uint64(*(*uint16)(from))
	case kindS32, kindI32:
		bits, signed = uint64(*(*int32)(from)), true
	case kindU32:
		bits = uint64(*(*uint32)(from))
	case kindS64, kindI64:
		bits, signed = uint64(*(*int64)(from)), true
	default:
		bits = *(*uint64)(from)
	}
	negative := signed && int64(bits) < 0
	switch {
	case to.CanInt() && isNumber(to):
		if !negative && bits>>63 != 0 || to.OverflowInt(int64(bits)) {
			return tooLarge(bits, negative, to)
		}
		to.SetInt(int64(bits))
	case to.CanUint():
		// The numbers of a bare module have no sign.
		if t.kind == kindI32 {
			bits, negative = uint64(uint32(bits)), false
		} else if t.kind == kindI64 {
			negative = false
		}
		if negative || to.OverflowUint(bits) {
			return tooLarge(bits, negative, to)
		}
		to.SetUint(bits)
	default:
		return unfit(t, to)
	}
	return nil
}

func tooLarge(bits uint64, negative bool, to reflect.Value) error {
	return &misfit{text: fmt.Sprintf("%s does not fit a variable of type %s", decimal(bits, negative), to.Type())}
}

func liftList(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	list := *(*cList)(from)
	length := int(list.length)
	switch to.Kind() {
	case reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), length, length))
	case reflect.Array:
		if to.Len() != length {
			return &misfit{text: fmt.Sprintf("a list of %d does not fit a variable of type %s", length, to.Type())}
		}
	default:
		return unfit(t, to)
	}
	if to.Type() == rawType {
		return unfit(t, to)
	}
	if to.Kind() == reflect.Slice && isPlain(t.elem, to.Type().Elem()) {
		size := list.length * t.elem.size
		copy(unsafe.Slice((*byte)(to.UnsafePointer()), size), unsafe.Slice((*byte)(pointer(list.at)), size))
		return nil
	}
	for i := range length {
		if err := lift(l, t.elem, pointer(list.at+uintptr(i)*t.elem.size), to.Index(i)); err != nil {
			return at(err, "["+strconv.Itoa(i)+"]")
		}
	}
	return nil
}

func liftMap(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	if to.Kind() != reflect.Map {
		return unfit(t, to)
	}
	list := *(*cList)(from)
	made := reflect.MakeMapWithSize(to.Type(), int(list.length))
	for i := range list.length {
		entry := list.at + i*t.entry
		key, value := reflect.New(to.Type().Key()).Elem(), reflect.New(to.Type().Elem()).Elem()
		if err := lift(l, t.key, pointer(entry), key); err != nil {
			return at(err, "[key]")
		}
		if err := lift(l, t.elem, pointer(entry+t.valueAt), value); err != nil {
			return at(err, fmt.Sprintf("[%v]", key))
		}
		made.SetMapIndex(key, value)
	}
	to.Set(made)
	return nil
}

func liftTuple(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	var item func(i int) reflect.Value
	count := len(t.fields)
	switch to.Kind() {
	case reflect.Struct:
		exported := exportedFields(to.Type())
		item, count = func(i int) reflect.Value { return to.Field(exported[i].index) }, len(exported)
	case reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), count, count))
		item = to.Index
	case reflect.Array:
		item, count = to.Index, to.Len()
	default:
		return unfit(t, to)
	}
	if count != len(t.fields) {
		return &misfit{text: fmt.Sprintf("%d values of %s do not fit %d of %s", len(t.fields), t, count, to.Type())}
	}
	for i, field := range t.fields {
		if err := lift(l, field.typ, unsafe.Add(from, field.at), item(i)); err != nil {
			return at(err, "."+strconv.Itoa(i))
		}
	}
	return nil
}

func liftRecord(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	if to.Kind() != reflect.Struct {
		return unfit(t, to)
	}
	places, err := placesOf(t, to.Type())
	if err != nil {
		return err
	}
	for i, field := range t.fields {
		if places[i] < 0 {
			return &misfit{text: fmt.Sprintf("%s has no field for %s of %s", to.Type(), field.name, t)}
		}
		if err := lift(l, field.typ, unsafe.Add(from, field.at), to.Field(places[i])); err != nil {
			return at(err, "."+field.name)
		}
	}
	return nil
}

func liftEnum(t *typ, from unsafe.Pointer, to reflect.Value) error {
	name := t.caseAt(from)
	if unmarshaler, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := unmarshaler.UnmarshalText([]byte(name)); err != nil {
			return &misfit{text: err.Error()}
		}
		return nil
	}
	if to.Kind() != reflect.String {
		return unfit(t, to)
	}
	to.SetString(name)
	return nil
}

func (t *typ) caseAt(from unsafe.Pointer) string {
	number := *(*int32)(from)
	if number < 0 || int(number) >= len(t.cases) {
		return ""
	}
	return t.cases[number]
}

var anyType = reflect.TypeFor[any]()

// naturalTypes are those of Go's types that a variable of type any gets, where they depend on the
// kind alone.
var naturalTypes = map[kind]reflect.Type{
	kindBool: reflect.TypeFor[bool](), kindS8: reflect.TypeFor[int8](), kindU8: reflect.TypeFor[uint8](), kindS16: reflect.TypeFor[int16](), kindU16: reflect.TypeFor[uint16](),
	kindS32: reflect.TypeFor[int32](), kindU32: reflect.TypeFor[uint32](), kindS64: reflect.TypeFor[int64](), kindU64: reflect.TypeFor[uint64](), kindF32: reflect.TypeFor[float32](),
	kindF64: reflect.TypeFor[float64](), kindI32: reflect.TypeFor[int32](), kindI64: reflect.TypeFor[int64](), kindString: reflect.TypeFor[string](), kindJSON: rawType,
	kindDuration: reflect.TypeFor[time.Duration](), kindTime: timeType, kindEnum: reflect.TypeFor[string](), kindTuple: reflect.TypeFor[[]any](), kindVariant: caseType,
}

// naturalType is the Go type of a value whose variable has none: records are maps, and lists of
// what has parts are []any.
func naturalType(t *typ) reflect.Type {
	switch t.kind {
	case kindList:
		return reflect.SliceOf(naturalType(t.elem))
	case kindMap:
		return reflect.MapOf(naturalType(t.key), anyOr(t.elem))
	case kindOption, kindRecord:
		return anyType
	case kindHandle:
		return t.resource.naturalType()
	default:
		return naturalTypes[t.kind]
	}
}

func anyOr(t *typ) reflect.Type {
	if found := naturalType(t); found != nil {
		return found
	}
	return anyType
}

// natural reads a value into the Go type that is natural for it; an option without a value is the
// zero Value.
func natural(l *lifter, t *typ, from unsafe.Pointer) (reflect.Value, error) {
	switch t.kind {
	case kindOption:
		inside := *(*uintptr)(from)
		if inside == 0 {
			return reflect.Value{}, nil
		}
		return natural(l, t.elem, pointer(inside))
	case kindHandle:
		if *(*uintptr)(from) == 0 {
			return reflect.Value{}, nil
		}
		if t.resource.isHosts {
			return reflect.ValueOf(ownOf(*(*uintptr)(from))), nil
		}
	case kindRecord:
		made := make(map[string]any, len(t.fields))
		for _, field := range t.fields {
			value, err := natural(l, field.typ, unsafe.Add(from, field.at))
			if err != nil {
				return value, at(err, "."+field.name)
			}
			if value.IsValid() {
				made[field.name] = value.Interface()
			} else {
				made[field.name] = nil
			}
		}
		return reflect.ValueOf(made), nil
	}
	value := reflect.New(naturalType(t)).Elem()
	err := lift(l, t, from, value)
	return value, err
}
