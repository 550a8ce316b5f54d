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
	} {
		if a, s, f := test.t.Align(), test.t.Size(), len(test.t.Flat()); a != test.align || s != test.size || f != test.flat {
			t.Errorf("%s: align %d, size %d, %d flat; want %d, %d, %d", name, a, s, f, test.align, test.size, test.flat)
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
		"result<_, string>":                  {Func{Error: true}, ResultLayout{Text: 4, Size: 12}},
		"result<s64, string>":                {Func{Results: []*Type{s64}, Error: true}, ResultLayout{Offsets: []int{8}, Text: 8, Size: 16}},
		"result<u8, string>":                 {Func{Results: []*Type{u8}, Error: true}, ResultLayout{Offsets: []int{4}, Text: 4, Size: 12}},
		"result<tuple<u8, s64, u8>, string>": {Func{Results: []*Type{u8, s64, u8}, Error: true}, ResultLayout{Offsets: []int{8, 16, 24}, Text: 8, Size: 32}},
	} {
		got := test.f.ResultLayout()
		if !slices.Equal(got.Offsets, test.want.Offsets) || got.Text != test.want.Text || got.Size != test.want.Size {
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
