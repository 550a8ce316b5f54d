//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

// result is where the host writes what does not fit into one core value. The largest is an
// option of a result of a result with an error of HTTP.
var result [8]uint64

// ret is its address, for the host.
var ret = unsafe.Pointer(&result)

func at(offset uintptr) unsafe.Pointer { return unsafe.Add(ret, offset) }

func byteAt(offset uintptr) uint8   { return *(*uint8)(at(offset)) }
func shortAt(offset uintptr) uint16 { return *(*uint16)(at(offset)) }
func wordAt(offset uintptr) uint32  { return *(*uint32)(at(offset)) }
func longAt(offset uintptr) uint64  { return *(*uint64)(at(offset)) }

// text is a copy of the string that is at offset, of a call that has ended: its memory is
// free from then on.
func text(args undergo.Args, offset uintptr) string {
	p, n := wordAt(offset), wordAt(offset+4)
	s := undergo.String(p, n)
	args.Release()
	return s
}

// optional is the same for an option<string>.
func optional(args undergo.Args, offset uintptr) (s string, is bool) {
	if byteAt(offset) == 0 {
		args.Release()
		return "", false
	}
	return text(args, offset+4), true
}

// flag is b as a core value.
func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// bytesOf is the address of the bytes of s, which does not lie on a stack: those move.
func bytesOf(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
