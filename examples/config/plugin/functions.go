package main

import (
	"encoding/json"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Call runs a function of the host.
//
//undergo:import functions
var Call func(name string, args []any) (any, error)

// functions are those that a configuration can call: some that Go has, and
// those of the host.
func functions(ofHost []string) map[string]function.Function {
	all := map[string]function.Function{
		"format": stdlib.FormatFunc,
		"join":   stdlib.JoinFunc,
		"lower":  stdlib.LowerFunc,
		"max":    stdlib.MaxFunc,
		"merge":  stdlib.MergeFunc,
		"upper":  stdlib.UpperFunc,
	}
	for _, name := range ofHost {
		all[name] = hostFunction(name)
	}
	return all
}

func hostFunction(name string) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "args", Type: cty.DynamicPseudoType},
		Type:     function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			given := make([]any, len(args))
			for i, arg := range args {
				value, err := toJSON(arg)
				if err != nil {
					return cty.NilVal, function.NewArgError(i, err)
				}
				given[i] = value
			}
			result, err := Call(name, given)
			if err != nil {
				return cty.NilVal, err
			}
			return fromJSON(result)
		},
	})
}

func toJSON(value cty.Value) (any, error) {
	text, err := ctyjson.Marshal(value, value.Type())
	return json.RawMessage(text), err
}

func fromJSON(value any) (cty.Value, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return cty.NilVal, err
	}
	if string(text) == "null" {
		return cty.EmptyObjectVal, nil
	}
	shape, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(text, shape)
}
