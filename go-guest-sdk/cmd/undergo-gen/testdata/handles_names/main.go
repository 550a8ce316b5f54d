// Package main has handles, and declares names that the glue would use for them.
package main

import (
	undergo "iter"

	"example.com/acme/handles_names/v2/real"
)

// List is a keyword of WIT, and so are the names of its methods.
//
//undergo:resource
//undergo:export
type List struct{}

func NewList(resource, own real.String) (*List, real.Error) { return null, null2 }

func (l *List) Static(world *List, export []*List) *List             { return l }
func (l *List) Func(use func(borrow real.String) real.Bool) real.Int { return 0 }
func (l *List) String() real.String                                  { return "" }
func (l *List) Close() real.Error                                    { return null2 }

// Borrow is implemented by the host.
//
//undergo:resource import
type Borrow interface {
	Interface(list real.String) (Borrow, real.Error)
	Self(this, that real.Int) (a, b real.Int)
	String() real.String
}

// Future has both.
type Future struct {
	Stream *List
	Option Borrow
	Tuple  *List  `undergo:",optional"`
	Async  Borrow `undergo:",optional"`
}

//undergo:export
func Flags(f Future, v *Borrow, p **List) {}

//undergo:export
//undergo:keep as
func As(as Borrow, from undergo.Seq[real.String], include func(real.Int) (Borrow, real.Error)) (**List, real.Error) {
	return null3, null2
}

//undergo:import variant
var Enum func(record real.String) (Borrow, real.Error)

var (
	null  *List
	null2 real.Error
	null3 **List
)

const (
	nil    = 0
	true   = 1
	false  = 2
	uint32 = 3
	string = 4
	error  = 5
	bool   = 6
	int64  = 7
	ok     = 8
	v      = 9
	ref    = 10
	scope  = 11
	a0     = 12
	p0     = 13
	f0     = 14
	ctx    = 15
	tmp    = 16
	out    = 17
)

func len()  {}
func make() {}

func undergoObjectsList()  {}
func undergoTypeBorrow()   {}
func undergoEndList()      {}
func undergoGiveList()     {}
func undergoObjectBorrow() {}
func undergoDropBorrow()   {}

func main() {}
