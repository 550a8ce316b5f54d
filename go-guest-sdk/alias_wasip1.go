//go:build wasip1 && go1.24 && !undergo_component

package undergo

import "unsafe"

// The pointer of an empty string or list can be anything, which the collector
// does not like. What is put in its place is chosen without a jump: Go's way to
// jump in wasm costs as much as a dozen instructions.

// String is the string of n bytes at p. It aliases that memory.
func String(p, n uint32) string {
	if n == 0 {
		p = 0
	}
	return unsafe.String((*byte)(Pointer(p)), n)
}

// Slice is the slice of n elements at p, not nil. It aliases that memory, and has
// no spare capacity, so that append copies it.
func Slice[T any](p, n uint32) []T {
	if n == 0 {
		p = Addr(unsafe.Pointer(&arena))
	}
	return unsafe.Slice((*T)(Pointer(p)), n)
}
