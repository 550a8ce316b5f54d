package parse

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// A resource is a type marked as one. There is no model of it if something is wrong
// with it, which is reported once, at the type.
type resource struct {
	*model.Resource
	obj *types.TypeName
	all bool // its exported methods are exported
}

// checkResource reports what is wrong with a type marked as a resource, once, at the
// type, and notes it.
func (r *reader) checkResource(d directive, obj types.Object) {
	tn := obj.(*types.TypeName)
	res := &resource{obj: tn}
	r.resources[obj] = res
	n, ok := obj.Type().(*types.Named)
	iface, isInterface := obj.Type().Underlying().(*types.Interface)
	_, isStruct := obj.Type().Underlying().(*types.Struct)
	host := len(d.args) == 1 && d.args[0] == "import"
	switch {
	case invalid(obj.Type()) || !ok:
		return
	case len(d.args) > 0 && !host:
		r.problem(d.pos, "//undergo:resource takes no argument but import, for what the host implements")
		return
	case n.TypeParams().Len() > 0:
		r.problem(d.pos, "resource %s is generic; declare a type for each type that it is needed for", tn.Name())
		return
	case host && (!isInterface || !iface.IsMethodSet() || iface.NumMethods() == 0):
		r.problem(d.pos, "resource %s: what the host implements is an interface type with methods", tn.Name())
		return
	case !host && isInterface:
		r.problem(d.pos, "resource %s is an interface; mark the struct types that implement it, or write `//undergo:resource import` if the host implements it", tn.Name())
		return
	case !host && !isStruct:
		r.problem(d.pos, "resource %s: a resource is a struct type, whose objects are known by their address", tn.Name())
		return
	case !r.asciiName(tn.Pos(), "type", tn.Name(), "another name"):
		return
	case !r.reaches(tn, "resource"), host && !r.implementable(tn, iface), !host && !r.destructible(res, n):
		return
	}
	res.Resource = &model.Resource{
		Go: r.goType(n), Name: model.Kebab(tn.Name()), Doc: r.docs[obj], Pos: r.fset.Position(tn.Pos()),
		Interface: cmp.Or(r.home(obj), model.API), Host: host,
	}
	foreign := r.foreignHome(obj)
	switch {
	case host && foreign == nil:
		res.Interface = model.Objects
		return
	case host:
		return
	case foreign != nil:
		r.problem(d.pos, "resource %s: its package is an interface that the plugin imports; write `//undergo:resource import`", tn.Name())
	}
	closes, _, _ := types.LookupFieldOrMethod(types.NewPointer(n), true, tn.Pkg(), "Close")
	_, res.Closes = closes.(*types.Func)
}

// implementable says that the host can implement the interface.
func (r *reader) implementable(tn *types.TypeName, iface *types.Interface) bool {
	for i := range iface.NumMethods() {
		if m := iface.Method(i); !m.Exported() {
			r.problem(tn.Pos(), "resource %s: the host implements it, so its method %s has to be exported", tn.Name(), m.Name())
			return false
		}
	}
	return true
}

// destructible says that objects of n have no method Close, or one that can be called
// when their last handle ends.
func (r *reader) destructible(res *resource, n *types.Named) bool {
	found, _, _ := types.LookupFieldOrMethod(types.NewPointer(n), true, res.obj.Pkg(), "Close")
	m, ok := found.(*types.Func)
	if !ok {
		return true
	}
	sig := m.Signature()
	results := sig.Results()
	if sig.Params().Len() == 0 && (results.Len() == 0 || results.Len() == 1 && isError(results.At(0).Type())) {
		return true
	}
	pos := m.Pos()
	if !r.own(m.Pkg()) {
		pos = res.obj.Pos()
	}
	r.problem(pos, "resource %s: its method Close is called when the last handle of an object ends, and so is `Close()` or `Close() error`; give this one another name", res.obj.Name())
	return false
}

// exportMethods notes the directive for all methods of a resource.
func (r *reader) exportMethods(d directive, obj types.Object) {
	res, ok := r.resources[obj]
	switch {
	case !ok:
		r.problem(d.pos, "//undergo:export belongs to a function, or to a type that is a resource; mark %s with //undergo:resource, too", d.id.Name)
	case len(d.args) > 0:
		r.problem(d.pos, "//undergo:export takes no name for a type; give each method one where it is declared")
	case res.Resource != nil && res.Host:
		r.problem(d.pos, "resource %s is the host's, which has all its methods; leave //undergo:export away", res.obj.Name())
	default:
		res.all = true
	}
}

// receiver is the resource that decl is a method of, or nil.
func (r *reader) receiver(decl *ast.FuncDecl) *resource {
	fn, ok := r.info.Defs[decl.Name].(*types.Func)
	if !ok || fn.Signature().Recv() == nil {
		return nil
	}
	t := types.Unalias(fn.Signature().Recv().Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if n, ok := t.(*types.Named); ok {
		return r.resources[n.Obj()]
	}
	return nil
}

// implied says that the directive of a resource exports the function: a method, or the
// constructor.
func (r *reader) implied(decl *ast.FuncDecl, recv *resource) bool {
	if recv != nil {
		return recv.all && decl.Name.IsExported() && decl.Name.Name != "Close"
	}
	if res := r.constructed(r.info.Defs[decl.Name]); decl.Recv == nil && decl.Type.TypeParams == nil && res != nil && res.all {
		fn, ok := r.info.Defs[decl.Name].(*types.Func)
		return ok && makes(fn.Signature().Results(), res)
	}
	return false
}

// constructed is the resource of which a function of the name of obj is the constructor,
// or nil.
func (r *reader) constructed(obj types.Object) *resource {
	if obj == nil || obj.Pkg() == nil {
		return nil
	}
	of, ok := strings.CutPrefix(obj.Name(), "New")
	if !ok {
		return nil
	}
	res, ok := r.resources[obj.Pkg().Scope().Lookup(of)]
	if !ok || res.Resource == nil || res.Host {
		return nil
	}
	return res
}

// makes says that results are those of a constructor of the resource.
func makes(results *types.Tuple, res *resource) bool {
	if results.Len() == 0 || results.Len() > 2 || results.Len() == 2 && !isError(results.At(1).Type()) {
		return false
	}
	p, ok := types.Unalias(results.At(0).Type()).(*types.Pointer)
	return ok && types.Identical(p.Elem(), res.obj.Type())
}

// constructs makes f a constructor if its name says so and d gives it no other.
func (r *reader) constructs(f *model.Func, d directive) bool {
	res := r.constructed(r.info.Defs[d.id])
	if d.recv != nil || len(d.args) > 0 || res == nil {
		return true
	}
	if !makes(r.info.Defs[d.id].(*types.Func).Signature().Results(), res) {
		r.problem(d.id.Pos(), "func %s has the name of the constructor of resource %s, which returns *%s, or *%s and an error; name it with //undergo:export NAME",
			d.id.Name, res.obj.Name(), res.obj.Name(), res.obj.Name())
		return false
	}
	f.Resource, f.Constructor = res.Resource, true
	res.New = f
	return true
}

// self is the receiver of a method of the resource.
func (res *resource) self() model.Param {
	return model.Param{Go: "self", Name: "self", Pos: res.Pos, Type: &model.Type{Kind: model.Handle, Go: "*" + res.Go, Resource: res.Resource}}
}

// use makes the resource a part of the interface. Those that nothing refers to are none.
func (r *reader) use(res *model.Resource) {
	if !slices.Contains(r.plugin.Resources, res) {
		r.plugin.Resources = append(r.plugin.Resources, res)
	}
}

// points says that t is a pointer to a resource of the guest.
func (r *reader) points(t types.Type) bool {
	p, ok := t.Underlying().(*types.Pointer)
	if !ok {
		return false
	}
	n, ok := types.Unalias(p.Elem()).(*types.Named)
	if !ok {
		return false
	}
	res, ok := r.resources[n.Obj()]
	return ok && (res.Resource == nil || !res.Host)
}

// handle is the model of t where that is a resource, or a pointer to one. It says
// whether it is; if so and there is no model, that is reported.
func (r *reader) handle(t types.Type, at place) (h *model.Type, is bool) {
	if r.points(t) {
		n := types.Unalias(t.Underlying().(*types.Pointer).Elem()).(*types.Named)
		return r.handleOf(r.resources[n.Obj()], r.goName(t, "*"+r.goType(n)), at), true
	}
	n, ok := t.(*types.Named)
	if !ok {
		return nil, false
	}
	res, ok := r.resources[n.Obj()]
	switch {
	case !ok:
		return nil, false
	case res.Resource != nil && !res.Host:
		return r.refuse(at, t, "is a resource, of which the host gets handles; use *"+r.shown(t)), true
	}
	return r.handleOf(res, r.goType(t), at), true
}

func (r *reader) handleOf(res *resource, expr string, at place) *model.Type {
	if res.Resource == nil {
		return nil
	}
	if res.Host && !slices.Contains(r.plugin.Resources, res.Resource) {
		r.objects = append(r.objects, res)
	}
	r.use(res.Resource)
	return &model.Type{Kind: model.Handle, Go: expr, Resource: res.Resource, Own: at.own}
}
