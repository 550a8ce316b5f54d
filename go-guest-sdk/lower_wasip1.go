//go:build wasip1 && go1.24

package undergo

import (
	"reflect"
	"time"
	"unsafe"
)

// Lowering lays Go values out for the host. What Go and the canonical ABI lay
// out alike is not copied: the host gets its address.

// Addr is the address of what p points to, for the host. What it points to is
// allocated on the heap, or static: stacks move, the heap does not. The caller
// keeps it alive.
func Addr(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }

// sink makes the compiler believe that what outlive was given outlives the call.
var sink struct {
	never bool
	p     unsafe.Pointer
}

// outlive has what p points to allocated on the heap.
func outlive(p unsafe.Pointer) {
	if sink.never {
		sink.p = p
		// The way on is then the straight one, for which the compiler needs no jump.
		panic("undergo: unreachable")
	}
}

// StringAddr is the address of the bytes of s.
func StringAddr(s string) uint32 {
	p := unsafe.Pointer(unsafe.StringData(s))
	outlive(p)
	return Addr(p)
}

// SliceAddr is the address of the elements of v.
func SliceAddr[T any](v []T) uint32 {
	p := unsafe.Pointer(unsafe.SliceData(v))
	outlive(p)
	return Addr(p)
}

// StoreString stores the pointer and length of s at p.
func StoreString(p unsafe.Pointer, s string) {
	w := (*[2]uint32)(p)
	w[0], w[1] = StringAddr(s), uint32(len(s))
}

// StoreSlice stores the pointer and length of v at p.
func StoreSlice[T any](p unsafe.Pointer, v []T) {
	w := (*[2]uint32)(p)
	w[0], w[1] = SliceAddr(v), uint32(len(v))
}

// StorePair stores the pointer and length of a list at p.
func StorePair(p unsafe.Pointer, at, n uint32) {
	w := (*[2]uint32)(p)
	w[0], w[1] = at, n
}

// StoreTime stores t at p as the record undergo:go/types.time.
func StoreTime(p unsafe.Pointer, t time.Time) {
	*(*int64)(p), *(*uint32)(unsafe.Add(p, 8)), *(*int32)(unsafe.Add(p, 12)) = SplitTime(t)
}

// Bool is b as a core value.
func Bool(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// Present says that an interface which may be nil has a value: neither nil nor a nil
// pointer.
func Present(v any) bool {
	if v == nil {
		return false
	}
	p := reflect.ValueOf(v)
	return p.Kind() != reflect.Pointer || !p.IsNil()
}

// Out is memory for what has to be laid out anew, such as the elements of a
// []string. It holds no pointers; all of it lives as long as the Out.
type Out struct {
	words []uint64 // where places come from
	used  int      // how many of them are taken
	full  [][]uint64
}

// Alloc is a new place of size bytes, aligned to 8. size is not 0.
func (o *Out) Alloc(size int) unsafe.Pointer {
	n := (size + 7) / 8
	if n > len(o.words)-o.used {
		o.grow(n)
	}
	p := unsafe.Pointer(&o.words[o.used])
	o.used += n
	return p
}

// grow gets memory for n words: as many at first, since most results need one
// place only, and then more at a time.
//
//go:noinline
func (o *Out) grow(n int) {
	if o.words != nil {
		o.full = append(o.full, o.words)
		n = max(n, 64<<min(len(o.full), 7))
	}
	o.words, o.used = make([]uint64, n), 0
}

// Copy copies b, which nothing else keeps alive, and gives its pointer and length.
func (o *Out) Copy(b []byte) (p, n uint32) {
	if len(b) == 0 {
		return 0, 0
	}
	at := o.Alloc(len(b))
	copy(unsafe.Slice((*byte)(at), len(b)), b)
	return Addr(at), uint32(len(b))
}

// Clear makes *p the zero value, which lets go of a result that the host has read.
func Clear[T any](p *T) {
	var zero T
	*p = zero
}

// Complex64 and Complex128 are the number of that real and imaginary part. The
// predeclared functions may be something else in a plugin.
func Complex64(re, im float32) complex64 { return complex(re, im) }

// Complex128 is Complex64 for larger numbers.
func Complex128(re, im float64) complex128 { return complex(re, im) }

// Parts64 are the real and the imaginary part of c.
func Parts64(c complex64) (re, im float32) { return real(c), imag(c) }

// Parts128 is Parts64 for larger numbers.
func Parts128(c complex128) (re, im float64) { return real(c), imag(c) }

// SplitTime is t as the record undergo:go/types.time has it.
func SplitTime(t time.Time) (seconds int64, nanoseconds uint32, offset int32) {
	_, zone := t.Zone()
	return t.Unix(), uint32(t.Nanosecond()), int32(zone)
}
