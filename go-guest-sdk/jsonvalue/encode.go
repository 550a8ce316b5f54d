//go:build go1.24

package jsonvalue

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A misfit is what JSON can't hold, and the way to it.
type misfit struct{ path, why string }

// encode is v as JSON. Without text there is a misfit in v.
func encode(v any) ([]byte, misfit) {
	text, err := json.Marshal(v)
	if err != nil {
		why := "JSON can't hold this: " + strings.TrimPrefix(err.Error(), "json: ")
		return nil, misfit{locate(reflect.ValueOf(v), unsupported, 0), why}
	}
	// In this way, and no other, encoding/json writes what is not UTF-8.
	if bytes.Contains(text, []byte(`\ufffd`)) && garbled(reflect.ValueOf(v), 0) {
		return nil, misfit{locate(reflect.ValueOf(v), garbled, 0), "JSON can't hold this: a string that is not UTF-8"}
	}
	return text, misfit{}
}

// deep is how far down a misfit is looked for: what refers to itself has no end.
const deep = 100

func unsupported(v reflect.Value, _ int) bool {
	_, err := json.Marshal(v.Interface())
	return err != nil
}

// garbled says that a string in v is not UTF-8.
func garbled(v reflect.Value, depth int) (found bool) {
	if v.Kind() == reflect.String {
		return !utf8.ValidString(v.String())
	}
	if depth < deep {
		children(v, func(step string, child reflect.Value) bool {
			found = !utf8.ValidString(step) || garbled(child, depth+1)
			return !found
		})
	}
	return found
}

// locate is the way to the innermost value in v that is bad.
func locate(v reflect.Value, bad func(reflect.Value, int) bool, depth int) (path string) {
	if depth < deep {
		children(v, func(step string, child reflect.Value) bool {
			if utf8.ValidString(step) && !bad(child, depth+1) {
				return true
			}
			path = strings.ToValidUTF8(step, "\uFFFD") + locate(child, bad, depth+1)
			return false
		})
	}
	return path
}

// children calls f for each value that v has in JSON, with the step that leads to
// it, until f has enough.
func children(v reflect.Value, f func(step string, child reflect.Value) bool) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		return
	}
	if _, ok := v.Interface().(json.Marshaler); ok {
		return
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !f("["+strconv.Itoa(i)+"]", v.Index(i)) {
				return
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			key := "?"
			if k := i.Key(); k.Kind() == reflect.String {
				key = k.String()
			}
			if !f(member(key), i.Value()) {
				return
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !field.IsExported() || name == "-" {
				continue
			}
			if name == "" {
				name = field.Name
			}
			if !f(member(name), v.Field(i)) {
				return
			}
		}
	}
}

// member is the step to the member of an object.
func member(name string) string {
	for i, c := range name {
		if c != '_' && (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (i == 0 || c < '0' || '9' < c) {
			if !utf8.ValidString(name) {
				return "[" + name + "]"
			}
			return "[" + strconv.Quote(name) + "]"
		}
	}
	return "." + name
}
