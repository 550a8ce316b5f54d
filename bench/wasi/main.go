// The guest for node:wasi: pointers and lengths by hand, as one writes it without a generator.
package main

import "unsafe"

var (
	// What the host wrote its argument to, kept until the call.
	argument []byte
	// What the last call gave, and where it is.
	text   string
	result [2]uint32
)

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	if uint32(cap(argument)) < size {
		argument = make([]byte, size)
	}
	return address(unsafe.Pointer(unsafe.SliceData(argument[:cap(argument)])))
}

// A string of Go's own: the next call has its argument in the same place.
//
//go:wasmexport echo
func echo(size uint32) uint32 {
	text = string(argument[:cap(argument)][:size])
	result = [2]uint32{address(unsafe.Pointer(unsafe.StringData(text))), uint32(len(text))}
	return address(unsafe.Pointer(&result))
}

func address(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }

func main() {}
