package parse

import (
	"cmp"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// checkVariant reports what is wrong with a type marked as a variant, once, at the
// type, and notes its cases. The arguments of the directive fix their order.
func (r *reader) checkVariant(d directive, obj types.Object) {
	r.variants[obj] = nil
	n, ok := obj.Type().(*types.Named)
	iface, isInterface := obj.Type().Underlying().(*types.Interface)
	switch {
	case invalid(obj.Type()):
		return
	case !ok || !isInterface || !iface.IsMethodSet() || iface.NumMethods() == 0:
		r.problem(d.pos, "variant %s: a variant is an interface type with methods, such as `type %s interface{ is%s() }`", obj.Name(), obj.Name(), obj.Name())
		return
	case n.TypeParams().Len() > 0:
		r.problem(d.pos, "variant %s is generic; declare one for each type that it is needed for", obj.Name())
		return
	}
	var cases []*types.TypeName
	for _, tn := range r.typeNames(obj.Pkg()) {
		if implements(tn.Type(), iface) {
			cases = append(cases, tn)
		}
	}
	if len(d.args) > 0 {
		cases = r.ordered(d, obj, iface, cases)
	} else if len(cases) == 0 {
		r.problem(d.pos, "variant %s has no cases: no type of the package implements it", obj.Name())
	}
	names := map[string]string{}
	for _, c := range cases {
		if c.Type().(*types.Named).TypeParams().Len() > 0 {
			r.problem(c.Pos(), "variant %s: its case %s is generic; declare a type for each type that it is needed for", obj.Name(), c.Name())
			continue
		}
		if !r.reaches(c, "type") || !r.asciiName(c.Pos(), "variant "+obj.Name()+": case", c.Name(), "another name") {
			continue
		}
		name := r.caseOf(obj, c)
		if prev, ok := names[name]; ok {
			r.problem(c.Pos(), "variant %s: %s and %s are both %s in WIT; rename one", obj.Name(), prev, c.Name(), name)
		}
		names[name] = c.Name()
		r.variants[obj] = append(r.variants[obj], c)
	}
}

// ordered are the cases that the directive lists, which must be all of them.
func (r *reader) ordered(d directive, obj types.Object, iface *types.Interface, cases []*types.TypeName) []*types.TypeName {
	var listed []*types.TypeName
	for _, name := range d.args {
		tn, ok := obj.Pkg().Scope().Lookup(name).(*types.TypeName)
		switch {
		case !ok || tn.IsAlias() || types.IsInterface(tn.Type()):
			r.problem(d.pos, "variant %s: %s is no type of the package that could be a case", obj.Name(), name)
		case !slices.Contains(cases, tn):
			missing, _ := types.MissingMethod(types.NewPointer(tn.Type()), iface, true)
			if missing == nil {
				continue // a problem of the type checker's
			}
			r.problem(d.pos, "variant %s: %s does not implement it: it lacks the method %s", obj.Name(), name, missing.Name())
		case slices.Contains(listed, tn):
			r.problem(d.pos, "variant %s: %s is listed twice", obj.Name(), name)
		default:
			listed = append(listed, tn)
		}
	}
	for _, tn := range cases {
		if !slices.Contains(listed, tn) {
			r.problem(d.pos, "variant %s: %s implements it, too, and is not listed: add it, or take its methods away", obj.Name(), tn.Name())
		}
	}
	return listed
}

// typeNames are the types that the package declares and that are no interfaces,
// by their place.
func (r *reader) typeNames(pkg *types.Package) []*types.TypeName {
	var found []*types.TypeName
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() || types.IsInterface(tn.Type()) {
			continue
		}
		if _, ok := tn.Type().(*types.Named); ok {
			found = append(found, tn)
		}
	}
	return r.byPlace(found)
}

// byPlace sorts types by the name of their file, and their place in it.
func (r *reader) byPlace(found []*types.TypeName) []*types.TypeName {
	slices.SortFunc(found, func(a, b *types.TypeName) int {
		p, q := r.fset.Position(a.Pos()), r.fset.Position(b.Pos())
		return cmp.Or(strings.Compare(filepath.Base(p.Filename), filepath.Base(q.Filename)), cmp.Compare(p.Offset, q.Offset))
	})
	return found
}

// implements says that t, or else a pointer to it, has the methods of iface.
func implements(t types.Type, iface *types.Interface) bool {
	return types.Implements(t, iface) || types.Implements(types.NewPointer(t), iface)
}

// variant is the model of a type marked as a variant.
func (r *reader) variant(n *types.Named, at place) *model.Type {
	if t, ok := r.cyclic(n, at); ok {
		return t
	}
	obj := n.Obj()
	cases := r.variants[obj]
	if len(cases) == 0 || !r.asciiName(obj.Pos(), "type", obj.Name(), "another name") {
		return nil // reported by checkVariant
	}
	t := &model.Type{
		Kind: model.Variant, Go: r.goType(n), Name: model.Kebab(obj.Name()), Doc: r.docs[obj], Pos: r.fset.Position(obj.Pos()),
		Interface: r.foreignHome(obj),
	}
	r.open = append(r.open, n)
	ok := true
	for _, c := range cases {
		if mc, fits := r.variantCase(n, c, at.in("case "+c.Name())); fits {
			t.Cases = append(t.Cases, mc)
		} else {
			ok = false
		}
	}
	r.open = r.open[:len(r.open)-1]
	if !ok {
		return nil
	}
	r.named[key(n)] = t
	r.plugin.Types = append(r.plugin.Types, t)
	return t
}

// variantCase is the model of a case of the variant n.
func (r *reader) variantCase(n *types.Named, tn *types.TypeName, at place) (c model.Case, ok bool) {
	c = model.Case{
		Go: r.goType(tn.Type()), Name: r.caseOf(n.Obj(), tn), Doc: r.docs[tn], Pos: r.fset.Position(tn.Pos()),
		Pointer: !types.Implements(tn.Type(), n.Underlying().(*types.Interface)),
	}
	if _, ok := r.resources[tn]; ok {
		// A handle has the object, whichever of both has the methods.
		c.Pointer = false
		c.Type = r.typ(types.NewPointer(tn.Type()), at.owning())
		return c, c.Type != nil
	}
	if s, ok := tn.Type().Underlying().(*types.Struct); ok && s.NumFields() == 0 {
		return c, true
	}
	c.Type = r.typ(tn.Type(), at.owning())
	return c, c.Type != nil
}

// caseOf is the name of a case of a variant in WIT. In an interface of another package
// several variants may have cases of the same name, so that it is as that of an enum's.
func (r *reader) caseOf(variant, c types.Object) string {
	if r.foreignHome(variant) != nil {
		return caseName(variant.Name(), c.Name())
	}
	return model.Kebab(c.Name())
}

// cyclic is what is known of the type n: its model, or that it is refused since it
// contains itself. It says whether anything is.
func (r *reader) cyclic(n *types.Named, at place) (t *model.Type, known bool) {
	for i, open := range r.open {
		if types.Identical(open, n) {
			var cycle []string
			remedy := "give the field the tag `undergo:\",json\"`, so that it travels as JSON"
			for _, o := range r.open[i:] {
				cycle = append(cycle, r.shown(o))
				if types.IsInterface(o) {
					remedy = "use json.RawMessage" // encoding/json makes no value of an interface
				}
			}
			return r.refuse(at, n, "contains itself ("+strings.Join(append(cycle, r.shown(n)), " > ")+
				"), which WIT can't express; refer to it by an index into a slice, or "+remedy), true
		}
	}
	t, known = r.named[key(n)]
	return t, known
}
