package parse

import (
	"fmt"
	"go/token"
	"go/types"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// function reads the function or variable that d is about.
func (r *reader) function(d directive) {
	obj := r.info.Defs[d.id]
	if obj == nil {
		return // a problem of the type checker's
	}
	sig, ok := obj.Type().Underlying().(*types.Signature)
	if !ok {
		if !invalid(obj.Type()) {
			r.problem(d.pos, "%s is of type %s, which is no function: write `var %s func(...) ...`", d.id.Name, obj.Type(), d.id.Name)
		}
		return
	}
	f := &model.Func{Name: model.Kebab(d.id.Name), Doc: d.doc, Pos: r.fset.Position(d.id.Pos()), Interface: r.home(obj)}
	f.Call, f.Go = r.qualified(obj)
	names := d.args
	if foreign := r.foreignHome(obj); d.verb == "import" && foreign != nil {
		f.Module = foreign.Foreign
	} else if d.verb == "import" {
		f.Module, names = names[0], names[1:]
	}
	if len(names) > 0 {
		f.Name = names[0]
	} else if !r.asciiName(d.id.Pos(), "function", d.id.Name, "//undergo:"+d.verb+" with a name of its own") {
		return
	}
	if d.verb == "import" {
		if r.params(f, d, sig) && r.results(f, d, sig) && r.failure(f, obj) && r.keeps(f, d) && r.static(f, obj) {
			r.plugin.Imports = append(r.plugin.Imports, f)
		}
		return
	}
	if d.recv != nil {
		f.Go, f.Resource, f.Method = d.recv.obj.Name()+"."+d.id.Name, d.recv.Resource, d.id.Name
		f.Params = []model.Param{d.recv.self()}
	}
	if !r.params(f, d, sig) || !r.results(f, d, sig) || !r.keeps(f, d) || !r.constructs(f, d) {
		return
	}
	switch {
	case f.Resource != nil:
		r.use(f.Resource)
		f.Interface = f.Resource.Interface
	case f.Interface != nil:
	case model.HomeOf(append(f.ParamTypes(), f.Results...)) != nil:
		f.Interface = model.API
	}
	r.plugin.Exports = append(r.plugin.Exports, f)
}

// params reads the parameters of the function that d is about behind those that f has.
func (r *reader) params(f *model.Func, d directive, sig *types.Signature) bool {
	ok := true
	receiver := len(f.Params)
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		pos := position(v, d)
		if isContext(v.Type()) {
			switch {
			case i > 0:
				r.problem(pos, "parameter %s: a context.Context is the first parameter", paramName(v, i))
				ok = false
			default:
				f.Context = true
			}
			continue
		}
		index := len(f.Params) - receiver
		if sig.Variadic() && i == sig.Params().Len()-1 {
			r.problem(pos, "parameter %s: variadic parameters can't cross the boundary; take a %s", paramName(v, index), v.Type())
			ok = false
			continue
		}
		name := paramName(v, index)
		p := model.Param{Go: name, Name: model.Kebab(name), Pos: r.fset.Position(pos)}
		if !r.asciiName(pos, "parameter", name, "another name") {
			ok = false
		}
		at := place{pos: pos, path: "parameter " + name, own: d.keeps(name)}
		p.Type = r.paramType(f, d, v, p, at)
		if p.Type == nil {
			ok = false
		}
		f.Params = append(f.Params, p)
	}
	return ok
}

func (r *reader) results(f *model.Func, d directive, sig *types.Signature) bool {
	ok := true
	n := sig.Results().Len()
	for i := range n {
		v := sig.Results().At(i)
		if i == n-1 && isError(v.Type()) {
			f.Error = true
			continue
		}
		path := "result"
		if n > 2 || n == 2 && !isError(sig.Results().At(1).Type()) {
			path = fmt.Sprintf("result %d", i+1)
		}
		t := r.resultType(f, d, v, place{pos: position(v, d), path: path, own: true})
		if t == nil {
			ok = false
		}
		f.Results = append(f.Results, t)
	}
	return ok
}

// paramType is the model of the type of a parameter. Those of exports may be what the
// host implements.
func (r *reader) paramType(f *model.Func, d directive, v *types.Var, p model.Param, at place) *model.Type {
	if d.verb != "export" {
		return r.typ(v.Type(), at)
	}
	if t, ok := r.carried(f, v.Type(), p.Name, at); ok {
		return t
	}
	if fn, ok := types.Unalias(v.Type()).Underlying().(*types.Signature); ok {
		return r.callback(f, v, fn, p, at)
	}
	return r.typ(v.Type(), at)
}

// resultType is the model of the type of a result.
func (r *reader) resultType(f *model.Func, d directive, v *types.Var, at place) *model.Type {
	if d.verb == "export" {
		if t, ok := r.carried(f, v.Type(), "", at); ok {
			return t
		}
	}
	return r.typ(v.Type(), at)
}

func paramName(v *types.Var, i int) string {
	if v.Name() == "" || v.Name() == "_" {
		return fmt.Sprintf("arg%d", i)
	}
	return v.Name()
}

// position is where v is declared: its name, or its type when it has none.
func position(v *types.Var, d directive) token.Pos {
	if v.Pos().IsValid() && d.typ != nil {
		return v.Pos()
	}
	return d.id.Pos()
}

// asciiName says that name can become a WIT name.
func (r *reader) asciiName(pos token.Pos, what, name, remedy string) bool {
	for _, c := range name {
		if c > 0x7f {
			r.problem(pos, "%s %s: names in WIT are of ASCII letters and digits; use %s", what, name, remedy)
			return false
		}
	}
	if !model.IsKebab(model.Kebab(name)) {
		r.problem(pos, "%s %s: names in WIT start with a letter; use %s", what, name, remedy)
		return false
	}
	return true
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

func isContext(t types.Type) bool { return is(t, "context", "Context") }

// is says that t is the type pkg.name.
func is(t types.Type, pkg, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == pkg && n.Obj().Name() == name
}

func invalid(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Invalid
}
