//go:build wasip1 && go1.24 && !undergo_component

package undergo

import (
	"runtime"
	"strings"
	"unsafe"
)

// A block is memory that the host asked for, for a call that has not ended yet.
//
// The room is a heap object without pointers. Strings and slices that the
// glue hands to user code point into it and keep it alive from then on. Until
// they exist, the pointers in the block are plain numbers that the collector
// does not see, so something else has to keep it alive: the list below until
// the export returns that it was placed for, or [Args] while the glue reads the
// result of an import.
type block struct {
	room unsafe.Pointer
	// arena is where the host may have placed other arguments of the call.
	arena *[arenaWords]uint64
	next  *block
}

// The host places the blocks of a call, then calls. Two properties make a
// simple stack of blocks correct, with other goroutines about:
//
//   - Goroutines switch in calls that allocate or wait, and nowhere else: wasm
//     has one thread and no sysmon, and so no preemption. Take, Done, Begin,
//     End, and the compiler's wrapper around an import do neither.
//   - The host nests: what it starts inside an import (or inside cabi_realloc,
//     whose allocation can let another goroutine run) ends before that returns.
//
// While an import waits, floor is what was pending when it was called. Blocks
// above it belong to the import's result, or to an export called from within;
// blocks below belong to calls around it, some of whose arguments the host may
// still place, and are not to be taken by anyone else.
var (
	pending *block
	floor   *block
)

// realloc is canonical: it grows or shrinks old, or allocates when old is none.
//
//go:wasmexport cabi_realloc
func realloc(old, oldSize, align, size uint32) uint32 {
	if align > 8 {
		panic("undergo: cabi_realloc: alignment above 8")
	}
	if size == 0 {
		return align
	}
	turn := Now()
	// The allocations may let others run, who replace the arena in turn.
	a := chunk
	if a != nil && size <= arenaSmall {
		refill()
	}
	p := room(size)
	b := &block{room: p, arena: a}
	if n := min(oldSize, size); n > 0 {
		// The old block stays on the list, and so alive, until the call has ended.
		copy(unsafe.Slice((*byte)(p), n), unsafe.Slice((*byte)(Pointer(old)), n))
	}
	turn.Await()
	// No allocation between these two: see above.
	b.next = pending
	pending = b
	return Addr(p)
}

// roomy is the size from which on memory is not cleared before the host fills
// it: to clear a mebibyte costs as much as to copy one.
const roomy = 16 << 10

// room is new memory for the host to fill, aligned to 8 bytes.
func room(size uint32) unsafe.Pointer {
	if size < roomy {
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	}
	// Of what Go offers to everybody this alone gives memory as it is. So large,
	// it is aligned to far more than 8.
	var b strings.Builder
	b.Grow(int(size))
	// Where the bytes of an empty string lie is not specified.
	b.WriteByte(0)
	return unsafe.Pointer(unsafe.StringData(b.String()))
}

// Args holds the memory in which the host placed the arguments of an export, or
// the result of an import. It is alive until Release.
type Args struct {
	blocks *block
	arena  *[arenaWords]uint64
}

// Take gives the memory of the call's arguments to the export that was called.
// It is the first thing that an export does. Its blocks stay on the list until
// [Done].
func Take() Args { return Args{arena: chunk} }

// Release says that what lies there has been lifted: what user code holds of it
// keeps its memory alive by itself.
func (a Args) Release() {
	runtime.KeepAlive(a.blocks)
	runtime.KeepAlive(a.arena)
}

// Done lets go of the blocks of an export's arguments. It comes when nothing is
// left to do but to keep the result: the compiler then asks once for all these
// stores whether the collector is to hear of what they overwrite.
func Done() { pending = floor }

// A Call is a call to the host that is under way.
type Call struct {
	mark, floor *block
}

// Begin comes right before the call of an import.
func Begin() Call {
	c := Call{pending, floor}
	floor = pending
	depth++
	return c
}

// End comes right after the call of an import, and gives the memory of its
// result to the caller.
func (c Call) End() Args {
	a := Args{pending, chunk}
	if pending != c.mark {
		pending = c.mark
	}
	floor = c.floor
	depth--
	if outer != nil {
		wakeOuter()
	}
	return a
}
