package main

import (
	"context"
	"io"
	"time"
)

// A Store has texts. The host implements it.
//
//undergo:resource import
type Store interface {
	// Get is the text of a key.
	Get(ctx context.Context, key string) (string, error)
	Put(key string, value *string)
	Size() int
	Child(name string) Store
	Find(a, b, c, d, e, f, g, h string) ([]Item, error)
	io.Closer
}

// An Item has a store in it, which then is the plugin's to end.
type Item struct {
	Name  string
	Store Store `undergo:",optional"`
}

// A Clock is another one, that only a callback gives.
//
//undergo:resource import
type Clock interface{ Now() time.Time }

// Unused is nobody's.
//
//undergo:resource import
type Unused interface{ Use() }

// An Op is a function with a name.
type Op func(a, b int64) int64

// OpenStore gives one.
//
//undergo:import host
var OpenStore func(name string) (Store, error)

//undergo:export
func Read(ctx context.Context, s Store, key string) (string, error) { return s.Get(ctx, key) }

// Keep keeps its stores, and not the last one.
//
//undergo:export
//undergo:keep s all
//undergo:keep f
func Keep(s Store, all []Store, borrowed *Store, f func()) {}

//undergo:export
func Items(items []Item) int { return len(items) }

//undergo:export
func Fold(xs []int64, op Op) int64 { return 0 }

//undergo:export
func Reverse(xs []int64, op Op, kept func(x []string, _ time.Duration, point Point) (Point, error)) int64 {
	return 0
}

// Point is flat.
type Point struct{ X, Y float32 }

// Clocks has a callback without parameters that gives an object.
//
//undergo:export
func Clocks(clock func(context.Context) (Clock, error)) (time.Time, error) {
	c, err := clock(context.Background())
	if err != nil {
		return time.Time{}, err
	}
	return c.Now(), nil
}

// A Walker is the guest's, and has both in its methods.
//
//undergo:resource
//undergo:export
type Walker struct{}

// NewWalker has a callback.
//
//undergo:keep done
func NewWalker(start string, done func(error string)) *Walker { return nil }

// Walk calls f for each.
func (w *Walker) Walk(s Store, f func(name string) (bool, error)) error { return nil }

// Sub has both.
type Sub struct {
	W *Walker
	S []Store
}

//undergo:export
func Give(s Sub) {}

func main() {}
