//go:build wasip1

package undergo

import (
	"runtime"
	"strings"
	"unsafe"
)

// A block is memory that the host asked for and that no call has taken yet.
//
// The room is a heap object without pointers. Strings and slices that the
// glue hands to user code point into it and keep it alive from then on. Until
// they exist, the pointers in the block are plain numbers that the collector
// does not see, so something else has to keep it alive: the list below while
// the host fills the block, and [Args] while the glue reads it.
type block struct {
	room unsafe.Pointer
	next *block
}

// The host places the blocks of a call, then calls. Two properties make a
// simple stack of blocks correct, with other goroutines about:
//
//   - Goroutines switch in calls that allocate or wait, and nowhere else: wasm
//     has one thread and no sysmon, and so no preemption. Take, Begin, End, and
//     the compiler's wrapper around an import do neither.
//   - The host nests: what it starts inside an import (or inside cabi_realloc,
//     whose allocation can let another goroutine run) ends before that returns.
//
// While an import waits, floor is what was pending when it was called. Blocks
// above it belong to the import's result, or to an export called from within;
// blocks below belong to a call whose arguments the host still places, and are
// not to be taken by anyone else.
var (
	pending *block
	floor   *block

	// placing counts the running calls of cabi_realloc.
	placing int
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
	placing++
	b := &block{room: room(size)}
	placing--

	p := b.room
	if n := min(oldSize, size); n > 0 {
		// The old block stays on the list, and so alive, until it is taken.
		copy(unsafe.Slice((*byte)(p), n), unsafe.Slice((*byte)(Pointer(old)), n))
	}
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
// It is the first thing that an export does.
func Take() Args {
	a := Args{pending, chunk}
	if pending != floor {
		pending = floor
	}
	return a
}

// Release says that the arguments have been lifted: what user code holds of
// them keeps its memory alive by itself. The arena is replaced here and not
// earlier, because that allocates.
func (a Args) Release() {
	runtime.KeepAlive(a.blocks)
	runtime.KeepAlive(a.arena)
	if arena.next > arenaLow {
		refill()
	}
}

// A Call is a call to the host that is under way.
type Call struct {
	mark, floor *block
}

// Begin comes right before the call of an import.
func Begin() Call {
	c := Call{pending, floor}
	floor = pending
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
	return a
}
