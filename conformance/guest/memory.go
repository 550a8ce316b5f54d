package main

import (
	"runtime"
	"strings"
	"sync"
)

var (
	kept   []string
	keptIn [][]int64
	chunks [][]byte
)

// Keep keeps s as it is, without a copy.
//
//undergo:export
func Keep(s string) { kept = append(kept, s) }

// KeepAll keeps all of v as they are.
//
//undergo:export
func KeepAll(v []string) { kept = append(kept, v...) }

// Kept is what was kept.
//
//undergo:export
func Kept() []string { return kept }

// KeepInts keeps v as it is.
//
//undergo:export
func KeepInts(v []int64) { keptIn = append(keptIn, v) }

// KeptInts is what was kept.
//
//undergo:export
func KeptInts() [][]int64 { return keptIn }

var garbage [][]byte

// Churn makes garbage of all sizes and collects it, n times. What the collector
// takes for garbage is overwritten.
//
//undergo:export
func Churn(n int32) {
	for i := range n {
		garbage = garbage[:0]
		for size := 8; size <= 64<<10; size *= 2 {
			for range 16 {
				b := make([]byte, size)
				for j := range b {
					b[j] = byte(0xA0 + i)
				}
				garbage = append(garbage, b)
			}
		}
		runtime.GC()
	}
	garbage = nil
}

// EchoUnderPressure returns what it was given, after a collection.
//
//undergo:export
func EchoUnderPressure(names []string, people []Person, ints []int64) ([]string, []Person, []int64) {
	Churn(1)
	return names, people, ints
}

// EchoAmidCalls returns what it was given, after other goroutines have called the
// host so often that its results used up the room that the arguments lie in, and
// after a collection.
//
//undergo:export
func EchoAmidCalls(note string, names []string, ints []int64) (string, []string, []int64) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for size := 8; size <= 4096; size *= 2 {
				text := strings.Repeat(string(rune('a'+i)), size)
				if HostEchoString(text) != text {
					panic("the host gave another text")
				}
				runtime.Gosched()
			}
		}()
	}
	group.Wait()
	Churn(1)
	return note, names, ints
}

// Alloc holds on to mib MiB more, and says how many there are.
//
//undergo:export
func Alloc(mib int32) int32 {
	for range mib {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		chunks = append(chunks, b)
	}
	return int32(len(chunks))
}

// Recurse calls itself depth times.
//
//undergo:export
func Recurse(depth int32) int32 {
	if depth <= 0 {
		return 0
	}
	return Recurse(depth-1) + 1
}
