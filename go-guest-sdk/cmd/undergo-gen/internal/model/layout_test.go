package model

import (
	"slices"
	"testing"
)

// The layouts are those of the canonical ABI's explainer, by hand.
func TestLayout(t *testing.T) {
	u8, u32, s64, str := &Type{Kind: U8}, &Type{Kind: U32}, &Type{Kind: S64}, &Type{Kind: String}
	option := func(t *Type) *Type { return &Type{Kind: Option, Elem: t} }
	record := func(ts ...*Type) *Type {
		r := &Type{Kind: Record}
		for _, t := range ts {
			r.Fields = append(r.Fields, Field{Type: t})
		}
		return r
	}
	enum := func(n int) *Type { return &Type{Kind: Enum, Cases: make([]Case, n)} }
	variant := func(ts ...*Type) *Type {
		v := &Type{Kind: Variant}
		for _, t := range ts {
			v.Cases = append(v.Cases, Case{Type: t})
		}
		return v
	}
	many := variant(make([]*Type, 257)...)
	many.Cases[7].Type = u8
	for name, test := range map[string]struct {
		t           *Type
		align, size int
		flat        int
	}{
		"u8":                    {u8, 1, 1, 1},
		"string":                {str, 4, 8, 2},
		"option<u8>":            {option(u8), 1, 2, 2},
		"option<s64>":           {option(s64), 8, 16, 2},
		"option<option<u32>>":   {option(option(u32)), 4, 12, 3},
		"record {u8, s64, u8}":  {record(u8, s64, u8), 8, 24, 3},
		"record {u8, u8, u32}":  {record(u8, u8, u32), 4, 8, 3},
		"record {string, u8}":   {record(str, u8), 4, 12, 3},
		"time":                  {&Type{Kind: Time}, 8, 16, 3},
		"enum of 256":           {enum(256), 1, 1, 1},
		"enum of 257":           {enum(257), 2, 2, 1},
		"enum of 65537":         {enum(65537), 4, 4, 1},
		"option<enum of 257>":   {option(enum(257)), 2, 4, 2},
		"record {record {u8}}":  {record(record(u8)), 1, 1, 1},
		"list<record{u8, s64}>": {&Type{Kind: List, Elem: record(u8, s64)}, 4, 8, 2},
		"variant {u8, empty}":   {variant(u8, nil), 1, 2, 2},
		"variant {u8, s64}":     {variant(u8, s64), 8, 16, 2},
		"variant {string, u8}":  {variant(str, u8), 4, 12, 3},
		"variant of empties":    {variant(nil, nil), 1, 1, 1},
		"variant of 257":        {many, 2, 4, 2},
		"option<variant>":       {option(variant(str, nil)), 4, 16, 4},
		"variant {record}":      {variant(record(u8, s64, u8), str), 8, 32, 4},
	} {
		if a, s, f := test.t.Align(), test.t.Size(), len(test.t.Flat()); a != test.align || s != test.size || f != test.flat {
			t.Errorf("%s: align %d, size %d, %d flat; want %d, %d, %d", name, a, s, f, test.align, test.size, test.flat)
		}
	}
}

// Joined core values are those of the canonical ABI's explainer: i32 for i32 and f32,
// else i64 for different ones.
func TestJoined(t *testing.T) {
	s32, u32, s64, u64 := &Type{Kind: S32}, &Type{Kind: U32}, &Type{Kind: S64}, &Type{Kind: U64}
	f32, f64, str := &Type{Kind: F32}, &Type{Kind: F64}, &Type{Kind: String}
	for _, test := range []struct {
		cases []*Type
		want  []Core
	}{
		{[]*Type{f32, nil, f32}, []Core{F32C}},
		{[]*Type{f64, f64}, []Core{F64C}},
		{[]*Type{s32, s32}, []Core{I32}},
		{[]*Type{s32, u32}, []Core{U32C}},
		{[]*Type{s64, u64}, []Core{U64C}},
		{[]*Type{f32, s32}, []Core{U32C}},
		{[]*Type{f32, f64}, []Core{U64C}},
		{[]*Type{s64, f64}, []Core{U64C}},
		{[]*Type{s32, f64}, []Core{U64C}},
		{[]*Type{f32, s64, str, {Kind: Bool}, nil}, []Core{U64C, U32C}},
		{[]*Type{str, {Kind: Record, Fields: []Field{{Type: u32}, {Type: f32}, {Type: f64}}}}, []Core{U32C, U32C, F64C}},
	} {
		v := &Type{Kind: Variant}
		for _, c := range test.cases {
			v.Cases = append(v.Cases, Case{Type: c})
		}
		if got := v.Flat(); got[0] != U32C || !slices.Equal(got[1:], test.want) {
			t.Errorf("%v: %v, want %v behind the discriminant", test.cases, got, test.want)
		}
	}
}

func TestResultLayout(t *testing.T) {
	u8, s64, str := &Type{Kind: U8}, &Type{Kind: S64}, &Type{Kind: String}
	for name, test := range map[string]struct {
		f    Func
		want ResultLayout
	}{
		"nothing":                            {Func{}, ResultLayout{}},
		"u8":                                 {Func{Results: []*Type{u8}}, ResultLayout{}},
		"string":                             {Func{Results: []*Type{str}}, ResultLayout{Offsets: []int{0}, Size: 8}},
		"result<_, string>":                  {Func{Error: true}, ResultLayout{Error: 4, Size: 12}},
		"result<s64, string>":                {Func{Results: []*Type{s64}, Error: true}, ResultLayout{Offsets: []int{8}, Error: 8, Size: 16}},
		"result<u8, string>":                 {Func{Results: []*Type{u8}, Error: true}, ResultLayout{Offsets: []int{4}, Error: 4, Size: 12}},
		"result<tuple<u8, s64, u8>, string>": {Func{Results: []*Type{u8, s64, u8}, Error: true}, ResultLayout{Offsets: []int{8, 16, 24}, Error: 8, Size: 32}},
	} {
		got := test.f.ResultLayout()
		if !slices.Equal(got.Offsets, test.want.Offsets) || got.Error != test.want.Error || got.Size != test.want.Size {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// The number of an enum's last case is the largest that its discriminant must hold.
func TestEnumsAtTheirBounds(t *testing.T) {
	for n, want := range map[int]struct {
		tag  int
		full bool
	}{
		1: {1, false}, 255: {1, false}, 256: {1, true}, 257: {2, false},
		65535: {2, false}, 65536: {2, true}, 65537: {4, false},
	} {
		e := &Type{Kind: Enum, Cases: make([]Case, n)}
		if e.Tag() != want.tag || e.Full() != want.full || e.Size() != want.tag || e.Align() != want.tag {
			t.Errorf("%d cases: tag %d, full %t, size %d, align %d; want %+v", n, e.Tag(), e.Full(), e.Size(), e.Align(), want)
		}
	}
}

// Types that each have the previous one twice have it more often than can be counted.
func TestTypesThatMeanABillion(t *testing.T) {
	record, variant := &Type{Kind: String}, &Type{Kind: U8}
	for range 60 {
		list := &Type{Kind: List, Elem: record}
		record = &Type{Kind: Record, Fields: []Field{{Type: list}, {Type: list}}}
		variant = &Type{Kind: Variant, Cases: []Case{{Type: variant}, {Type: variant}}}
	}
	for name, typ := range map[string]*Type{"record": record, "variant": variant} {
		seen := 0
		typ.Walk(func(*Type) { seen++ })
		if seen > 200 {
			t.Errorf("%s: %d types are seen, and there are fewer", name, seen)
		}
	}
	if record.Size() != 16 || variant.Size() != 61 {
		t.Errorf("sizes %d and %d; want 16 and 61", record.Size(), variant.Size())
	}
	if _, spilled := (&Func{Params: []Param{{Type: variant}}}).FlatParams(); !spilled {
		t.Errorf("61 flat parameters are passed as they are")
	}
}
