package main

import "io"

//undergo:resource
type Doc struct{ n int }

//undergo:export
func (d *Doc) Drop() {}

//undergo:export constructor
func (d *Doc) Construct() {}

//undergo:export
func (d *Doc) Dispose() {}

//undergo:export close
func (d *Doc) Shut() {}

//undergo:export
func (d *Doc) Title() string { return "" }

//undergo:export title
func (d *Doc) Head() string { return "" }

//undergo:export
func (d *Doc) WithSelf(self int) {}

//undergo:export
func (d *Doc) Twice(userID, user_id int) {}

// Doc is the name of a type in the same interface.
//
//undergo:export doc
func Named(d *Doc) {}

// Type has the name of a record there.
//
//undergo:export holder
func Type(h Holder) {}

// Meta has the name of a record elsewhere that the interface uses.
//
//undergo:export meta
func TypeOfOther(d *Doc, m Meta) {}

// Cupboards has no such name in its scope.
//
//undergo:export cupboard
func Cupboards(d *Doc) {}

// Cupboards2 has it in another.
//
//undergo:export cupboard
func Cupboards2() {}

type Holder struct{ D *Doc }

type Meta struct{ N int }

type Cupboard struct{ S Store }

//undergo:resource import
type Store interface {
	Get(key string) string
	Constructor()
	Drop()
	Give(d *Doc)
	Link(s Store)
	Back() *Doc
	io.Closer
}

//undergo:export
func Return(s Store) Store { return s }

//undergo:export
func ReturnNested() ([]Cupboard, error) { return nil, nil }

//undergo:export
func Callbacks(f func(d *Doc), g func(s Store), h func() *Doc, i func() (Cupboard, error)) {}

//undergo:import host
var Give func(d *Doc, s Store, c []Cupboard) *Doc

//undergo:import host
var Open func() (Store, error)

//undergo:import api
var Clash func()

//undergo:import store
var Clash2 func()

// Failure has an object in it.
//
//undergo:error
type Failure struct {
	D *Doc
}

func (f *Failure) Error() string { return "" }

//undergo:export
func Fail() error { return nil }

//undergo:export
func CallA(b func()) {}

//undergo:export
func Call(aB func(x, X int)) {}

// Doc is the name of a type, in WIT.
type DOC struct{ N int }

//undergo:export
func TakeDOC(d DOC) {}

func main() {}
