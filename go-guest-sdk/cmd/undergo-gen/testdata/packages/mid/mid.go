// Package mid has no directives, and types of a package that has.
package mid

import (
	"errors"

	"example.com/acme/packages/v2/deep"
	"example.com/acme/packages/v2/shapes"
)

// ErrNone is none.
var ErrNone = errors.New("none")

// Area is that of s.
func Area(s shapes.Shape) float64 { return deep.Zero() }
