package parse

import (
	"cmp"
	"go/types"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// checkEnum reports what is wrong with a type marked as an enum, once, at the type.
func (r *reader) checkEnum(d directive, obj types.Object) {
	n, ok := obj.Type().(*types.Named)
	b, basic := obj.Type().Underlying().(*types.Basic)
	if !ok || !basic || b.Info()&(types.IsInteger|types.IsString) == 0 || b.Kind() == types.Uintptr {
		if !invalid(obj.Type()) {
			r.problem(d.pos, "enum %s: an enum is a type over an integer or string type, with typed constants", obj.Name())
		}
		return
	}
	consts := r.constants(n)
	if len(consts) == 0 {
		r.problem(d.pos, "enum %s has no constants: declare some as `const %sOne %s = ...`", obj.Name(), obj.Name(), obj.Name())
	}
	names, values := map[string]string{}, map[string]string{}
	for _, c := range consts {
		// All of them are integers, or all are strings.
		value := c.Val().ExactString()
		if prev, ok := values[value]; ok {
			r.problem(c.Pos(), "enum %s: %s equals %s; the host could not tell them apart, so keep one of them", obj.Name(), c.Name(), prev)
		} else {
			values[value] = c.Name()
		}
		if !r.reaches(c, "constant") || !r.asciiName(c.Pos(), "enum "+obj.Name()+": constant", c.Name(), "another name") {
			continue
		}
		name := caseName(obj.Name(), c.Name())
		if prev, ok := names[name]; ok {
			r.problem(c.Pos(), "enum %s: %s and %s are both %s in WIT; rename one", obj.Name(), prev, c.Name(), name)
		}
		names[name] = c.Name()
	}
}

// enum is the model of a type marked as an enum.
func (r *reader) enum(n *types.Named) *model.Type {
	if t, ok := r.named[key(n)]; ok {
		return t
	}
	obj := n.Obj()
	b, ok := n.Underlying().(*types.Basic)
	if !ok {
		return nil // reported by checkEnum
	}
	t := &model.Type{
		Kind: model.Enum, Go: r.goType(n), Name: model.Kebab(obj.Name()), Doc: r.docs[obj], Pos: r.fset.Position(obj.Pos()),
		Interface: r.foreignHome(obj),
	}
	switch {
	case b.Info()&types.IsString != 0:
		t.Basic = model.Text
	case b.Info()&types.IsUnsigned != 0:
		t.Basic = model.Unsigned
	case b.Info()&types.IsInteger == 0:
		return nil
	}
	for _, c := range r.constants(n) {
		expr, _ := r.qualified(c)
		t.Cases = append(t.Cases, model.Case{
			Go: expr, Name: caseName(obj.Name(), c.Name()), Doc: r.docs[c], Pos: r.fset.Position(c.Pos()),
		})
	}
	if len(t.Cases) == 0 || !r.asciiName(obj.Pos(), "type", obj.Name(), "another name") {
		return nil
	}
	r.named[key(n)] = t
	r.plugin.Types = append(r.plugin.Types, t)
	return t
}

// constants are the constants of type n, in source order.
func (r *reader) constants(n *types.Named) []*types.Const {
	var consts []*types.Const
	scope := n.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), n) {
			consts = append(consts, c)
		}
	}
	slices.SortFunc(consts, func(a, b *types.Const) int { return cmp.Compare(a.Pos(), b.Pos()) })
	return consts
}

// caseName is the WIT name of a constant: ColorRed of Color is red.
func caseName(typ, name string) string {
	if rest, ok := strings.CutPrefix(name, typ); ok {
		if k := model.Kebab(rest); model.IsKebab(k) && (rest[0] == '_' || 'A' <= rest[0] && rest[0] <= 'Z') {
			return k
		}
	}
	return model.Kebab(name)
}
