package undergo

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unsafe"
)

// misfit is a Go value that does not fit its type in the interface, or the other way round.
type misfit struct {
	// path leads from the function to the value; the innermost step comes first.
	path     []string
	function string
	text     string
}

func (m *misfit) Error() string {
	if place := m.place(); place != "" {
		return place + ": " + m.text
	}
	return m.text
}

func (m *misfit) place() string {
	inner := ""
	for _, step := range m.path {
		inner = step + inner
	}
	if m.function == "" {
		return inner
	}
	return m.function + "(" + inner + ")"
}

// at adds a step on the way out.
func at(err error, step string) error {
	if misfit, ok := err.(*misfit); ok {
		misfit.path = append(misfit.path, step)
	}
	return err
}

// mismatched makes the error that callers get.
func mismatched(err error, function string) error {
	if misfit, ok := err.(*misfit); ok {
		misfit.function = function
		return &Error{Kind: KindTypeMismatch, Message: misfit.text, Path: misfit.place()}
	}
	return err
}

func wanted(t *typ, v reflect.Value) error {
	got := "nothing"
	if v.IsValid() {
		got = v.Type().String()
	}
	return &misfit{text: fmt.Sprintf("expected %s, got %s", t, got)}
}

// writer gives room for what values point to.
type writer interface {
	room(size, align uintptr) unsafe.Pointer
	// lend says whether what the value points to may be lent: it is kept until it has been read.
	lend(value any) bool
	// pass makes an object of the library of one of the host's.
	pass(given *object, resource *resource) (uintptr, error)
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	rawType      = reflect.TypeFor[json.RawMessage]()
)

// lower writes a Go value as C has it.
func lower(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if t.kind == kindOption {
		return lowerOption(w, t, v, to)
	}
	if t.kind == kindHandle {
		return lowerHandle(w, t, v, to)
	}
	if !v.IsValid() {
		if t.kind == kindJSON {
			putText(w, "null", to)
			return nil
		}
		return wanted(t, v)
	}
	if v.Kind() == reflect.Pointer && !v.IsNil() && t.kind != kindJSON && t.kind != kindEnum {
		return lower(w, t, v.Elem(), to)
	}
	switch t.kind {
	case kindBool:
		if v.Kind() != reflect.Bool {
			return wanted(t, v)
		}
		*(*bool)(to) = v.Bool()
	case kindF32, kindF64:
		number, ok := float(v)
		if !ok {
			return wanted(t, v)
		}
		if t.kind == kindF32 {
			*(*float32)(to) = float32(number)
		} else {
			*(*float64)(to) = number
		}
	case kindString:
		if v.Kind() != reflect.String {
			return wanted(t, v)
		}
		putText(w, v.String(), to)
	case kindJSON:
		return lowerJSON(w, v, to)
	case kindDuration:
		if v.Type() != durationType {
			return wanted(t, v)
		}
		*(*int64)(to) = v.Int()
	case kindTime:
		if !v.Type().ConvertibleTo(timeType) {
			return wanted(t, v)
		}
		*(*cTime)(to) = timeOf(v.Convert(timeType).Interface().(time.Time))
	case kindList:
		return lowerList(w, t, v, to)
	case kindMap:
		return lowerMap(w, t, v, to)
	case kindTuple:
		return lowerTuple(w, t, v, to)
	case kindRecord:
		return lowerRecord(w, t, v, to)
	case kindEnum:
		return lowerEnum(t, v, to)
	case kindVariant:
		return lowerVariant(w, t, v, to)
	default:
		return lowerInteger(t, v, to)
	}
	return nil
}

func lowerOption(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	if !v.IsValid() || isNil(v) {
		*(*uintptr)(to) = 0
		return nil
	}
	inside := w.room(t.elem.size, t.elem.align)
	*(*uintptr)(to) = uintptr(inside)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return lower(w, t.elem, v, inside)
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return v.IsNil()
	}
	return false
}

// isNumber says that an integer is no duration.
func isNumber(v reflect.Value) bool { return v.Type() != durationType }

func lowerInteger(t *typ, v reflect.Value, to unsafe.Pointer) error {
	var bits uint64
	var negative bool
	switch {
	case v.CanInt() && isNumber(v):
		bits, negative = uint64(v.Int()), v.Int() < 0
	case v.CanUint():
		bits = v.Uint()
	default:
		return wanted(t, v)
	}
	var fits bool
	switch t.kind {
	case kindS8, kindS16, kindS32, kindS64:
		fits = signedFits(bits, negative, t.size)
	case kindU8, kindU16, kindU32, kindU64:
		fits = !negative && unsignedFits(bits, t.size)
	default:
		// A bare module says nothing of the sign.
		fits = signedFits(bits, negative, t.size) || !negative && unsignedFits(bits, t.size)
	}
	if !fits {
		return &misfit{text: fmt.Sprintf("%s does not fit %s", decimal(bits, negative), t)}
	}
	switch t.size {
	case 1:
		*(*uint8)(to) = uint8(bits)
	case 2:
		*(*uint16)(to) = uint16(bits)
	case 4:
		*(*uint32)(to) = uint32(bits)
	default:
		*(*uint64)(to) = bits
	}
	return nil
}

func unsignedFits(bits uint64, size uintptr) bool { return size == 8 || bits>>(8*size) == 0 }

func signedFits(bits uint64, negative bool, size uintptr) bool {
	if negative {
		return int64(bits) >= -1<<(8*size-1)
	}
	return bits>>(8*size-1) == 0
}

func decimal(bits uint64, negative bool) string {
	if negative {
		return strconv.FormatInt(int64(bits), 10)
	}
	return strconv.FormatUint(bits, 10)
}

// float gives a number as a float: an integer, too, as long as it is the same.
func float(v reflect.Value) (float64, bool) {
	switch {
	case v.CanFloat():
		return v.Float(), true
	case v.CanInt() && isNumber(v):
		number := float64(v.Int())
		return number, number < math.MaxInt64 && int64(number) == v.Int()
	case v.CanUint():
		number := float64(v.Uint())
		return number, number < math.MaxUint64 && uint64(number) == v.Uint()
	}
	return 0, false
}

func putText(w writer, text string, to unsafe.Pointer) {
	length := uintptr(len(text))
	putBytes(w, unsafe.Pointer(unsafe.StringData(text)), length, 1, length, text, to)
}

// putBytes writes a list of elements that lie in Go's memory as they do in C.
func putBytes(w writer, start unsafe.Pointer, size, align, length uintptr, owner any, to unsafe.Pointer) {
	if size == 0 {
		*(*cList)(to) = cList{}
		return
	}
	if !w.lend(owner) {
		copied := w.room(size, align)
		copy(unsafe.Slice((*byte)(copied), size), unsafe.Slice((*byte)(start), size))
		start = copied
	}
	*(*cList)(to) = cList{uintptr(start), length}
}

func lowerJSON(w writer, v reflect.Value, to unsafe.Pointer) error {
	if v.Type() == rawType {
		putText(w, string(v.Bytes()), to)
		return nil
	}
	encoded, err := json.Marshal(v.Interface())
	if err != nil {
		return &misfit{text: fmt.Sprintf("%s can't be written as JSON: %v", v.Type(), err)}
	}
	putText(w, string(encoded), to)
	return nil
}

// scalarKinds are the kinds of Go's types that lie in memory as the numbers of the interface.
var scalarKinds = map[kind]reflect.Kind{
	kindS8: reflect.Int8, kindU8: reflect.Uint8, kindS16: reflect.Int16, kindU16: reflect.Uint16, kindS32: reflect.Int32, kindU32: reflect.Uint32, kindS64: reflect.Int64,
	kindU64: reflect.Uint64, kindF32: reflect.Float32, kindF64: reflect.Float64, kindI32: reflect.Int32, kindI64: reflect.Int64, kindBool: reflect.Bool,
}

// isPlain says whether elements of the Go type lie in memory as those of the interface.
func isPlain(t *typ, element reflect.Type) bool {
	if element == durationType || t.kind == kindDuration {
		return element == durationType && t.kind == kindDuration
	}
	kind := element.Kind()
	switch kind {
	case reflect.Int:
		kind = reflect.Int64
	case reflect.Uint:
		kind = reflect.Uint64
	}
	wanted, ok := scalarKinds[t.kind]
	return ok && wanted == kind
}

func lowerList(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array || v.Type() == rawType {
		return wanted(t, v)
	}
	length := uintptr(v.Len())
	if v.Kind() == reflect.Slice && isPlain(t.elem, v.Type().Elem()) {
		putBytes(w, v.UnsafePointer(), length*t.elem.size, t.elem.align, length, v.Interface(), to)
		return nil
	}
	items := w.room(length*t.elem.size, t.elem.align)
	*(*cList)(to) = cList{uintptr(items), length}
	for i := range int(length) {
		if err := lower(w, t.elem, v.Index(i), unsafe.Add(items, uintptr(i)*t.elem.size)); err != nil {
			return at(err, "["+strconv.Itoa(i)+"]")
		}
	}
	return nil
}

func lowerMap(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	if v.Kind() != reflect.Map {
		return wanted(t, v)
	}
	length := uintptr(v.Len())
	entries := w.room(length*t.entry, 8)
	*(*cList)(to) = cList{uintptr(entries), length}
	each := v.MapRange()
	for i := uintptr(0); i < length && each.Next(); i++ {
		entry := unsafe.Add(entries, i*t.entry)
		if err := lower(w, t.key, each.Key(), entry); err != nil {
			return at(err, fmt.Sprintf("[key %v]", each.Key()))
		}
		if err := lower(w, t.elem, each.Value(), unsafe.Add(entry, t.valueAt)); err != nil {
			return at(err, fmt.Sprintf("[%v]", each.Key()))
		}
	}
	return nil
}

// lowerTuple takes a struct with as many exported fields, or a list.
func lowerTuple(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	var item func(i int) reflect.Value
	var count int
	switch v.Kind() {
	case reflect.Struct:
		exported := exportedFields(v.Type())
		item, count = func(i int) reflect.Value { return v.Field(exported[i].index) }, len(exported)
	case reflect.Slice, reflect.Array:
		item, count = v.Index, v.Len()
	default:
		return wanted(t, v)
	}
	if count != len(t.fields) {
		return &misfit{text: fmt.Sprintf("expected %d values for %s, got %d", len(t.fields), t, count)}
	}
	for i, field := range t.fields {
		if err := lower(w, field.typ, item(i), unsafe.Add(to, field.at)); err != nil {
			return at(err, "."+strconv.Itoa(i))
		}
	}
	return nil
}

func lowerRecord(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	switch v.Kind() {
	case reflect.Map:
		return lowerRecordMap(w, t, v, to)
	case reflect.Struct:
	default:
		return wanted(t, v)
	}
	places, err := placesOf(t, v.Type())
	if err != nil {
		return err
	}
	for i, field := range t.fields {
		value := reflect.Value{}
		if places[i] >= 0 {
			value = v.Field(places[i])
		}
		if err := lower(w, field.typ, value, unsafe.Add(to, field.at)); err != nil {
			return at(err, "."+field.name)
		}
	}
	return nil
}

func lowerRecordMap(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	if v.Type().Key().Kind() != reflect.String {
		return wanted(t, v)
	}
	used := 0
	for _, field := range t.fields {
		value := v.MapIndex(reflect.ValueOf(field.name).Convert(v.Type().Key()))
		if value.IsValid() {
			used++
		} else if !field.typ.mayBeNothing() {
			return &misfit{text: fmt.Sprintf("the field %s of %s is missing", field.name, t)}
		}
		if err := lower(w, field.typ, value, unsafe.Add(to, field.at)); err != nil {
			return at(err, "."+field.name)
		}
	}
	if used == v.Len() {
		return nil
	}
	for _, key := range v.MapKeys() {
		if !hasField(t, key.String()) {
			return &misfit{text: fmt.Sprintf("%s has no field %q; its fields are %s", t, key.String(), fieldNames(t))}
		}
	}
	return nil
}

func hasField(t *typ, name string) bool {
	for _, field := range t.fields {
		if field.name == name {
			return true
		}
	}
	return false
}

// lowerEnum takes the name of a case, or what writes itself as one.
func lowerEnum(t *typ, v reflect.Value, to unsafe.Pointer) error {
	var name string
	if marshaler, ok := v.Interface().(encoding.TextMarshaler); ok {
		encoded, err := marshaler.MarshalText()
		if err != nil {
			return &misfit{text: err.Error()}
		}
		name = string(encoded)
	} else if v.Kind() == reflect.String {
		name = v.String()
	} else {
		return wanted(t, v)
	}
	for i, known := range t.cases {
		if known == name {
			*(*int32)(to) = int32(i)
			return nil
		}
	}
	return &misfit{text: fmt.Sprintf("%q is not a case of %s: %s", name, t, listed(t.cases))}
}

// listed names some of many.
func listed(names []string) string {
	const most = 10
	text := ""
	for i, name := range names {
		if i == most {
			return fmt.Sprintf("%s and %d more", text, len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// cTime is undergo_time_t.
type cTime struct {
	seconds     int64
	nanoseconds uint32
	offset      int32
}

func timeOf(t time.Time) cTime {
	_, offset := t.Zone()
	return cTime{t.Unix(), uint32(t.Nanosecond()), int32(offset)}
}

func (t cTime) time() time.Time {
	at := time.Unix(t.seconds, int64(t.nanoseconds))
	if t.offset == 0 {
		return at.UTC()
	}
	return at.In(time.FixedZone("", int(t.offset)))
}
