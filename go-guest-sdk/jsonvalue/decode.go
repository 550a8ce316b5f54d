//go:build go1.24

// Package jsonvalue carries values of type any as JSON, for the generated code of
// plugins.
package jsonvalue

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// decode is the value that text holds, as encoding/json has it, but for numbers
// that a float64 would change: those are of type json.Number.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v), nil
}

// numbers puts a float64 in the place of each number that it can hold.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	}
	return v
}

// number is n as a float64, if that is written as the same number again, and else
// as it is. Of integers a float64 holds those up to 2^53.
func number(n json.Number) any {
	const exact = 1 << 53
	s := string(n)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return n
	}
	if !strings.ContainsAny(s, ".eE") {
		if -exact < f && f < exact || strings.TrimPrefix(s, "-") == strconv.Itoa(exact) {
			return f
		}
		return n
	}
	digits, exponent, ok := parts(s)
	again, at, _ := parts(strconv.FormatFloat(f, 'e', -1, 64))
	if digits == again && (digits == "" || ok && exponent == at) {
		return f
	}
	return n
}

// parts are the significant digits of the number s, and the power of ten that the
// first of them stands for, where that is known.
func parts(s string) (digits string, exponent int, ok bool) {
	s, ok = strings.TrimPrefix(s, "-"), true
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		s, exponent, ok = s[:i], e, err == nil
	}
	whole, fraction, _ := strings.Cut(s, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent += len(digits) - len(fraction) - 1
	return strings.TrimRight(digits, "0"), exponent, ok
}
