//go:build wasip1 && go1.24

package undergo

import (
	"errors"
	"time"
	"unsafe"
)

// Lifting makes Go values of what the host placed in memory. The host is
// trusted: it can write all of the memory anyway.

// Pointer is the address p as a pointer.
func Pointer(p uint32) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), p) }

// LoadString is the string whose pointer and length are at p.
func LoadString(p unsafe.Pointer) string {
	w := (*[2]uint32)(p)
	return String(w[0], w[1])
}

// LoadSlice is the slice whose pointer and length are at p.
func LoadSlice[T any](p unsafe.Pointer) []T {
	w := (*[2]uint32)(p)
	return Slice[T](w[0], w[1])
}

// LoadPair is the pointer and length at p.
func LoadPair(p unsafe.Pointer) (at, n uint32) {
	w := (*[2]uint32)(p)
	return w[0], w[1]
}

// LoadTime is the record undergo:go/types.time at p as a time.Time.
func LoadTime(p unsafe.Pointer) time.Time {
	return Time(*(*int64)(p), *(*uint32)(unsafe.Add(p, 8)), *(*int32)(unsafe.Add(p, 12)))
}

// Time is the record undergo:go/types.time as a time.Time.
func Time(seconds int64, nanoseconds uint32, offset int32) time.Time {
	t := time.Unix(seconds, int64(nanoseconds))
	if offset == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", int(offset)))
}

// HostError is the error of an import whose host function failed.
func HostError(text string) error { return errors.New(text) }
