package parse

import (
	"cmp"
	"go/types"
	"slices"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// A found is a field of a struct, or of a struct that is embedded in it.
type found struct {
	v     *types.Var
	tag   fieldTag
	name  string // that of the tag, or Go's
	path  string // the embedded structs on the way to it, with a dot behind each
	depth int    // how many they are
	at    place
}

// found are the fields of s that cross, with those of the structs embedded in it, in
// the order of the source. own says that s is a type of the plugin; around is the
// field that it is embedded as.
func (r *reader) found(s *types.Struct, own bool, around found) (all []found, ok bool) {
	ok = true
	for i := range s.NumFields() {
		v := s.Field(i)
		f := found{v: v, tag: readTag(s.Tag(i)), path: around.path, depth: around.depth, at: around.at.in("field " + v.Name())}
		if f.tag.skip {
			continue
		}
		f.name = f.tag.name
		if v.Embedded() && f.name == "" {
			inner, flat := r.embedded(v, f.at)
			if !flat {
				ok = false
				continue
			}
			if inner != nil {
				f.path, f.depth = f.path+v.Name()+".", f.depth+1
				fields, fine := r.found(inner, r.own(v.Pkg()), f)
				all, ok = append(all, fields...), ok && fine
				continue
			}
		}
		if !v.Exported() && own {
			continue
		}
		f.name = cmp.Or(f.name, v.Name())
		all = append(all, f)
	}
	return all, ok
}

// embedded is the struct of which the embedded field v has the fields, or nil if it is
// a field like others. It fails for what can't be embedded.
func (r *reader) embedded(v *types.Var, at place) (s *types.Struct, ok bool) {
	t := types.Unalias(v.Type())
	if r.points(t) {
		return nil, true
	}
	if p, isPointer := t.(*types.Pointer); isPointer {
		if _, isStruct := p.Elem().Underlying().(*types.Struct); isStruct {
			r.problem(at.pos, "%s: an embedded pointer may be nil, and then its fields have no values; embed the struct itself, or give it a name with `undergo:\"...\"`", at.path)
			return nil, false
		}
		return nil, true
	}
	s, isStruct := t.Underlying().(*types.Struct)
	n, named := t.(*types.Named)
	if !isStruct || !named || !r.structural(n) {
		return nil, true
	}
	if !r.own(n.Obj().Pkg()) && hidden(s) {
		for i := range s.NumFields() {
			if s.Field(i).Exported() {
				r.refuse(at, t, "has fields that its package does not export, and would lose them; leave it out with `undergo:\"-\"`, or use a struct of the plugin's own")
				return nil, false
			}
		}
		// A sync.Mutex, for example.
		return types.NewStruct(nil, nil), true
	}
	return s, true
}

// dominant are the fields that Go's own JSON would have: of those with the same name
// the one that lies least deep, or of several such the only one with a tag.
func dominant(all []found) []found {
	return slices.DeleteFunc(slices.Clone(all), func(f found) bool {
		for _, other := range all {
			if other.v == f.v || other.name != f.name || other.depth > f.depth {
				continue
			}
			// Within one struct, both are reported.
			if other.depth < f.depth || f.depth > 0 && (f.tag.name == "" || other.tag.name != "") {
				return true
			}
		}
		return false
	})
}

// witName is the name of the type n: of an instance of a generic type, with those of
// its arguments.
func witName(n *types.Named) string {
	name := model.Kebab(n.Obj().Name())
	for i := range n.TypeArgs().Len() {
		name += "-" + argName(n.TypeArgs().At(i))
	}
	return name
}

func argName(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return witName(t)
	case *types.Basic:
		return t.Name()
	case *types.Pointer:
		return "optional-" + argName(t.Elem())
	case *types.Slice:
		return "list-" + argName(t.Elem())
	case *types.Array:
		return "array-" + argName(t.Elem())
	case *types.Map:
		return "map-" + argName(t.Key()) + "-" + argName(t.Elem())
	}
	return "any"
}

// key identifies a named type: instances of one generic type with the same arguments
// are one type, but several objects.
func key(n *types.Named) string { return types.TypeString(n, nil) }
