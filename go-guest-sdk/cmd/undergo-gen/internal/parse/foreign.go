package parse

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// ofPackage is about a directive in the comment of a package. What it says is read with
// the packages.
func (r *reader) ofPackage(d directive, file *ast.File) {
	d.id = file.Name
	switch {
	case d.verb != "interface":
		r.problem(d.pos, "//undergo:%s does not belong to a package", d.verb)
	case file.Name.Name == "main":
		r.problem(d.pos, "//undergo:interface belongs to a package of its own, which main imports")
	}
}

// ofMethod notes what the directives of a method of an interface type say.
func (r *reader) ofMethod(m *ast.Field, ds []directive) {
	for _, d := range ds {
		d.id = &ast.Ident{NamePos: m.Pos(), Name: "an embedded type"}
		if len(m.Names) > 0 {
			d.id = m.Names[0]
		}
		if r.wants(d, "fails") {
			r.failsWith(r.info.Defs[d.id], d)
		}
	}
}

// keptByHost are the directives for what the host keeps of the parameters of an imported
// function.
func (r *reader) keptByHost(ds []directive, id *ast.Ident) []directive {
	if obj := r.info.Defs[id]; obj == nil || r.foreignHome(obj) == nil {
		return nil
	}
	var kept []directive
	for _, d := range ds {
		if d.verb == "keep" {
			d.id = id
			kept = append(kept, d)
		}
	}
	return kept
}

// static notes the resource of the host's among whose functions f stands by its name.
func (r *reader) static(f *model.Func, obj types.Object) bool {
	of, _, ok := model.Static(f.Name)
	if !ok {
		return true
	}
	for tn, res := range r.resources {
		if res.Resource != nil && tn.Pkg() == obj.Pkg() && res.Name == of {
			f.Static = res.Resource
			if !slices.Contains(r.plugin.Resources, res.Resource) {
				r.objects = append(r.objects, res)
				r.use(res.Resource)
			}
			return true
		}
	}
	r.problem(obj.Pos(), "%s: the package has no resource %s of the host's", obj.Name(), of)
	return false
}

// failsWith notes that the error of a function of the host's has a type of its own.
func (r *reader) failsWith(obj types.Object, d directive) {
	switch {
	case obj == nil:
	case len(d.args) != 1:
		r.problem(d.pos, "//undergo:fails needs the name of the type that the error of %s has", d.id.Name)
	case r.foreignHome(obj) == nil:
		r.problem(d.pos, "//undergo:fails is about functions of a package with //undergo:interface")
	default:
		r.fails[obj] = d
	}
}

// failure is the model of the type that the error of f has, if that is one of its own.
// obj is its variable or method.
func (r *reader) failure(f *model.Func, obj types.Object) bool {
	d, ok := r.fails[obj]
	if !ok {
		return true
	}
	if !f.Error {
		r.problem(d.pos, "//undergo:fails: %s has no error as its last result", f.Go)
		return false
	}
	tn := named(obj.Pkg(), d.args[0])
	switch {
	case tn == nil:
		r.problem(d.pos, "//undergo:fails: there is no type %s", d.args[0])
		return false
	case !types.Implements(tn.Type(), errorInterface()):
		r.problem(d.pos, "//undergo:fails: %s is no error: it has no method `Error() string`", d.args[0])
		return false
	}
	f.Fails = r.typ(tn.Type(), place{pos: d.pos, path: "error", own: true})
	return f.Fails != nil
}

// named is the type of that name in pkg, or in a package that it imports.
func named(pkg *types.Package, name string) *types.TypeName {
	if from, inner, ok := strings.Cut(name, "."); ok {
		for _, p := range pkg.Imports() {
			if p.Name() == from {
				tn, _ := p.Scope().Lookup(inner).(*types.TypeName)
				return tn
			}
		}
		return nil
	}
	tn, _ := pkg.Scope().Lookup(name).(*types.TypeName)
	return tn
}

// checkShape reports what is wrong with a struct that is a tuple in WIT, or stands for
// its one field, and notes it.
func (r *reader) checkShape(d directive, obj types.Object) {
	s, isStruct := obj.Type().Underlying().(*types.Struct)
	n, ok := obj.Type().(*types.Named)
	switch {
	case invalid(obj.Type()):
	case !isStruct || !ok || n.TypeParams().Len() > 0:
		r.problem(d.pos, "//undergo:%s belongs to a struct type without parameters", d.verb)
	case d.verb == "value" && s.NumFields() != 1:
		r.problem(d.pos, "//undergo:value: %s stands for its one field, and has %d", obj.Name(), s.NumFields())
	default:
		r.shapes[obj] = d.verb
	}
}
