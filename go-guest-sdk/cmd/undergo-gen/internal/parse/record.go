package parse

import (
	"go/types"
	"reflect"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// record is the model of a struct type.
func (r *reader) record(n *types.Named, s *types.Struct, at place) *model.Type {
	for i, open := range r.open {
		if open == n {
			var cycle []string
			for _, o := range r.open[i:] {
				cycle = append(cycle, o.Obj().Name())
			}
			return r.refuse(at, n, "contains itself ("+strings.Join(append(cycle, n.Obj().Name()), " > ")+
				"), which WIT can't express; refer to it by an index into a slice, or use json.RawMessage")
		}
	}
	if t, ok := r.named[n]; ok {
		return t
	}
	obj := n.Obj()
	t := &model.Type{
		Kind: model.Record, Go: r.goType(n), Name: model.Kebab(obj.Name()), Doc: r.docs[obj],
		Pos: r.fset.Position(at.pos),
	}
	own := obj.Pkg() == r.pkg
	if own {
		t.Pos = r.fset.Position(obj.Pos())
	}
	r.open = append(r.open, n)
	ok := r.asciiName(at.pos, "type", obj.Name(), "another name") && r.fields(t, n, s, at)
	r.open = r.open[:len(r.open)-1]
	if !ok {
		// Not cached: each place that uses the type says so, with its own path.
		return nil
	}
	t.Alike = r.alike(t, s)
	r.named[n] = t
	r.plugin.Types = append(r.plugin.Types, t)
	return t
}

func (r *reader) fields(t *model.Type, n *types.Named, s *types.Struct, at place) bool {
	ok := true
	own := n.Obj().Pkg() == r.pkg
	if !own && hidden(s) {
		r.refuse(at, n, "has fields that its package does not export, and would lose them; use a struct of the plugin's own")
		return false
	}
	for i := range s.NumFields() {
		v := s.Field(i)
		in := at.in("field " + v.Name())
		name, explicit, skip := tagName(s.Tag(i))
		switch {
		case skip:
			continue
		case v.Embedded():
			r.problem(in.pos, "%s: embedded fields have no name in WIT; give it a name, or leave it out with `undergo:\"-\"`", in.path)
			ok = false
			continue
		case !v.Exported() && own:
			continue
		}
		if !explicit {
			name = v.Name()
		}
		if !r.asciiName(in.pos, in.path+": name", name, "a name of its own: `undergo:\"...\"`") {
			ok = false
			continue
		}
		ft := r.typ(v.Type(), in)
		if ft == nil {
			ok = false
			continue
		}
		f := model.Field{Go: v.Name(), Name: model.Kebab(name), Doc: r.docs[v], Type: ft, Pos: r.fset.Position(at.pos)}
		if own {
			f.Pos = r.fset.Position(v.Pos())
		}
		t.Fields = append(t.Fields, f)
	}
	if ok && len(t.Fields) == 0 {
		r.refuse(at, n, "has no exported fields, and WIT has no empty records; give it one, or leave it out")
		return false
	}
	return ok
}

// hidden says that s has fields that its package keeps to itself.
func hidden(s *types.Struct) bool {
	for i := range s.NumFields() {
		if !s.Field(i).Exported() {
			return true
		}
	}
	return false
}

// tagName is the name that a field's tag gives, if it gives one.
func tagName(tag string) (name string, explicit, skip bool) {
	st := reflect.StructTag(tag)
	if v, ok := st.Lookup("undergo"); ok && v != "" {
		return v, v != "-", v == "-"
	}
	if v, ok := st.Lookup("json"); ok {
		if v == "-" {
			return "", false, true
		}
		if name, _, _ := strings.Cut(v, ","); name != "" {
			return name, true, false
		}
	}
	return "", false, false
}

// alike says that Go and the canonical ABI agree on the layout of a struct whose
// fields all cross and are all alike themselves.
func (r *reader) alike(t *model.Type, s *types.Struct) bool {
	if len(t.Fields) != s.NumFields() {
		return false
	}
	vars := make([]*types.Var, s.NumFields())
	for i := range vars {
		if !t.Fields[i].Type.Alike {
			return false
		}
		vars[i] = s.Field(i)
	}
	layout := model.Place(t.FieldTypes()...)
	for i, offset := range r.sizes.Offsetsof(vars) {
		if int(offset) != layout.Offsets[i] {
			return false
		}
	}
	return int(r.sizes.Sizeof(s)) == layout.Size
}
