package undergo

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// Case is a value of a variant, for [Call] and [WithImport]: one of its cases, by name. That is
// what a variable of type any gets.
//
// Other types are values of a variant, too: one that is called like a case is the value of that
// case, a struct Circle for circle; and a struct of pointers that are called like cases, of which
// one is not nil, is any of them.
type Case struct {
	// Tag is the name of the case in WIT.
	Tag string
	// Val is the value of the case; nil for one without.
	Val any
}

var (
	caseType  = reflect.TypeFor[Case]()
	emptyType = reflect.TypeFor[struct{}]()
)

// variantCase is a case of a variant, and the type of its value, if it has one.
type variantCase struct {
	name string
	typ  *typ
}

// String is the name, and the type of the value.
func (c variantCase) String() string {
	if c.typ == nil {
		return c.name
	}
	return c.name + "(" + c.typ.String() + ")"
}

func (t *typ) caseNames() string {
	names := make([]string, len(t.variants))
	for i, variant := range t.variants {
		names[i] = variant.name
	}
	return listed(names)
}

// tagged is the number of the case of that name; -1 for none.
func (t *typ) tagged(name string) int {
	return slices.IndexFunc(t.variants, func(variant variantCase) bool { return variant.name == name })
}

// number finds a case by its name in WIT, or as Go writes it; -1 for none.
func (t *typ) number(name string) int {
	if number := t.tagged(name); number >= 0 {
		return number
	}
	folded := fold(name)
	return slices.IndexFunc(t.variants, func(variant variantCase) bool { return fold(variant.name) == folded })
}

// named is the number of the case that a Go type is called like; -1 for none.
func (t *typ) named(goType reflect.Type) int {
	if goType == caseType || goType.Name() == "" {
		return -1
	}
	return t.number(goType.Name())
}

// content is the value that a value of the type for a case stands for. Go has no methods for
// pointers and interfaces, which are therefore the only field of such a type.
func (c variantCase) content(v reflect.Value) reflect.Value {
	if (c.typ.kind == kindOption || c.typ.kind == kindVariant) && v.Kind() == reflect.Struct && v.NumField() == 1 && v.Type().Field(0).Name == "Value" {
		return v.Field(0)
	}
	return v
}

// lowerVariant takes a [Case], a value of a type that is called like a case, or a struct of
// pointers.
func lowerVariant(w writer, t *typ, v reflect.Value, to unsafe.Pointer) error {
	if v.Type() == caseType {
		given := v.Interface().(Case)
		number := t.tagged(given.Tag)
		if number < 0 {
			return &misfit{text: fmt.Sprintf("%q is not a case of %s: %s", given.Tag, t, t.caseNames())}
		}
		variant := t.variants[number]
		if variant.typ == nil && given.Val != nil {
			return &misfit{text: fmt.Sprintf("the case %s of %s has no value, got %T", variant.name, t, given.Val)}
		}
		return lowerCase(w, t, number, reflect.ValueOf(given.Val), to)
	}
	if number := t.named(v.Type()); number >= 0 {
		variant := t.variants[number]
		if variant.typ == nil {
			if v.Kind() != reflect.Struct || v.NumField() > 0 {
				return &misfit{text: fmt.Sprintf("the case %s of %s has no value, got %s", variant.name, t, v.Type())}
			}
			return lowerCase(w, t, number, v, to)
		}
		return lowerCase(w, t, number, variant.content(v), to)
	}
	if v.Kind() != reflect.Struct {
		return noCase(t, v.Type().String())
	}
	numbers, err := pointersOf(t, v.Type())
	if err != nil {
		return err
	}
	chosen := -1
	for field, number := range numbers {
		if number < 0 || v.Field(field).IsNil() {
			continue
		}
		if chosen >= 0 {
			return &misfit{text: fmt.Sprintf("%s has two cases of %s: %s and %s", v.Type(), t, t.variants[numbers[chosen]].name, t.variants[number].name)}
		}
		chosen = field
	}
	if chosen < 0 {
		return &misfit{text: fmt.Sprintf("%s has none of the cases of %s: all its pointers are nil", v.Type(), t)}
	}
	return lowerCase(w, t, numbers[chosen], v.Field(chosen).Elem(), to)
}

func noCase(t *typ, got string) error {
	return &misfit{text: fmt.Sprintf("expected a case of %s, %s; got %s", t, t.caseNames(), got)}
}

func lowerCase(w writer, t *typ, number int, v reflect.Value, to unsafe.Pointer) error {
	*(*int32)(to) = int32(number)
	variant := t.variants[number]
	if variant.typ == nil {
		return nil
	}
	return at(lower(w, variant.typ, v, unsafe.Add(to, t.payload)), "."+variant.name)
}

// liftVariant gives a [Case], the only case whose type that of the variable is, or a struct of
// pointers.
func liftVariant(l *lifter, t *typ, from unsafe.Pointer, to reflect.Value) error {
	number := int(*(*int32)(from))
	if number < 0 || number >= len(t.variants) {
		return &misfit{text: fmt.Sprintf("%d is not a case of %s", number, t)}
	}
	variant := t.variants[number]
	inside := unsafe.Add(from, t.payload)
	if to.Type() == caseType {
		made := Case{Tag: variant.name}
		if variant.typ != nil {
			value, err := natural(l, variant.typ, inside)
			if err != nil {
				return at(err, "."+variant.name)
			}
			if value.IsValid() {
				made.Val = value.Interface()
			}
		}
		to.Set(reflect.ValueOf(made))
		return nil
	}
	if wanted := t.named(to.Type()); wanted >= 0 {
		if wanted != number {
			return &misfit{text: fmt.Sprintf("the case %s of %s does not fit a variable of type %s", variant.name, t, to.Type())}
		}
		return liftCase(l, variant, inside, to)
	}
	if to.Kind() != reflect.Struct {
		return unfit(t, to)
	}
	numbers, err := pointersOf(t, to.Type())
	if err != nil {
		return err
	}
	to.SetZero()
	for field, of := range numbers {
		if of == number {
			value := reflect.New(to.Type().Field(field).Type.Elem())
			if err := liftCase(l, variant, inside, value.Elem()); err != nil {
				return err
			}
			to.Field(field).Set(value)
			return nil
		}
	}
	return &misfit{text: fmt.Sprintf("%s has no field for the case %s of %s", to.Type(), variant.name, t)}
}

func liftCase(l *lifter, variant variantCase, from unsafe.Pointer, to reflect.Value) error {
	if variant.typ == nil {
		return nil
	}
	return at(lift(l, variant.typ, from, variant.content(to)), "."+variant.name)
}

// pointersOf gives the number of the case for each field of a struct of pointers; -1 for a field
// that does not cross.
func pointersOf(t *typ, goType reflect.Type) ([]int, error) {
	numbers := make([]int, goType.NumField())
	for i := range numbers {
		numbers[i] = -1
	}
	taken := map[int]bool{}
	for _, field := range exportedFields(goType) {
		number := t.number(field.name)
		name := goType.Field(field.index).Name
		switch {
		case number < 0:
			return nil, &misfit{text: fmt.Sprintf("%s has the field %s, which is no case of %s: %s", goType, name, t, t.caseNames())}
		case taken[number]:
			return nil, &misfit{text: fmt.Sprintf("%s has two fields for the case %s of %s", goType, t.variants[number].name, t)}
		}
		own := goType.Field(field.index).Type
		if own.Kind() != reflect.Pointer || t.variants[number].typ == nil && !own.Elem().ConvertibleTo(emptyType) {
			return nil, &misfit{text: fmt.Sprintf("the field %s of %s is %s, and no pointer for the case %s of %s", name, goType, own, t.variants[number], t)}
		}
		taken[number] = true
		numbers[field.index] = number
	}
	if len(taken) == 0 {
		return nil, noCase(t, goType.String())
	}
	return numbers, nil
}

// checkedVariant says early what can't ever be. A result may be of any interface, whose value
// decides.
func checkedVariant(t *typ, goType reflect.Type, isResult bool) error {
	if goType == caseType || isResult && goType.Kind() == reflect.Interface {
		return nil
	}
	if number := t.named(goType); number >= 0 {
		return nil
	}
	if goType.Kind() != reflect.Struct {
		return fmt.Errorf("%s does not fit %s", t, goType)
	}
	_, err := pointersOf(t, goType)
	return err
}
