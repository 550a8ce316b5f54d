package model

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// The fixed-length lists of WIT lie in memory as a record of their elements does, and not
// as a list. So an array is a list to WIT, and its length is a part of the name that the
// list is declared under.

// NameArrays finds the arrays of p, once it is complete, and names them.
func (p *Plugin) NameArrays() {
	type declaration struct {
		home       *Interface
		name, elem string
	}
	seen := map[*Type]bool{}
	var known []declaration
	name := func(t *Type) {
		if t.Kind != Array {
			return
		}
		elem := t.Elem.WIT(p.Rename)
		words := strings.FieldsFunc(elem, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
		t.Name = fmt.Sprintf("array%d-%s", t.Len, strings.Join(words, "-"))
		if d := (declaration{t.Home(), t.Name, elem}); !slices.Contains(known, d) {
			known = append(known, d)
			p.Arrays = append(p.Arrays, t)
		}
	}
	for _, t := range append(p.Used(slices.Concat(p.Exports, p.Imports)), p.Types...) {
		t.walk(name, seen)
	}
}
