// The guest for wasmtime-py: pointers and lengths by hand, and JSON for what has a structure, as
// one writes it without a generator.
package main

import (
	"encoding/json"
	"unsafe"
)

// Order is the record that travels as JSON.
type Order struct {
	ID       string   `json:"id"`
	Customer string   `json:"customer"`
	Total    float64  `json:"total"`
	Count    int32    `json:"count"`
	Paid     bool     `json:"paid"`
	Items    []string `json:"items"`
}

var (
	blocks = map[uint32][]byte{}
	result []byte
)

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	block := make([]byte, size)
	at := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(block))))
	blocks[at] = block
	return at
}

//go:wasmexport echo_order
func echoOrder(at, size uint32) uint64 {
	var order Order
	if err := json.Unmarshal(blocks[at][:size], &order); err != nil {
		panic(err)
	}
	delete(blocks, at)
	var err error
	if result, err = json.Marshal(order); err != nil {
		panic(err)
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(result))))<<32 | uint64(len(result))
}

//go:wasmexport sum
func sum(at, count uint32) float64 {
	values := unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(blocks[at]))), count)
	total := 0.0
	for _, v := range values {
		total += v
	}
	delete(blocks, at)
	return total
}

func main() {}
