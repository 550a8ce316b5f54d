package undergo

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// shape is a variant of a program's own, with types that are called like the cases.
type shape interface{ isShape() }

type (
	circle  struct{ Radius float64 }
	label   string
	polygon struct {
		Points []struct {
			X, Y float64
			Tag  uint8
		}
		Name string
		Fill *string
	}
	triangle []float32
	tags     map[string]string
	empty    struct{}
)

func (circle) isShape()   {}
func (label) isShape()    {}
func (polygon) isShape()  {}
func (triangle) isShape() {}
func (tags) isShape()     {}
func (empty) isShape()    {}

// anyShape has a pointer for each case.
type anyShape struct {
	Circle   *circle
	Label    *string
	Polygon  *polygon
	Triangle *[3]float32
	Tile     *struct {
		Row    int64
		Weight float32
	}
	Tags  *map[string]string
	Empty *struct{}
}

func TestTypesThatAreCalledLikeCases(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	for _, each := range []struct {
		given shape
		got   Case
	}{
		{circle{1.5}, Case{"circle", map[string]any{"radius": 1.5}}},
		{&circle{1.5}, Case{"circle", map[string]any{"radius": 1.5}}},
		{label("grün"), Case{"label", "grün"}},
		{triangle{1, 2, 3}, Case{"triangle", []float32{1, 2, 3}}},
		{tags{"a": "b"}, Case{"tags", map[string]string{"a": "b"}}},
		{empty{}, Case{Tag: "empty"}},
		{&empty{}, Case{Tag: "empty"}},
	} {
		got, err := Call[any](ctx, inst, "EchoShape", each.given)
		if want := any(each.got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%#v is not %#v, %v", got, want, err)
		}
	}
	if back, err := Call[circle](ctx, inst, "echo-shape", Case{"circle", circle{2}}); err != nil || back.Radius != 2 {
		t.Error(back, err)
	}
	if _, err := Call[circle](ctx, inst, "echo-shape", label("x")); !errors.Is(err, ErrTypeMismatch) || !strings.Contains(err.Error(), "label") {
		t.Error(err)
	}
	if back, err := Call[[]Case](ctx, inst, "echo-shapes", []shape{empty{}, label("x")}); err != nil || !reflect.DeepEqual(back, []Case{{Tag: "empty"}, {"label", "x"}}) {
		t.Error(back, err)
	}
}

func TestStructsOfPointersAreVariants(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	text := "grün"
	for _, given := range []anyShape{{Circle: &circle{1.5}}, {Label: &text}, {Triangle: &[3]float32{1, 2, 3}}, {Tags: &map[string]string{"a": "b"}}, {Empty: &struct{}{}}} {
		back, err := Call[anyShape](ctx, inst, "echo-shape", given)
		if err != nil || !reflect.DeepEqual(back, given) {
			t.Errorf("%+v is not %+v, %v", back, given, err)
		}
	}
	back, err := Call[*anyShape](ctx, inst, "echo-maybe-shape", &anyShape{Empty: &struct{}{}})
	if err != nil || back == nil || back.Empty == nil {
		t.Error(back, err)
	}
	if back, err := Call[*anyShape](ctx, inst, "echo-maybe-shape", nil); err != nil || back != nil {
		t.Error(back, err)
	}
	if back, err := Call[*Case](ctx, inst, "echo-maybe-shape", (*anyShape)(nil)); err != nil || back != nil {
		t.Error(back, err)
	}
}

func TestWhatIsNoCase(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	type few struct{ Circle *circle }
	type square struct{ Side float64 }
	type wrong struct{ Circle circle }
	type twice struct {
		Circle *circle
		CIRCLE *circle `json:"Circle_"`
	}
	text := "x"
	for _, each := range []struct {
		name, call string
		given      any
		parts      []string
	}{
		{"an unknown tag", "echo-shape", Case{"square", 1}, []string{"echo-shape(s)", `"square" is not a case of shape: circle, label`}},
		{"the tag as Go writes it", "echo-shape", Case{"Circle", circle{}}, []string{`"Circle"`}},
		{"a value for a case without one", "echo-shape", Case{"empty", 1}, []string{"echo-shape(s)", "empty of shape has no value, got int"}},
		{"no value for a case with one", "echo-shape", Case{Tag: "circle"}, []string{"echo-shape(s.circle)", "expected circle, got nothing"}},
		{"another value", "echo-shape", Case{"label", 5}, []string{"echo-shape(s.label)", "expected string, got int"}},
		{"a wrong field", "echo-shape", Case{"circle", map[string]any{"radius": "x"}}, []string{"echo-shape(s.circle.radius)"}},
		{"nothing", "echo-shape", nil, []string{"echo-shape(s)", "expected shape, got nothing"}},
		{"a nil pointer", "echo-shape", (*circle)(nil), []string{"echo-shape(s)", "*undergo.circle"}},
		{"a number", "echo-shape", 5, []string{"expected a case of shape", "int"}},
		{"a struct of another name", "echo-shape", square{1}, []string{"echo-shape(s)", "Side", "no case of shape"}},
		{"a struct without fields of another name", "echo-shape", struct{}{}, []string{"expected a case of shape"}},
		{"no pointer", "echo-shape", wrong{}, []string{"no pointer for the case circle(circle)"}},
		{"two fields for a case", "echo-shape", twice{}, []string{"two fields for the case circle"}},
		{"no case at all", "echo-shape", anyShape{}, []string{"all its pointers are nil"}},
		{"two cases", "echo-shape", anyShape{Circle: &circle{}, Label: &text}, []string{"two cases of shape: circle and label"}},
		{"the same in a list", "echo-shapes", []any{empty{}, Case{"circle", 1}}, []string{"echo-shapes(v[1].circle)"}},
		{"a case of another variant", "echo-round", label("x"), nil},
		{"a case that is none of the other variant", "echo-round", empty{}, []string{"echo-round(r)"}},
		{"a type like a case without a value that has one", "echo-token", struct{ None *int }{new(int)}, []string{"no pointer for the case none"}},
		{"cases with odd names", "echo-token", Case{"constructor", true}, nil},
		{"a tag called tag", "echo-token", Case{"tag", 5}, nil},
		{"a tag of nothing", "echo-token", Case{}, []string{`"" is not a case of token`}},
		{"a few cases", "echo-shape", few{&circle{1}}, nil},
	} {
		_, err := Call[any](ctx, inst, each.call, each.given)
		if each.parts == nil {
			if err != nil {
				t.Errorf("%s: %v", each.name, err)
			}
			continue
		}
		if !errors.Is(err, ErrTypeMismatch) {
			t.Errorf("%s: %v", each.name, err)
			continue
		}
		for _, part := range each.parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v misses %q", each.name, err, part)
			}
		}
	}
	_, err := Call[few](ctx, inst, "echo-shape", label("x"))
	if !errors.Is(err, ErrTypeMismatch) || !strings.Contains(err.Error(), "no field for the case label") {
		t.Error(err)
	}
	if _, err := Call[shape](ctx, inst, "echo-shape", label("x")); !errors.Is(err, ErrTypeMismatch) {
		t.Error(err)
	}
	if err := inst.Do(ctx, "nothing"); err != nil {
		t.Error("the instance ended:", err)
	}
}

func TestVariantsOfHostFunctions(t *testing.T) {
	ctx, plugin := context.Background(), conformance(t)
	for name, function := range map[string]any{
		"any":            func(s any) any { return s },
		"cases":          func(s Case) Case { return s },
		"pointers":       func(s anyShape) (anyShape, error) { return s, nil },
		"an interface":   func(s Case) shape { return circle{s.Val.(map[string]any)["radius"].(float64)} },
		"one case alone": func(s circle) circle { return s },
	} {
		inst := instance(t, plugin, (&conformanceRunner{}).options(), WithImport("host", "EchoShape", function))
		back, err := Call[circle](ctx, inst, "shape-through-host", circle{3})
		if err != nil || back.Radius != 3 {
			t.Errorf("%s: %v, %v", name, back, err)
		}
	}
	inst := instance(t, plugin, (&conformanceRunner{}).options(), WithImport("host", "EchoShape", func(s Case) shape { return nil }))
	_, err := Call[any](ctx, inst, "shape-through-host", circle{3})
	if !errors.Is(err, ErrTypeMismatch) || !strings.Contains(err.Error(), "host.echo-shape(result)") {
		t.Error(err)
	}
	for name, function := range map[string]any{
		"a parameter of an interface": func(s shape) any { return s },
		"a number":                    func(s int) any { return s },
		"other fields":                func(s struct{ Square *int }) any { return s },
	} {
		_, err := plugin.Instantiate(ctx, (&conformanceRunner{}).options(), WithImport("host", "echo-shape", function))
		if !errors.Is(err, ErrSignatureMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
