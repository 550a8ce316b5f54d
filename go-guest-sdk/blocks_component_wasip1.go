//go:build wasip1 && go1.24 && undergo_component

package undergo

import "unsafe"

// Within cabi_realloc a component may not call its host. Go's allocator and its
// scheduler do so at times, to read the clock, so neither may be reached from there:
// the engine would end the instance. What the host places lies beside Go's heap
// instead, in memory that Go's runtime gives without more ado, and the glue copies it
// to the heap before anything of it is handed to user code.
//
// Blocks live until they have been lifted. An instance of a component runs one thing at
// a time and is not entered while it waits for an import, so there is nothing else that
// the host may have placed, except for what other goroutines are lifting: they switch
// where lifting allocates. The last one that has lifted frees everything at once.

// A chunk is a part of that memory, of which what lies below next is taken.
type chunk struct{ start, next, end uint32 }

// Each chunk has at least twice the size of the one before, or mostChunk. So many of them
// are all of memory.
var (
	chunks  [4<<30/mostChunk + 16]chunk
	count   int // how many chunks there are
	current int // the one that blocks come from, and all behind it are empty
	lifting int // how many calls read from the chunks
)

const (
	firstChunk = 64 << 10
	mostChunk  = 16 << 20
)

// Go's runtime gives memory on the stack of the system only: to grow a goroutine's
// stack may read the clock.

//go:linkname systemstack runtime.systemstack
//go:noescape
func systemstack(func())

//go:linkname sbrk runtime.sbrk
func sbrk(size uintptr) unsafe.Pointer

// wanted is how much addChunk is to get, and got where that is. A closure would have to
// be allocated.
var wanted, got uintptr

func getMemory() { got = uintptr(sbrk(wanted)) }

// realloc is canonical: it grows or shrinks old, or allocates when old is none.
//
//go:wasmexport cabi_realloc
//go:nosplit
func realloc(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	c := &chunks[current]
	if oldSize != 0 && old+oldSize == c.next && size <= c.end-old {
		// The last block, as texts are that the engine recodes.
		c.next = old + size
		return old
	}
	p := place(align, size)
	if n := min(oldSize, size); n > 0 {
		copy(unsafe.Slice((*byte)(Pointer(p)), n), unsafe.Slice((*byte)(Pointer(old)), n))
	}
	return p
}

// place takes memory from the first chunk that has enough.
//
//go:nosplit
func place(align, size uint32) uint32 {
	for {
		if current < count {
			c := &chunks[current]
			p := (c.next + align - 1) &^ (align - 1)
			if p <= c.end && size <= c.end-p {
				c.next = p + size
				return p
			}
		}
		if current+1 < count {
			current++
		} else {
			addChunk(size)
		}
	}
}

//go:nosplit
func addChunk(size uint32) {
	least := uintptr(firstChunk)
	if count > 0 {
		last := &chunks[count-1]
		least = min(2*uintptr(last.end-last.start), mostChunk)
	}
	// As Go's runtime rounds it.
	wanted = max((uintptr(size)+firstChunk-1)&^(firstChunk-1), least)
	systemstack(getMemory)
	if got == 0 || count == len(chunks) {
		// The engine sees to it that this ends here: nothing can be printed.
		panic("undergo: cabi_realloc: out of memory")
	}
	chunks[count] = chunk{uint32(got), uint32(got), uint32(got + wanted)}
	current = count
	count++
}

// Args holds the memory in which the host placed the arguments of an export, or the
// result of an import. It is alive until Release.
type Args struct{ holds bool }

// Take gives the memory of the call's arguments to the export that was called. It is
// the first thing that an export does.
func Take() Args {
	lifting++
	return Args{true}
}

// Release says that what lies there has been lifted.
func (a Args) Release() {
	if !a.holds {
		return
	}
	lifting--
	if lifting == 0 {
		for i := range current + 1 {
			chunks[i].next = chunks[i].start
		}
		current = 0
	}
}

// Done is for hosts that place arguments on Go's heap.
func Done() {}

// A Call is a call to the host that is under way.
type Call struct {
	current int
	next    uint32
}

// Begin comes right before the call of an import.
func Begin() Call {
	depth++
	return Call{current, chunks[current].next}
}

// End comes right after the call of an import, and gives the memory of its result to
// the caller.
func (c Call) End() Args {
	depth--
	if outer != nil {
		wakeOuter()
	}
	if current == c.current && chunks[current].next == c.next {
		return Args{}
	}
	return Take()
}
