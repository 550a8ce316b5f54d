package main

import "unsafe"

// forgeries write to the guest's own memory where they should not.
var forgeries = map[string]func(n int64){
	"wreck-arena":    wreckArena,
	"wreck-memory":   wreckMemory,
	"write-anywhere": writeAnywhere,
	"read-anywhere":  readAnywhere,
}

// arena is that of the SDK: where the host places arguments from, and up to.
//
//go:linkname arena github.com/undergo-dev/undergo/go-guest-sdk.arena
var arena struct{ next, end uint32 }

// wreckArena sets its two words to n and the upper half of n.
func wreckArena(n int64) { arena.next, arena.end = uint32(n), uint32(n>>32) }

// wreckMemory overwrites n bytes from 64 KiB on: data, heap, all of it.
func wreckMemory(n int64) {
	for i := range uintptr(n) {
		*(*byte)(unsafe.Add(nil, i+65536)) = 0xA5
	}
}

func writeAnywhere(n int64) { *(*byte)(unsafe.Add(nil, n)) = 1 }

func readAnywhere(n int64) { sink += int64(*(*byte)(unsafe.Add(nil, n))) }

// header is what a slice or a string is, beside its capacity.
type header struct {
	address, length, capacity uintptr
}

func forge[T any](address, length uint32) T {
	h := header{uintptr(address), uintptr(length), uintptr(length)}
	return *(*T)(unsafe.Pointer(&h))
}

// ForgedBytes returns a slice of any address and length.
//
//undergo:export
func ForgedBytes(address, length uint32) []byte { return forge[[]byte](address, length) }

// ForgedNumbers does so with a larger element.
//
//undergo:export
func ForgedNumbers(address, length uint32) []int64 { return forge[[]int64](address, length) }

// ForgedString returns a string of any address and length.
//
//undergo:export
func ForgedString(address, length uint32) string { return forge[string](address, length) }

// ForgedStrings returns a list of strings of which the last is forged.
//
//undergo:export
func ForgedStrings(address, length uint32) []string {
	return []string{"honest", forge[string](address, length)}
}

// ForgedError fails with a forged text.
//
//undergo:export
func ForgedError(address, length uint32) error { return forgedError(forge[string](address, length)) }

type forgedError string

func (e forgedError) Error() string { return string(e) }

// ForgedBool returns a bool that is neither true nor false.
//
//undergo:export
func ForgedBool(value uint8) bool { return *(*bool)(unsafe.Pointer(&value)) }

// ForgedBools returns a list of them.
//
//undergo:export
func ForgedBools(value uint8) []bool { return []bool{true, *(*bool)(unsafe.Pointer(&value))} }

// A Mood is an enum.
//
//undergo:enum
type Mood uint8

// The moods.
const (
	Good Mood = iota
	Bad
)

// ForgedMood returns a case that there may not be.
//
//undergo:export
func ForgedMood(value uint8) Mood { return Mood(value) }

// NotUTF8 returns a string that is no text.
//
//undergo:export
func NotUTF8() string { return "a\xff\xfeb" }
