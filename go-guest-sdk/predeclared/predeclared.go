//go:build go1.24

// Package predeclared has what Go predeclares under names of its own, for the
// generated code of a plugin that declares one of those names itself.
package predeclared

// The types.
type (
	Any        = any
	Bool       = bool
	Byte       = byte
	Complex64  = complex64
	Complex128 = complex128
	Error      = error
	Float32    = float32
	Float64    = float64
	Int        = int
	Int8       = int8
	Int16      = int16
	Int32      = int32
	Int64      = int64
	Rune       = rune
	String     = string
	Uint       = uint
	Uint8      = uint8
	Uint16     = uint16
	Uint32     = uint32
	Uint64     = uint64
)

// LenString is len.
func LenString[S ~string](s S) int { return len(s) }

// LenSlice is len.
func LenSlice[S ~[]E, E any](s S) int { return len(s) }

// LenMap is len.
func LenMap[M ~map[K]V, K comparable, V any](m M) int { return len(m) }

// MakeSlice is make.
func MakeSlice[S ~[]E, E any](n uint32) S { return make(S, n) }

// MakeMap is make.
func MakeMap[M ~map[K]V, K comparable, V any](n uint32) M { return make(M, n) }

// Some says that p is not nil.
func Some[P ~*E, E any](p P) bool { return p != nil }

// Failed says that err is not nil.
func Failed(err error) bool { return err != nil }
