package parse

import (
	"go/types"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// checkError reports what is wrong with a type marked as an error with fields, once,
// at the type, and notes it.
func (r *reader) checkError(d directive, obj types.Object) {
	n, ok := obj.Type().(*types.Named)
	s, isStruct := obj.Type().Underlying().(*types.Struct)
	switch {
	case invalid(obj.Type()):
	case !ok || !isStruct:
		r.problem(d.pos, "error %s: an error with fields is a struct type", obj.Name())
	case n.TypeParams().Len() > 0:
		r.problem(d.pos, "error %s is generic; declare a type for each type that it is needed for", obj.Name())
	case !implements(n, errorInterface()):
		r.problem(d.pos, "error %s has no method `Error() string`, as errors have", obj.Name())
	case !exports(s):
		r.problem(d.pos, "error %s has no exported fields, which are what it carries; give it one, or leave the directive away", obj.Name())
	case model.Kebab(obj.Name()) == "text":
		r.problem(d.pos, "error %s: the case text is that of all errors without fields; give the type another name", obj.Name())
	default:
		r.failures = append(r.failures, obj.(*types.TypeName))
	}
}

func errorInterface() *types.Interface {
	return types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
}

// exports says that s has an exported field.
func exports(s *types.Struct) bool {
	for i := range s.NumFields() {
		if s.Field(i).Exported() {
			return true
		}
	}
	return false
}

// readErrors makes the variant of the errors with fields, if a function can return
// them.
func (r *reader) readErrors() {
	returned := false
	for _, fs := range [][]*model.Func{r.plugin.Exports, r.plugin.Imports} {
		for _, f := range fs {
			returned = returned || f.Error && f.Fails == nil
		}
	}
	if !returned || len(r.failures) == 0 {
		return
	}
	text := &model.Type{Kind: model.String, Go: model.Ref("", "string")}
	errors := &model.Type{Kind: model.Variant, Name: "error", Doc: []string{"The errors of this plugin."}}
	errors.Cases = []model.Case{{Name: "text", Type: text}}
	for _, tn := range r.byPlace(r.failures) {
		n := tn.Type().(*types.Named)
		record := r.typ(n, place{pos: tn.Pos(), path: "error " + tn.Name()})
		if record == nil {
			continue
		}
		errors.Cases = append(errors.Cases, model.Case{
			Go: record.Go, Name: record.Name, Pos: record.Pos, Pointer: !types.Implements(n, errorInterface()),
			Type: &model.Type{Kind: model.Tuple, Fields: []model.Field{{Type: text}, {Type: record}}},
		})
	}
	for _, t := range r.plugin.Types {
		if t.Name == "error" {
			errors.Name = "go-error"
		}
	}
	r.plugin.Errors = errors
}
