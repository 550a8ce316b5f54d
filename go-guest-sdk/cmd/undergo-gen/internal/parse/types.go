package parse

import (
	"fmt"
	"go/token"
	"go/types"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// A place is where a type is used: a position in the source, and the way from
// there to the type.
type place struct {
	pos  token.Pos
	path string
	own  bool // who gets a handle there ends it
}

func (p place) in(step string) place {
	p.path += ": " + step
	return p
}

// owning is the place within a record or variant, which is declared once for both
// directions.
func (p place) owning() place {
	p.own = true
	return p
}

// refuse adds the problem of a type that can't cross, with what to do instead.
func (r *reader) refuse(at place, t types.Type, why string) *model.Type {
	r.problem(at.pos, "%s: %s %s", at.path, r.shown(t), why)
	return nil
}

// typ is the model of t, or nil when it has none.
func (r *reader) typ(t types.Type, at place) *model.Type {
	t = types.Unalias(t)
	switch {
	case is(t, "encoding/json", "RawMessage"), is(t, "encoding/json/jsontext", "Value"):
		// json.RawMessage is an alias of jsontext.Value where that exists.
		return &model.Type{Kind: model.JSON, Go: model.Ref("encoding/json", "json") + ".RawMessage", Raw: true}
	case isError(t):
		return r.refuse(at, t, "can't cross the boundary here: it is the last result of a function, or nothing")
	case isContext(t):
		return r.refuse(at, t, "can't cross the boundary: it is the first parameter of a function, or nothing")
	}
	if h, ok := r.handle(t, at); ok {
		return h
	}
	if r.elsewhere(t, at) {
		return nil
	}
	if n, ok := t.(*types.Named); ok {
		obj := n.Obj()
		switch {
		case n.TypeParams().Len() > n.TypeArgs().Len():
			return r.refuse(at, t, "is a generic type; use an instance of it")
		case obj.Pkg() != nil && obj.Pkg() != r.pkg && !obj.Exported():
			return r.refuse(at, t, "is not exported by its package; use a type of the plugin's own")
		case r.enums[obj]:
			return r.enum(n)
		}
		if _, ok := r.variants[obj]; ok {
			return r.variant(n, at)
		}
		switch origin := r.origin(n); {
		case is(origin, "time", "Time"):
			return &model.Type{Kind: model.Time, Go: r.goType(n)}
		case is(origin, "time", "Duration"):
			return &model.Type{Kind: model.Duration, Go: r.goType(n), Alike: true}
		case r.marked(obj):
		case is(n, "net/url", "URL"):
			return &model.Type{Kind: model.Marshaled, Go: r.goType(n), URL: true}
		case hasText(n):
			return &model.Type{Kind: model.Marshaled, Go: r.goType(n)}
		}
		if s, ok := n.Underlying().(*types.Struct); ok {
			return r.record(n, s, at)
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return r.basic(t, u, at)
	case *types.Slice:
		return r.list(&model.Type{Kind: model.List}, t, u.Elem(), "[]", at)
	case *types.Array:
		if u.Len() == 0 {
			return r.refuse(at, t, "has no elements, which has no form in WIT; leave it out")
		}
		return r.list(&model.Type{Kind: model.Array, Len: int(u.Len()), Pos: r.fset.Position(at.pos)}, t, u.Elem(), fmt.Sprintf("[%d]", u.Len()), at)
	case *types.Map:
		return r.mapType(t, u, at)
	case *types.Pointer:
		if _, ok := u.Elem().Underlying().(*types.Pointer); ok && !r.points(u.Elem()) {
			return r.refuse(at, t, "is a pointer to a pointer, and most languages have one sort of nothing only; use one pointer, or a struct with a pointer in it")
		}
		elem := r.typ(u.Elem(), at)
		if elem == nil {
			return nil
		}
		return &model.Type{Kind: model.Option, Go: r.goName(t, "*"+elem.Go), Elem: elem}
	case *types.Struct:
		return r.refuse(at, t, "has no name; declare it as a type and use that")
	case *types.Interface:
		if u.NumMethods() == 0 && u.IsMethodSet() {
			return &model.Type{Kind: model.JSON, Go: r.goName(t, model.Ref("", "any"))}
		}
		return r.refuse(at, t, "is an interface with methods; mark it with //undergo:variant if its types are the cases of a variant, or with `//undergo:resource import` if the host implements it, or use a struct, or `any` for any JSON value")
	case *types.Chan:
		return r.refuse(at, t, "is a channel, which can't cross the boundary; use a slice here, or an iter.Seq as a parameter or a result of its own")
	case *types.Signature:
		return r.refuse(at, t, "is a function, which can't cross the boundary as data; let an exported function take it as a parameter of its own, or declare it as `//undergo:import`")
	case *types.TypeParam:
		return r.refuse(at, t, "is a type parameter; use a type")
	}
	return r.refuse(at, t, "can't cross the boundary")
}

var basics = map[types.BasicKind]model.Kind{
	types.Bool: model.Bool, types.String: model.String,
	types.Int: model.S64, types.Int8: model.S8, types.Int16: model.S16, types.Int32: model.S32, types.Int64: model.S64,
	types.Uint: model.U64, types.Uint8: model.U8, types.Uint16: model.U16, types.Uint32: model.U32, types.Uint64: model.U64,
	types.Float32: model.F32, types.Float64: model.F64,
}

func (r *reader) basic(t types.Type, b *types.Basic, at place) *model.Type {
	if kind, ok := basics[b.Kind()]; ok {
		return &model.Type{Kind: kind, Go: r.goType(t), Alike: kind != model.String}
	}
	switch b.Kind() {
	case types.Uintptr:
		return r.refuse(at, t, "is an address, which means nothing to the host; use uint64 for a number")
	case types.UnsafePointer:
		return r.refuse(at, t, "is an address, which means nothing to the host; use []byte for memory")
	case types.Complex64, types.Complex128:
		part := &model.Type{Kind: model.F32}
		if b.Kind() == types.Complex128 {
			part = &model.Type{Kind: model.F64}
		}
		return &model.Type{Kind: model.Tuple, Go: r.goType(t), Fields: []model.Field{{Type: part}, {Type: part}}, Alike: true}
	case types.Invalid:
		return nil // a problem of the type checker's
	}
	return r.refuse(at, t, "can't cross the boundary")
}

// list completes l, the slice or array type t. prefix makes it of its elements' type.
func (r *reader) list(l *model.Type, t, elem types.Type, prefix string, at place) *model.Type {
	l.Elem = r.typ(elem, at.in("element"))
	if l.Elem == nil {
		return nil
	}
	l.Go = r.goName(t, prefix+l.Elem.Go)
	return l
}

func (r *reader) mapType(t types.Type, m *types.Map, at place) *model.Type {
	key := r.typ(m.Key(), at.in("key"))
	if key != nil {
		switch key.Kind {
		case model.Bool, model.S8, model.S16, model.S32, model.S64, model.U8, model.U16, model.U32, model.U64, model.String, model.Marshaled:
		case model.Enum:
			key = &model.Type{Kind: model.CaseName, Go: key.Go, Elem: key}
		default:
			// These are all that WIT allows, but for char.
			r.refuse(at, t, "has keys that WIT does not allow; use keys of bool, integer, string, or enum type, or of a type with a text form, or a slice of structs")
			key = nil
		}
	}
	elem := r.typ(m.Elem(), at.in("value"))
	if key == nil || elem == nil {
		return nil
	}
	return &model.Type{Kind: model.Map, Go: r.goName(t, "map["+key.Go+"]"+elem.Go), Key: key, Elem: elem}
}

// goType is the Go expression for t.
func (r *reader) goType(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return model.Ref("unsafe", "unsafe") + ".Pointer"
		}
		return model.Ref("", t.Name())
	case *types.Named:
		obj := t.Obj()
		expr := obj.Name()
		switch {
		case obj.Pkg() == nil:
			expr = model.Ref("", expr)
		case obj.Pkg() != r.pkg:
			expr = model.Ref(obj.Pkg().Path(), obj.Pkg().Name()) + "." + expr
		}
		for i := range t.TypeArgs().Len() {
			expr += [...]string{"[", ", "}[min(i, 1)] + r.goType(t.TypeArgs().At(i))
		}
		if t.TypeArgs().Len() > 0 {
			expr += "]"
		}
		return expr
	case *types.Pointer:
		return "*" + r.goType(t.Elem())
	case *types.Slice:
		return "[]" + r.goType(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), r.goType(t.Elem()))
	case *types.Map:
		return "map[" + r.goType(t.Key()) + "]" + r.goType(t.Elem())
	case *types.Interface:
		if t.NumMethods() == 0 && t.IsMethodSet() {
			return model.Ref("", "any")
		}
	}
	return types.TypeString(t, func(p *types.Package) string {
		if p == r.pkg {
			return ""
		}
		return model.Ref(p.Path(), p.Name())
	})
}

// shown is t as people write it in the plugin.
func (r *reader) shown(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		switch {
		case p == r.pkg:
			return ""
		case r.own(p):
			return p.Name()
		}
		return p.Path()
	})
}

// goName is the Go expression for t: its name, or literal when it has none. How
// go/types prints literals differs between releases of Go.
func (r *reader) goName(t types.Type, literal string) string {
	if _, ok := t.(*types.Named); ok {
		return r.goType(t)
	}
	return literal
}
