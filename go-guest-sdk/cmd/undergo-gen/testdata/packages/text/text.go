package text

import "strings"

// Title is in an interface with a package's name.
//
//undergo:export
func Title(s string) string { return strings.ToTitle(s) }

// Set is ignored.
//
//undergo:import host
var Set func(s string)
