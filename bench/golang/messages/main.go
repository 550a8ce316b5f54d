//go:build wasip1

// A plugin as go-plugin has them, with the code that its generator would write.
package main

import (
	"encoding/binary"

	"github.com/knqyf263/go-plugin/wasm"
)

// echo answers a message that has one field, a string, with the same.
//
//go:wasmexport echo
func echo(at, size uint32) uint64 {
	request := wasm.PtrToByte(at, size)
	length, read := binary.Uvarint(request[1:])
	text := string(request[1+read : 1+read+int(length)])
	answer := binary.AppendUvarint([]byte{0x0a}, uint64(len(text)))
	answer = append(answer, text...)
	begin, count := wasm.ByteToPtr(answer)
	return uint64(begin)<<32 | uint64(count)
}

func main() {}
