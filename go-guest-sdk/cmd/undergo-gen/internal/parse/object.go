package parse

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// readObjects reads the methods of what the host implements, which may bring more of
// it in, and puts all resources into the order of the source.
func (r *reader) readObjects() {
	for len(r.objects) > 0 {
		res := r.objects[0]
		r.objects = r.objects[1:]
		for _, m := range r.methods(res) {
			d := directive{verb: "import", id: &ast.Ident{Name: m.Name(), NamePos: res.obj.Pos()}, doc: r.docs[m]}
			if r.own(m.Pkg()) {
				d.id.NamePos, d.typ = m.Pos(), &ast.FuncType{}
			}
			f := &model.Func{
				Go: res.obj.Name() + "." + m.Name(), Name: model.Kebab(m.Name()), Doc: d.doc, Pos: r.fset.Position(d.id.Pos()),
				Resource: res.Resource, Method: m.Name(), Params: []model.Param{res.self()},
			}
			if r.asciiName(d.id.Pos(), "method", m.Name(), "another name") && r.params(f, d, m.Signature()) && r.results(f, d, m.Signature()) && r.failure(f, m) {
				res.Methods = append(res.Methods, f)
				r.plugin.Imports = append(r.plugin.Imports, f)
			}
		}
	}
	for _, f := range r.plugin.Exports {
		if f.Resource != nil && !f.Constructor {
			f.Resource.Methods = append(f.Resource.Methods, f)
		}
	}
	slices.SortStableFunc(r.plugin.Resources, func(a, b *model.Resource) int {
		return cmp.Or(strings.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Offset, b.Pos.Offset))
	})
}

// methods are the methods of an interface, in the order of the source; behind them are
// those that it has from other packages.
func (r *reader) methods(res *resource) []*types.Func {
	iface := res.obj.Type().Underlying().(*types.Interface)
	methods := make([]*types.Func, iface.NumMethods())
	for i := range methods {
		methods[i] = iface.Method(i)
	}
	slices.SortStableFunc(methods, func(a, b *types.Func) int {
		switch own := r.own(a.Pkg()); {
		case own != r.own(b.Pkg()):
			if own {
				return -1
			}
			return 1
		case own:
			return cmp.Compare(a.Pos(), b.Pos())
		}
		return strings.Compare(a.Name(), b.Name())
	})
	return methods
}

// callback is the model of a parameter of f that is a function, the variable v.
func (r *reader) callback(f *model.Func, v *types.Var, sig *types.Signature, p model.Param, at place) *model.Type {
	id, name, shown := "", f.Name+"-"+p.Name, f.Go+"."+p.Go
	var doc []string
	if f.Resource != nil {
		name = f.Resource.Name + "-" + name
	}
	n, named := types.Unalias(v.Type()).(*types.Named)
	if named {
		if n.TypeParams().Len() > n.TypeArgs().Len() {
			return r.refuse(at, n, "is a generic type; use an instance of it")
		}
		id, name, shown, doc = key(n), witName(n), n.Obj().Name(), r.docs[n.Obj()]
	}
	res, known := r.callbacks[id]
	if !known {
		res = &model.Resource{Name: name, Doc: doc, Pos: r.fset.Position(at.pos), Interface: model.Callbacks, Host: true, Callback: true}
		call := &model.Func{
			Go: shown, Name: "call", Pos: r.fset.Position(at.pos), Resource: res, Method: "call",
			Params: []model.Param{{Go: "self", Name: "self", Pos: r.fset.Position(at.pos), Type: &model.Type{Kind: model.Handle, Resource: res}}},
		}
		d := directive{verb: "import", id: &ast.Ident{Name: v.Name(), NamePos: at.pos}}
		if n == nil || r.asciiName(at.pos, "type", n.Obj().Name(), "another name") {
			if r.params(call, d, sig) && r.results(call, d, sig) {
				res.Methods = []*model.Func{call}
			}
		}
		res.Go = functionType(call)
		if named {
			r.callbacks[id] = res
			res.Go = r.goType(n)
		}
	}
	if len(res.Methods) == 0 {
		return nil
	}
	if !known {
		r.use(res)
		r.plugin.Imports = append(r.plugin.Imports, res.Methods[0])
	}
	return &model.Type{Kind: model.Handle, Go: res.Go, Resource: res, Own: at.own}
}

// functionType is the Go expression for the type of f, a function of the host's.
func functionType(f *model.Func) string {
	var params, results []string
	if f.Context {
		params = append(params, model.Ref("context", "context")+".Context")
	}
	for _, p := range f.Params[1:] {
		if p.Type != nil {
			params = append(params, p.Type.Go)
		}
	}
	for _, t := range f.Results {
		if t != nil {
			results = append(results, t.Go)
		}
	}
	if f.Error {
		results = append(results, model.Ref("", "error"))
	}
	expr := "func(" + strings.Join(params, ", ") + ")"
	if len(results) > 0 {
		expr += " (" + strings.Join(results, ", ") + ")"
	}
	return expr
}

// keeps says whether the parameter of that name is kept beyond the call.
func (d directive) keeps(name string) bool {
	return slices.ContainsFunc(d.keep, func(k directive) bool { return slices.Contains(k.args, name) })
}

// keeps reports directives to keep what is no parameter of f, or needs none.
func (r *reader) keeps(f *model.Func, d directive) bool {
	ok := true
	for _, k := range d.keep {
		for _, name := range k.args {
			i := slices.IndexFunc(f.Params, func(p model.Param) bool { return p.Go == name })
			switch {
			case i < 0 || f.Resource != nil && i == 0:
				r.problem(k.pos, "//undergo:keep %s: %s has no parameter of that name", name, f.Go)
			case !f.Params[i].Type.Any((*model.Type).Hosted):
				r.problem(k.pos, "//undergo:keep %s: it is about what the host implements, and %s can be kept as it is", name, f.Params[i].Type.Shown())
			default:
				continue
			}
			ok = false
		}
	}
	return ok
}
