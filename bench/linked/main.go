// The functions that the plugin of ../plugin imports, as a plugin: the two are linked.
package main

import "strings"

// Upper gives s in upper case.
//
//undergo:export
func Upper(s string) string { return strings.ToUpper(s) }

// Pause gives n.
//
//undergo:export
func Pause(n int32) int32 { return n }

func main() {}
