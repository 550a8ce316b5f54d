// Package main is no interface.
//
//undergo:interface a:b/c
package main

import (
	"example.com/acme/errors_foreign/v2/bad"
	_ "example.com/acme/errors_foreign/v2/empty"
	"example.com/acme/errors_foreign/v2/good"
)

//undergo:fails Error
var Late func() error

//undergo:export
func F(r good.R) error { return bad.Take([]good.R{r}) }

func main() {}
