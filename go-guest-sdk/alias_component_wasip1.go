//go:build wasip1 && go1.24 && undergo_component

package undergo

import (
	"slices"
	"strings"
	"unsafe"
)

// String is a copy of the string of n bytes at p.
func String(p, n uint32) string {
	if n == 0 {
		return ""
	}
	return strings.Clone(unsafe.String((*byte)(Pointer(p)), n))
}

// Slice is a copy of the slice of n elements at p, not nil. It has no spare
// capacity, so that append copies it.
func Slice[T any](p, n uint32) []T {
	if n == 0 {
		return []T{}
	}
	return slices.Clip(slices.Clone(unsafe.Slice((*T)(Pointer(p)), n)))
}
