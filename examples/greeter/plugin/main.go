// Greeter is the smallest plugin that has a bit of everything: a record, an
// optional field, a list, an error, and a function that the host gives.
package main

import (
	"errors"
	"fmt"
	"strings"
)

// Person is somebody to be greeted.
type Person struct {
	Name  string
	Email *string // optional
	Tags  []string
}

// Greet says hello to p, and names what p likes: the tags of p, and those that
// the host's directory has.
//
//undergo:export
func Greet(p Person, shout bool) (string, error) {
	if p.Name == "" {
		return "", errors.New("a person without a name can't be greeted")
	}
	known, err := Lookup(p.Name)
	if err != nil {
		return "", fmt.Errorf("looking up %s: %w", p.Name, err)
	}
	greeting := "Hello, " + p.Name
	if p.Email != nil {
		greeting += " <" + *p.Email + ">"
	}
	if likes := append(p.Tags, known...); len(likes) > 0 {
		greeting += ", who likes " + strings.Join(likes, " and ")
	}
	if shout {
		return strings.ToUpper(greeting) + "!", nil
	}
	return greeting + ".", nil
}

// Initial is the first letter of the name of p. It panics when there is none.
//
//undergo:export
func Initial(p Person) string {
	return string([]rune(p.Name)[0])
}

// Lookup asks the host for a person's tags.
//
//undergo:import directory
var Lookup func(name string) ([]string, error)

func main() {}
