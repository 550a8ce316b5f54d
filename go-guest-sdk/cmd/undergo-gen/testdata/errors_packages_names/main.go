package main

import (
	"example.com/acme/errors_packages_names/v2/a/same"
	"example.com/acme/errors_packages_names/v2/api"
	other "example.com/acme/errors_packages_names/v2/b/same"
	"example.com/acme/errors_packages_names/v2/objects"
)

// A Doc makes an interface api of main's own.
//
//undergo:resource
type Doc struct{}

//undergo:export
func Get(d *Doc, s same.Same, o other.Same, a api.Canvas, st Store) {}

//undergo:resource import
type Store interface{ Get() string }

//undergo:export
func Put(c *objects.Canvas) {}

//undergo:import same
var Import func()

func main() {}
