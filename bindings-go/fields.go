package undergo

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// goField is an exported field of a Go struct, by the name that it has in interfaces.
type goField struct {
	name  string
	index int
}

// exportedFields gives the fields that cross: the name is that of the tag undergo, else of the tag
// json, else the field's own. "-" leaves a field out.
func exportedFields(t reflect.Type) []goField {
	var fields []goField
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Name
		for _, key := range []string{"undergo", "json"} {
			if tag, ok := field.Tag.Lookup(key); ok {
				if first, _, _ := strings.Cut(tag, ","); first != "" {
					name = first
				}
				break
			}
		}
		if field.IsExported() && name != "-" {
			fields = append(fields, goField{name, i})
		}
	}
	return fields
}

// fold gives what is alike in the ways to write a name: UserID, userId, user_id and user-id.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

type places struct {
	indices []int
	err     error
}

// known are the places of records in Go structs.
var known sync.Map

type pair struct {
	record *typ
	goType reflect.Type
}

// placesOf gives the index in a Go struct of each field of a record; -1 for an optional one that it
// has not.
func placesOf(record *typ, t reflect.Type) ([]int, error) {
	key := pair{record, t}
	if found, ok := known.Load(key); ok {
		found := found.(places)
		return found.indices, copied(found.err)
	}
	indices, err := findPlaces(record, t)
	known.Store(key, places{indices, err})
	return indices, copied(err)
}

// copied is a misfit of one's own: callers add to its path.
func copied(err error) error {
	if found, ok := err.(*misfit); ok {
		own := *found
		return &own
	}
	return err
}

func findPlaces(record *typ, t reflect.Type) ([]int, error) {
	indices := make([]int, len(record.fields))
	for i := range indices {
		indices[i] = -1
	}
	for _, field := range exportedFields(t) {
		found := matching(record, field.name)
		if found < 0 {
			return nil, &misfit{text: fmt.Sprintf("%s has the field %s, and %s has none of that name; its fields are %s", t, t.Field(field.index).Name, record, fieldNames(record))}
		}
		if indices[found] >= 0 {
			return nil, &misfit{text: fmt.Sprintf("%s has two fields for %s of %s", t, record.fields[found].name, record)}
		}
		indices[found] = field.index
	}
	for i, field := range record.fields {
		if indices[i] < 0 && !field.typ.mayBeNothing() {
			return nil, &misfit{text: fmt.Sprintf("%s has no field for %s of %s", t, field.name, record)}
		}
	}
	return indices, nil
}

// matching gives the field of that name, or else the only one whose name is written in another way.
func matching(record *typ, name string) int {
	folded, found := fold(name), -1
	for i, field := range record.fields {
		if field.name == name {
			return i
		}
		if fold(field.name) == folded && found < 0 {
			found = i
		}
	}
	return found
}

func fieldNames(record *typ) string {
	names := make([]string, len(record.fields))
	for i, field := range record.fields {
		names[i] = field.name
	}
	return listed(names)
}
