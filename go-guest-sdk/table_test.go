package undergo

import (
	"math/rand/v2"
	"strings"
	"testing"
)

type thing struct{ n int }

// fails gives the text of the panic of f.
func fails(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

func TestTable(t *testing.T) {
	before, _ := Handles()
	table := NewCountingTable[thing]("Thing")
	a, b := &thing{1}, &thing{2}
	first, second, again := table.Add(a), table.Add(b), table.Add(a)
	if table.At(first) != a || table.At(second) != b || table.At(again) != a || first == again {
		t.Fatal("objects are mixed up")
	}
	if n, _ := Handles(); n-before != 3 {
		t.Errorf("%d handles, want 3", n-before)
	}
	if got, last := table.Remove(first); got != a || last {
		t.Error("an object with another handle has ended")
	}
	if got, last := table.Remove(again); got != a || !last {
		t.Error("an object without handles lives on")
	}
	if got, last := table.Remove(second); got != b || !last {
		t.Error("an object without handles lives on")
	}
	if n, _ := Handles(); n != before {
		t.Errorf("%d handles are left", n-before)
	}
	for _, rep := range []uint32{first, second, again, first + 1<<placeBits<<1, 7, 1<<32 - 1} {
		want := "undergo: this handle of a Thing has ended"
		if got := fails(func() { table.At(rep) }); got != want {
			t.Errorf("At(%#x): %q", rep, got)
		}
		if got := fails(func() { table.Remove(rep) }); got != want {
			t.Errorf("Remove(%#x): %q", rep, got)
		}
	}
}

// A handle that has ended is not taken for a later one in its place.
func TestStale(t *testing.T) {
	table := NewTable[thing]("Thing")
	var stale []uint32
	for i := range 500 {
		rep := table.Add(&thing{i})
		for _, old := range stale {
			if rep == old {
				t.Fatalf("%#x was given twice", rep)
			}
		}
		table.Remove(rep)
		stale = append(stale, rep)
	}
	current := table.Add(&thing{})
	for _, old := range stale {
		if got := fails(func() { table.At(old) }); !strings.HasSuffix(got, "has ended") {
			t.Fatalf("%#x is still known: %q", old, got)
		}
	}
	table.At(current)
	if len(table.entries) != 1 {
		t.Errorf("%d places for one object", len(table.entries))
	}
}

// TestTableAtRandom compares a table with a map.
func TestTableAtRandom(t *testing.T) {
	table, known := NewCountingTable[thing]("Thing"), map[uint32]*thing{}
	rng := rand.New(rand.NewPCG(1, 2))
	objects := make([]*thing, 20)
	for i := range objects {
		objects[i] = &thing{i}
	}
	for range 100_000 {
		if len(known) < 50 && rng.IntN(2) == 0 {
			object := objects[rng.IntN(len(objects))]
			rep := table.Add(object)
			if known[rep] != nil {
				t.Fatalf("%#x is given already", rep)
			}
			known[rep] = object
			continue
		}
		for rep, object := range known {
			delete(known, rep)
			others := 0
			for _, other := range known {
				if other == object {
					others++
				}
			}
			if got, last := table.Remove(rep); got != object || last != (others == 0) {
				t.Fatalf("Remove(%#x): %v, %t; %d others", rep, got, last, others)
			}
			break
		}
	}
}
