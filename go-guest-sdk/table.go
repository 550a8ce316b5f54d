//go:build go1.24

package undergo

// A Table has the objects of one resource for which the host has handles. What the
// host knows an object by is the place of an entry, with the number of times that the
// place was used in the bits above: a handle that has ended is not taken for one that
// came after it.
//
// An object has an entry for each of its handles. No method lets other goroutines
// see a table that is half changed: each allocates before it changes anything.
type Table[T any] struct {
	name    string
	entries []entry[T]
	free    uint32 // the place of the first entry without an object, plus one
	// holders are how many entries each object has, where it matters which is the last.
	holders map[*T]int
}

type entry[T any] struct {
	object *T
	use    uint32 // how often the place was used before
	free   uint32 // the next entry without an object, plus one
}

const (
	placeBits = 22
	places    = 1 << placeBits
)

// NewTable is the table of the resource of that name.
func NewTable[T any](name string) *Table[T] { return &Table[T]{name: name} }

// NewCountingTable is the table of a resource whose objects need to know when their last
// handle ends.
func NewCountingTable[T any](name string) *Table[T] {
	return &Table[T]{name: name, holders: map[*T]int{}}
}

// Add gives what the host knows the object by, which is not nil.
func (t *Table[T]) Add(object *T) uint32 {
	if t.free == 0 {
		if len(t.entries) == places {
			panic("undergo: the host has too many handles of " + t.name)
		}
		t.entries = append(t.entries, entry[T]{})
		t.free = uint32(len(t.entries))
	}
	if t.holders != nil {
		t.holders[object]++
	}
	given++
	at := t.free - 1
	e := &t.entries[at]
	t.free = e.free
	e.object, e.free = object, 0
	return e.use<<placeBits | at
}

// At is the object that the host knows by rep.
func (t *Table[T]) At(rep uint32) *T {
	if at := rep % places; at < uint32(len(t.entries)) {
		if e := &t.entries[at]; e.use<<placeBits|at == rep && e.object != nil {
			return e.object
		}
	}
	return t.gone()
}

//go:noinline
func (t *Table[T]) gone() *T { panic("undergo: this handle of a " + t.name + " has ended") }

// Remove ends a handle of the object that the host knows by rep. last says that it was
// the last one, where that matters.
func (t *Table[T]) Remove(rep uint32) (object *T, last bool) {
	object = t.At(rep)
	at := rep % places
	e := &t.entries[at]
	e.object = nil
	e.use++
	e.free, t.free = t.free, at+1
	given--
	if t.holders == nil {
		return object, false
	}
	if t.holders[object]--; t.holders[object] > 0 {
		return object, false
	}
	delete(t.holders, object)
	return object, true
}
