package parse

import (
	"go/token"
	"go/types"
)

// The methods of encoding.TextMarshaler and encoding.TextUnmarshaler, neither of
// which the plugin need import.
var textMethods = func() *types.Interface {
	bytes := types.NewSlice(types.Universe.Lookup("byte").Type())
	err := types.Universe.Lookup("error").Type()
	method := func(name string, params, results *types.Tuple) *types.Func {
		return types.NewFunc(token.NoPos, nil, name, types.NewSignatureType(nil, nil, nil, params, results, false))
	}
	tuple := func(ts ...types.Type) *types.Tuple {
		vars := make([]*types.Var, len(ts))
		for i, t := range ts {
			vars[i] = types.NewParam(token.NoPos, nil, "", t)
		}
		return types.NewTuple(vars...)
	}
	return types.NewInterfaceType([]*types.Func{
		method("MarshalText", tuple(), tuple(bytes, err)),
		method("UnmarshalText", tuple(bytes), tuple(err)),
	}, nil).Complete()
}()

// hasText says that the type n has a text form of its own.
func hasText(n *types.Named) bool {
	return !types.IsInterface(n) && types.Implements(types.NewPointer(n), textMethods)
}

// structural says that the struct type n crosses by its fields, and in no other way.
func (r *reader) structural(n *types.Named) bool {
	if _, ok := r.resources[n.Obj()]; ok {
		return false
	}
	return r.marked(n.Obj()) || !is(r.origin(n), "time", "Time") && !is(n, "net/url", "URL") && !hasText(n)
}

// marked says that the type is an error with fields.
func (r *reader) marked(obj types.Object) bool {
	for _, tn := range r.failures {
		if tn == obj {
			return true
		}
	}
	return false
}

// origin is the type that t is declared as, through all declarations of the plugin:
// time.Duration of `type Timeout time.Duration`.
func (r *reader) origin(t types.Type) types.Type {
	for {
		n, ok := types.Unalias(t).(*types.Named)
		if !ok {
			return t
		}
		declared, ok := types.Unalias(r.origins[n.Obj()]).(*types.Named)
		if !ok {
			return n
		}
		t = declared
	}
}
