// Package good is an interface.
//
//undergo:interface a:b/good@1.0.0
package good

// E is no error.
//
//undergo:enum
type E int8

const EOne E = 0

// R is the host's.
//
//undergo:resource import
type R interface{ Get() string }

// S is the plugin's.
//
//undergo:resource
type S struct{}

//undergo:value
type V struct{ A, B string }

//undergo:tuple
type T string

//undergo:import
//undergo:fails E
var F func() error

//undergo:import
//undergo:fails Missing
var G func() error

//undergo:import
//undergo:fails E
var H func()

//undergo:import a b
var I func()

//undergo:import [static]none.x
var J func()

//undergo:import
//undergo:keep n
var K func(n int)

//undergo:export
func L() {}

//undergo:import
var m func()
