package model

import "slices"

// Core is a type of WebAssembly's core values, as Go declares it.
type Core string

// The core types. Go has no name for an i32 without a sign: pointers, lengths,
// and unsigned scalars are uint32.
const (
	I32  Core = "int32"
	U32C Core = "uint32"
	I64  Core = "int64"
	U64C Core = "uint64"
	F32C Core = "float32"
	F64C Core = "float64"
)

// MaxFlatParams is how many core parameters a function has at most; with more of
// them it has a pointer to a record of all.
const MaxFlatParams = 16

// Align is the alignment of t in memory, and Size its size.
func (t *Type) Align() int { a, _ := t.layout(); return a }

// Size is the size of t in memory, a multiple of its alignment.
func (t *Type) Size() int { _, s := t.layout(); return s }

func (t *Type) layout() (align, size int) {
	if t.align == 0 {
		t.align, t.size = t.lay()
	}
	return t.align, t.size
}

func (t *Type) lay() (align, size int) {
	switch t.Kind {
	case Bool, S8, U8:
		return 1, 1
	case S16, U16:
		return 2, 2
	case S32, U32, F32, Batch, Handle:
		return 4, 4
	case S64, U64, F64, Duration:
		return 8, 8
	case Enum:
		n := t.Tag()
		return n, n
	case Time:
		return 8, 16
	case Option:
		l := Place(tagType(1), t.Elem)
		return l.Align, l.Size
	case Record, Tuple:
		l := Place(t.FieldTypes()...)
		return l.Align, l.Size
	case Variant:
		align, size = t.Tag(), 0
		for _, part := range t.Parts() {
			align, size = max(align, part.Align()), max(size, part.Size())
		}
		return align, Round(t.Payload()+size, align)
	}
	return 4, 8 // a pointer and a length
}

// Tag is the size of the discriminant of the enum or variant t.
func (t *Type) Tag() int {
	switch n := len(t.Cases); {
	case n <= 1<<8:
		return 1
	case n <= 1<<16:
		return 2
	}
	return 4
}

// Full says that each number which the discriminant of the enum or variant t can
// be is a case.
func (t *Type) Full() bool { return len(t.Cases) == 1<<(8*t.Tag()) }

// Payload is the offset of the value of each case of the variant t.
func (t *Type) Payload() int {
	offset := t.Tag()
	for _, part := range t.Parts() {
		offset = max(offset, part.Align())
	}
	return offset
}

func tagType(size int) *Type {
	return &Type{Kind: map[int]Kind{1: U8, 2: U16, 4: U32}[size]}
}

// FieldTypes are the types of the fields of the record or tuple t.
func (t *Type) FieldTypes() []*Type {
	var ts []*Type
	for _, f := range t.Fields {
		ts = append(ts, f.Type)
	}
	return ts
}

// A Layout says where the elements of a record or tuple lie.
type Layout struct {
	Offsets     []int
	Align, Size int
}

// Place lays out ts one after the other.
func Place(ts ...*Type) Layout {
	l := Layout{Align: 1}
	for _, t := range ts {
		align, size := t.layout()
		l.Size = Round(l.Size, align)
		l.Offsets = append(l.Offsets, l.Size)
		l.Size += size
		l.Align = max(l.Align, align)
	}
	l.Size = Round(l.Size, l.Align)
	return l
}

// Round is the next multiple of align that is not below n.
func Round(n, align int) int { return (n + align - 1) / align * align }

// Payload is the offset of what follows the discriminant of an option, or of a
// result whose alternatives have the alignments given.
func Payload(aligns ...int) int {
	offset := 1
	for _, a := range aligns {
		offset = max(offset, a)
	}
	return offset
}

// Flat are the core values that t is passed as. If they are more than parameters
// may be, they are some of them.
func (t *Type) Flat() []Core {
	if t.flat == nil {
		t.flat = slices.Clip(t.flatten())
	}
	return t.flat
}

func (t *Type) flatten() []Core {
	switch t.Kind {
	case Bool, U8, U16, U32, Batch, Enum, Handle:
		return []Core{U32C}
	case S8, S16, S32:
		return []Core{I32}
	case S64, Duration:
		return []Core{I64}
	case U64:
		return []Core{U64C}
	case F32:
		return []Core{F32C}
	case F64:
		return []Core{F64C}
	case Time:
		return []Core{I64, U32C, I32}
	case Option:
		return append([]Core{U32C}, t.Elem.Flat()...)
	case Record, Tuple:
		return FlatAll(t.FieldTypes())
	case Variant:
		return append([]Core{U32C}, t.joined()...)
	}
	return []Core{U32C, U32C}
}

// joined are the core values that the cases of the variant t share: each is of the
// type that all of them have there, or of one that is wide enough for all.
func (t *Type) joined() []Core {
	var all []Core
	for _, part := range t.Parts() {
		for i, c := range part.Flat() {
			if i == len(all) {
				all = append(all, c)
			} else {
				all[i] = join(all[i], c)
			}
		}
	}
	return all
}

func join(a, b Core) Core {
	switch {
	case a == b:
		return a
	case a.Bytes() == 4 && b.Bytes() == 4:
		return U32C
	}
	return U64C
}

// FlatAll are the core values that ts are passed as: those that Flat gives.
func FlatAll(ts []*Type) []Core {
	var all []Core
	for _, t := range ts {
		if all = append(all, t.Flat()...); len(all) > MaxFlatParams {
			return all[:MaxFlatParams+1]
		}
	}
	return all
}

// Bytes is the size of a core value.
func (c Core) Bytes() int {
	if c == I64 || c == U64C || c == F64C {
		return 8
	}
	return 4
}

// FlatParams are the core parameters of f, without a return area. Spilled says
// that there is just one of them, a pointer to a record of all.
func (f *Func) FlatParams() (flat []Core, spilled bool) {
	flat = FlatAll(f.ParamTypes())
	if len(flat) > MaxFlatParams {
		return []Core{U32C}, true
	}
	return flat, false
}

// ParamTypes are the types of the parameters of f.
func (f *Func) ParamTypes() []*Type {
	var ts []*Type
	for _, p := range f.Params {
		ts = append(ts, p.Type)
	}
	return ts
}

// FlatResult is the core result of f, if there is exactly one.
func (f *Func) FlatResult() (Core, bool) {
	if f.Error {
		return "", false
	}
	flat := FlatAll(f.Results)
	if len(flat) != 1 {
		return "", false
	}
	return flat[0], true
}

// A ResultLayout says where the parts of a function's result lie in its return
// area: a discriminant at 0 when there is an error, and the results.
type ResultLayout struct {
	Offsets []int // of the results
	Error   int   // of the error's text, of the list of errors, or of the error's own type
	Size    int   // 0 when the function has no return area
}

// ResultLayout is the layout of the return area of f.
func (f *Func) ResultLayout() ResultLayout {
	if _, ok := f.FlatResult(); ok || len(f.Results) == 0 && !f.Error {
		return ResultLayout{}
	}
	l := Place(f.Results...)
	if !f.Error {
		return ResultLayout{Offsets: l.Offsets, Size: l.Size}
	}
	align, size := 4, 8 // of a text or a list
	if f.Fails != nil {
		align, size = f.Fails.layout()
	}
	at := Payload(l.Align, align)
	r := ResultLayout{Error: at}
	for _, o := range l.Offsets {
		r.Offsets = append(r.Offsets, at+o)
	}
	r.Size = Round(at+max(l.Size, size), max(l.Align, align))
	return r
}
