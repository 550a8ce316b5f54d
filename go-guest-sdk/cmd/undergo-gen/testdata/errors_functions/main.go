package main

import "context"

type T struct{ X int }

//undergo:export
func (t T) Method() {}

//undergo:export
func Generic[P any](p P) {}

//undergo:export
func Variadic(a string, more ...int) {}

//undergo:export
func Late(a int, ctx context.Context) {}

//undergo:export
func ErrorFirst() (error, int) { return nil, 0 }

//undergo:export
func Größe(größe int) {}

//undergo:export bad_name
func Named() {}

//undergo:export one two
func Two() {}

//undergo:export
func main() {}

//undergo:exports
func Typo() {}

//undergo:import host
func Imported() {}

//undergo:enum
func Enum() {}

//undergo:export

func Detached() {}

//undergo:export
var Variable int

//undergo:export
type Type struct{ X int }

//undergo:import host
var NotFunc int

//undergo:import host
var Set = func() {}

//undergo:import host
var One, Two2 func()

//undergo:import
var NoModule func()

//undergo:import host
var WithContext func(ctx context.Context)

//undergo:import Host_Name
var BadModule func()

func body() {
	//undergo:export
	_ = 0
}
