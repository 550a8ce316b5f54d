package parse

import (
	"go/types"
	"reflect"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// record is the model of a struct type.
func (r *reader) record(n *types.Named, s *types.Struct, at place) *model.Type {
	if t, ok := r.cyclic(n, at); ok {
		return t
	}
	obj := n.Obj()
	name := witName(n)
	t := &model.Type{Kind: model.Record, Go: r.goType(n), Name: name, Doc: r.docs[obj], Pos: r.fset.Position(at.pos)}
	own := r.own(obj.Pkg())
	if own {
		t.Pos = r.fset.Position(obj.Pos())
	}
	r.open = append(r.open, n)
	shown := obj.Name()
	if n.TypeArgs().Len() > 0 {
		shown = name
	}
	ok := r.asciiName(at.pos, "type", shown, "another name") && r.fields(t, n, s, at)
	r.open = r.open[:len(r.open)-1]
	if !ok {
		// Not cached: each place that uses the type says so, with its own path.
		return nil
	}
	t.Alike = r.alike(t, s)
	r.named[key(n)] = t
	switch r.shapes[obj] {
	case "value":
		t.Only = true
		fallthrough
	case "tuple":
		t.Name = ""
	default:
		t.Interface = r.foreignHome(obj)
		r.plugin.Types = append(r.plugin.Types, t)
	}
	return t
}

func (r *reader) fields(t *model.Type, n *types.Named, s *types.Struct, at place) bool {
	own := r.own(n.Obj().Pkg())
	if !own && hidden(s) {
		r.refuse(at, n, "has fields that its package does not export, and would lose them; use a struct of the plugin's own")
		return false
	}
	all, ok := r.found(s, own, found{at: at.owning()})
	for _, f := range dominant(all) {
		if !r.asciiName(f.at.pos, f.at.path+": name", f.name, "a name of its own: `undergo:\"...\"`") {
			ok = false
			continue
		}
		ft := r.fieldType(f.v.Type(), f.tag, f.at)
		if ft == nil {
			ok = false
			continue
		}
		field := model.Field{Go: f.path + f.v.Name(), Name: model.Kebab(f.name), Doc: r.docs[f.v.Origin()], Type: ft, Pos: r.fset.Position(at.pos)}
		if r.own(f.v.Pkg()) {
			field.Pos = r.fset.Position(f.v.Pos())
		}
		t.Fields = append(t.Fields, field)
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

// A fieldTag is what the tag of a field says.
type fieldTag struct {
	name    string // "" unless it gives one
	skip    bool
	empty   bool     // encoding/json leaves the field out when it is empty
	options []string // those of the tag undergo
}

func readTag(tag string) fieldTag {
	st := reflect.StructTag(tag)
	name, options, _ := strings.Cut(st.Get("undergo"), ",")
	jsonName, jsonOptions, _ := strings.Cut(st.Get("json"), ",")
	t := fieldTag{name: name, skip: name == "-"}
	if name == "" {
		t.name, t.skip = jsonName, st.Get("json") == "-"
	}
	for option := range strings.SplitSeq(jsonOptions, ",") {
		t.empty = t.empty || option == "omitempty" || option == "omitzero"
	}
	if options != "" {
		t.options = strings.Split(options, ",")
	}
	return t
}

// fieldType is the model of a field's type.
func (r *reader) fieldType(t types.Type, tag fieldTag, at place) *model.Type {
	optional := false
	for _, option := range tag.options {
		switch option {
		case "optional":
			optional = true
		case "json":
			return &model.Type{Kind: model.JSON, Go: r.goType(t), Typed: true}
		default:
			r.problem(at.pos, "%s: its tag has the option %q, which is not known; known are json and optional", at.path, option)
			return nil
		}
	}
	ft := r.typ(t, at)
	switch {
	case ft == nil:
		return nil
	case (ft.Kind == model.Variant || ft.Kind == model.Handle) && (optional || tag.empty):
		return &model.Type{Kind: model.Option, Go: ft.Go, Elem: ft, Bare: true}
	case optional:
		return r.refuse(at, t, "can't be optional by a tag, as variants and resources can; use a pointer to it")
	}
	return ft
}

// alike says that Go and the canonical ABI agree on the layout of a struct whose
// fields all cross and are all alike themselves.
func (r *reader) alike(t *model.Type, s *types.Struct) bool {
	if len(t.Fields) != s.NumFields() {
		return false
	}
	vars := make([]*types.Var, s.NumFields())
	for i := range vars {
		// The fields of an embedded struct are laid out as its own.
		if !t.Fields[i].Type.Alike || s.Field(i).Name() != t.Fields[i].Go {
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
