package main

import "os"

//undergo:resource
type Doc struct{ n int }

//undergo:export
func ByValue(d Doc, list []Doc, m map[*Doc]int, pp ***Doc) {}

//undergo:export
func (d *Doc) Close() error { return nil }

//undergo:export
func (d *Doc) Vary(more ...string) {}

//undergo:export
func (d *Doc) _() {}

//undergo:export
func NewDoc(n int) *Other { return nil }

//undergo:resource
type Other struct{}

//undergo:export
func (o Other) Give() (Doc, error) { return Doc{}, nil }

//undergo:export
func NewOther() (*Other, int) { return nil, 0 }

// Closes has parameters.
//
//undergo:resource
type Closer struct{}

func (c *Closer) Close(force bool) {}

//undergo:export
func TakeCloser(c *Closer) {}

// Embedding has a method of what it embeds.
//
//undergo:resource
type Embedding struct{ Plain }

type Plain struct{}

//undergo:export
func (p *Plain) Hello() {}

//undergo:export
func TakeEmbedding(e *Embedding) {}

// Embeds has a resource in it.
type Embeds struct {
	Doc
	*Other
}

//undergo:export
func TakeEmbeds(e Embeds) {}

//undergo:resource
type Generic[T any] struct{ v T }

//undergo:export
func TakeGeneric(g *Generic[int]) {}

//undergo:resource
type Number int

//undergo:resource
type Face interface{ Hello() }

//undergo:resource
type Alias = Doc

//undergo:resource import
type NoFace struct{}

//undergo:resource import
type Hidden interface{ hidden() }

//undergo:resource import
type Empty interface{}

//undergo:resource export
type Argument struct{}

//undergo:resource
//undergo:enum
type Twice int

//undergo:error
//undergo:resource
type Both struct{ Key string }

func (b *Both) Error() string { return b.Key }

//undergo:export
type Marked struct{}

//undergo:resource
//undergo:export name
type Called struct{}

//undergo:resource import
//undergo:export
type Store interface {
	Get(key string) string
	Call(f func())
	Chan(c chan int)
}

//undergo:export
func TakeStores(m map[Store]int, f *func(), fs []func()) {}

//undergo:export
func ReturnFunc() func() { return nil }

//undergo:export
func Callbacks(f func(func()), g func(...int), h func(chan int) error) {}

type Recursive func(r Recursive)

//undergo:export
func TakeRecursive(r Recursive) {}

//undergo:import host
var Give func(f func())

//undergo:export
//undergo:keep
//undergo:keep nothing
//undergo:keep d n
//undergo:keep s
func Keep(d *Doc, n int, s Store) {}

//undergo:keep s
func NotExported(s Store) {}

//undergo:keep f
type Kept func()

//undergo:keep v
//undergo:import host
var Kept2 func(v int)

func (d *Doc) inner() {
	//undergo:keep d
}

//undergo:resource

//undergo:export
func File(f *os.File) {}

func main() {}
