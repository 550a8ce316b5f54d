package undergo_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	undergo "github.com/undergo-dev/undergo/bindings-go"
	"github.com/undergo-dev/undergo/bindings-go/internal/conformance"
)

var shapes = []conformance.Shape{
	conformance.Circle{Radius: 1.5},
	conformance.Label("grün"),
	conformance.Polygon{Points: []conformance.Point{{X: 1, Y: 2, Tag: 3}}, Name: "p"},
	conformance.Triangle{3, 4, 0.5},
	conformance.Tile{Row: -1 << 63, Weight: 0.25},
	conformance.Tags{"a": "b"},
	conformance.Empty{},
}

func TestVariantsOfAClient(t *testing.T) {
	guest, _ := client(t)
	ctx := context.Background()
	for _, shape := range shapes {
		if back, err := guest.EchoShape(ctx, shape); err != nil || !reflect.DeepEqual(back, shape) {
			t.Errorf("%#v is not %#v, %v", back, shape, err)
		}
		if back, err := guest.EchoMaybeShape(ctx, shape); err != nil || !reflect.DeepEqual(back, shape) {
			t.Errorf("%#v is not %#v, %v", back, shape, err)
		}
		if back, err := guest.ShapeThroughHost(ctx, shape); err != nil || !reflect.DeepEqual(back, shape) {
			t.Errorf("%#v is not %#v, %v", back, shape, err)
		}
	}
	if back, err := guest.EchoShapes(ctx, shapes); err != nil || !reflect.DeepEqual(back, shapes) {
		t.Errorf("%#v, %v", back, err)
	}
	if back, err := guest.EchoMaybeShape(ctx, nil); err != nil || back != nil {
		t.Error(back, err)
	}
	// A case may come by a pointer, and never comes back as one.
	text := conformance.Label("x")
	for shape, want := range map[conformance.Shape]conformance.Shape{&conformance.Circle{Radius: 2}: conformance.Circle{Radius: 2}, &text: text, &conformance.Empty{}: conformance.Empty{}} {
		if back, err := guest.EchoShape(ctx, shape); err != nil || back != want {
			t.Errorf("%#v is not %#v, %v", back, want, err)
		}
	}
	drawing := conformance.Drawing{
		Title: "t", Shapes: shapes, Named: map[string]conformance.Shape{"a": conformance.Empty{}, "b": conformance.Triangle{1, 2, 3}}, Border: conformance.Wheel{Spokes: 7},
		Back: conformance.Val{Tag: "a", Val: "b"}, Extra: conformance.Single(0.5),
	}
	if back, err := guest.EchoDrawing(ctx, drawing); err != nil || !reflect.DeepEqual(back, drawing) {
		t.Errorf("%#v is not %#v, %v", back, drawing, err)
	}
	// A type that is a case of two variants is one.
	if back, err := guest.EchoRound(ctx, conformance.Circle{Radius: 1}); err != nil || back != conformance.Round(conformance.Circle{Radius: 1}) {
		t.Error(back, err)
	}
	for _, token := range []conformance.Token{
		conformance.Class("class"), conformance.None{}, conformance.Tag(-128), conformance.Val{Tag: "a"}, conformance.Constructor(true), conformance.List{conformance.LevelHigh},
	} {
		if back, err := guest.EchoToken(ctx, token); err != nil || !reflect.DeepEqual(back, token) {
			t.Errorf("%#v is not %#v, %v", back, token, err)
		}
	}
	a, n, b, f, err := guest.EchoMixed(ctx, conformance.Text("grüße"), -1, conformance.Long(-1<<63), 0.5)
	if err != nil || a != conformance.Mixed(conformance.Text("grüße")) || n != -1 || b != conformance.Mixed(conformance.Long(-1<<63)) || f != 0.5 {
		t.Error(a, n, b, f, err)
	}
}

func TestMoreThanIsPassedOneByOneToAClient(t *testing.T) {
	guest, _ := client(t)
	shapes := []conformance.Shape{conformance.Label("l"), conformance.Tile{Row: -1 << 63, Weight: 0.25}, conformance.Circle{Radius: 2}}
	drawing := conformance.Drawing{Title: "t", Shapes: shapes, Named: map[string]conformance.Shape{"k": shapes[1]}, Border: conformance.Label("b")}
	id, s, m, d, v, name, err := guest.BundleThroughHost(context.Background(), -128, shapes[0], nil, drawing, shapes, "n")
	if err != nil || id != -128 || s != shapes[0] || m != nil || !reflect.DeepEqual(d, drawing) || !reflect.DeepEqual(v, shapes) || name != "n" {
		t.Error(id, s, m, d, v, name, err)
	}
}

// stranger implements Shape by what it embeds, and is no case of it.
type stranger struct{ conformance.Shape }

func TestWhatIsNoCaseOfAClient(t *testing.T) {
	guest, functions := client(t)
	ctx := context.Background()
	mismatch := func(name string, err error, path, text string) {
		t.Helper()
		var failed *undergo.Error
		if !errors.As(err, &failed) || failed.Kind != undergo.KindTypeMismatch || failed.Path != path || failed.Message != text {
			t.Errorf("%s: %#v", name, err)
		}
	}
	_, err := guest.EchoShape(ctx, nil)
	mismatch("nil", err, "echo-shape(s)", "expected a case of shape, got nil")
	_, err = guest.EchoShape(ctx, (*conformance.Circle)(nil))
	mismatch("a nil pointer", err, "echo-shape(s)", "expected a case of shape, got *conformance.Circle(nil)")
	_, err = guest.EchoMaybeShape(ctx, (*conformance.Circle)(nil))
	mismatch("a nil pointer that is not nothing", err, "echo-maybe-shape(s)", "expected a case of shape, got *conformance.Circle(nil)")
	_, err = guest.EchoShape(ctx, stranger{conformance.Empty{}})
	mismatch("a stranger", err, "echo-shape(s)", "expected a case of shape, got undergo_test.stranger")
	_, err = guest.EchoShapes(ctx, []conformance.Shape{conformance.Empty{}, nil, stranger{}})
	mismatch("the first of several", err, "echo-shapes(v[1])", "expected a case of shape, got nil")
	_, err = guest.EchoDrawing(ctx, conformance.Drawing{Border: conformance.Label(""), Named: map[string]conformance.Shape{"k": nil}})
	mismatch("in a map", err, `echo-drawing(d.named["k"])`, "expected a case of shape, got nil")
	_, err = guest.EchoDrawing(ctx, conformance.Drawing{})
	mismatch("in a field", err, "echo-drawing(d.border)", "expected a case of round, got nil")
	_, err = guest.EchoShape(ctx, conformance.Triangle{1})
	mismatch("an array of another length", err, "echo-shape(s.triangle)", "expected list<f32, 3>, got 1 items")
	// What was no case is not said of another call.
	_, err = guest.EchoString(ctx, "\xff")
	if !errors.Is(err, undergo.ErrTypeMismatch) || !strings.Contains(err.Error(), "UTF-8") {
		t.Error(err)
	}
	if back, err := guest.EchoShape(ctx, conformance.Label("x")); err != nil || back != conformance.Shape(conformance.Label("x")) {
		t.Error(back, err)
	}
	functions.shape = func(conformance.Shape) conformance.Shape { return stranger{} }
	_, err = guest.ShapeThroughHost(ctx, conformance.Empty{})
	mismatch("a result of a host function", err, "host.echo-shape -> result", "expected a case of shape, got undergo_test.stranger")
}
