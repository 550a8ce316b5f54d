package jsonvalue

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestNumbersAreExact(t *testing.T) {
	for text, want := range map[string]any{
		"0": 0.0, "-0": math.Copysign(0, -1), "1": 1.0, "-1.50": -1.5, "0.1": 0.1, "1e3": 1e3, "1.0e-2": 0.01, "0e9999999999999999999": 0.0,
		"9007199254740991": 9007199254740991.0, "9007199254740992": 9007199254740992.0, "-9007199254740992": -9007199254740992.0,
		"9007199254740993": json.Number("9007199254740993"), "-9007199254740993": json.Number("-9007199254740993"),
		"9223372036854775807": json.Number("9223372036854775807"), "18446744073709551615": json.Number("18446744073709551615"),
		"1000000000000000000000000": json.Number("1000000000000000000000000"),
		"1e22":                      1e22, "1.7976931348623157e308": math.MaxFloat64, "5e-324": 5e-324, "1e400": json.Number("1e400"), "1e-400": json.Number("1e-400"),
		"0.12345678901234567890123": json.Number("0.12345678901234567890123"), "1.00000000000000000000": 1.0, "12345678901234.678": 12345678901234.678,
		"9007199254740993.0": json.Number("9007199254740993.0"),
	} {
		got, err := decode([]byte(text))
		if err != nil || got != want {
			t.Errorf("%s: %T(%v), %v; want %T(%v)", text, got, got, err, want, want)
		}
		if f, ok := got.(float64); ok && math.Signbit(f) != math.Signbit(want.(float64)) {
			t.Errorf("%s: another sign", text)
		}
	}
	got, err := decode([]byte(`{"a":[1,18446744073709551615,{"b":0.5}]}`))
	text, _ := json.Marshal(got)
	if err != nil || string(text) != `{"a":[1,18446744073709551615,{"b":0.5}]}` {
		t.Errorf("%s, %v", text, err)
	}
}

type odd struct {
	Fine int
	Bad  any `json:"bad,omitempty"`
}

func TestWhatJSONCannotHold(t *testing.T) {
	cycle := map[string]any{}
	cycle["me"] = cycle
	for name, test := range map[string]struct {
		v         any
		path, why string
	}{
		"NaN":           {map[string]any{"x": []any{1, math.NaN()}}, ".x[1]", "unsupported value: NaN"},
		"infinity":      {math.Inf(1), "", "unsupported value: +Inf"},
		"channel":       {[]any{make(chan int)}, "[0]", "unsupported type: chan int"},
		"function":      {odd{Bad: func() {}}, ".bad", "unsupported type: func()"},
		"number":        {map[string]any{"a b": json.Number("x")}, `["a b"]`, "invalid number"},
		"string":        {map[string]any{"a": &odd{Bad: []string{"fine", "\xff"}}}, ".a.bad[1]", "not UTF-8"},
		"key":           {map[string]any{"\xff": 1}, "[\uFFFD]", "not UTF-8"},
		"itself":        {cycle, ".me", "encountered a cycle"},
		"keys of bools": {map[bool]int{true: 1}, "", "unsupported type: map[bool]int"},
	} {
		text, misfit := encode(test.v)
		if text != nil || !strings.HasPrefix(misfit.path, test.path) || !strings.Contains(misfit.why, test.why) {
			t.Errorf("%s: %s %+v", name, text, misfit)
		}
	}
	for _, v := range []any{nil, "\uFFFD", json.RawMessage(`"\ufffd"`), `\ufffd`, map[int]any{1: uint64(math.MaxUint64)}} {
		if text, misfit := encode(v); misfit.why != "" || !json.Valid(text) {
			t.Errorf("%v: %s %+v", v, text, misfit)
		}
	}
}
