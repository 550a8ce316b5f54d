//go:build wasip1 && go1.24 && !undergo_component

package undergo

import "unsafe"

const (
	arenaWords = 8 << 10 / 8

	// arenaSmall is the most bytes that are reason enough for a new arena when
	// the old one has no room for them.
	arenaSmall = 2 << 10
)

// The arena is where the host places small arguments without a call of
// cabi_realloc. Strings that alias it keep the whole chunk alive, which bounds
// what a function pays for keeping one small string to 8 KiB.
var (
	// arena is read and written by the host, at an address that never changes.
	arena struct{ next, end uint32 }

	// chunk keeps the memory of the arena alive; it has no pointers.
	chunk *[arenaWords]uint64
)

//go:wasmexport undergo_arena
func announceArena() uint32 {
	turn := Now()
	if chunk == nil {
		refill()
	}
	turn.Await()
	return Addr(unsafe.Pointer(&arena))
}

// refill replaces the arena. Whatever lies in the old one is held by who still
// reads from it: by [Args], or by the block whose allocation replaced it.
//
//go:noinline
func refill() {
	c := new([arenaWords]uint64)
	// The allocation may have let others run, but they left whole arenas behind.
	// No allocation from here on.
	chunk = c
	arena.next = Addr(unsafe.Pointer(c))
	arena.end = arena.next + uint32(unsafe.Sizeof(*c))
}
