package main

import (
	_ "example.com/acme/errors_packages/v2/hidden"
	"example.com/acme/errors_packages/v2/shared"
	_ "example.com/acme/errors_packages/v2/size"
)

//undergo:export
func TakesGeneric(p shared.Pair[*Doc, int], q shared.hidden) {}

//undergo:resource
type Doc struct{}

func main() {}
