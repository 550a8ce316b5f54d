//go:build wasip1

package undergo

import "unsafe"

const (
	arenaWords = 8 << 10 / 8
	arenaSpare = 2 << 10
)

// The arena is where the host places small arguments without a call of
// cabi_realloc. Strings that alias it keep the whole chunk alive, which bounds
// what a function pays for keeping one small string to 8 KiB.
var (
	// arena is read and written by the host, at an address that never changes.
	arena struct{ next, end uint32 }

	// chunk keeps the memory of the arena alive; it has no pointers.
	chunk *[arenaWords]uint64

	// arenaLow is the value of arena.next above which the arena is replaced. It
	// is out of reach until a host has asked for the arena.
	arenaLow = ^uint32(0)
)

//go:wasmexport undergo_arena
func announceArena() uint32 {
	if chunk == nil {
		refill()
	}
	return Addr(unsafe.Pointer(&arena))
}

// refill replaces the arena. Who still reads from the old one holds it in Args.
// While a host places a call's blocks it may already have put some into the
// arena that no Args hold: then the arena stays until the next Release.
//
//go:noinline
func refill() {
	if placing > 0 {
		return
	}
	c := new([arenaWords]uint64)
	// The allocation may have let others run, but they left whole arenas behind.
	// No allocation from here on.
	chunk = c
	arena.next = Addr(unsafe.Pointer(c))
	arena.end = arena.next + uint32(unsafe.Sizeof(*c))
	arenaLow = arena.end - arenaSpare
}
