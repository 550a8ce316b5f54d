package main

import "strconv"

// A Store has texts. The host implements it; ../README.md says what it does.
//
//undergo:resource import
type Store interface {
	// Get is the text kept under key.
	Get(key string) (string, error)
	// Put keeps a text.
	Put(key, value string)
	// Size says how many there are.
	Size() int64
	// Child is a store with one text, its name.
	Child(name string) Store
}

// StoreGet is the text kept under key.
//
//undergo:export
func StoreGet(s Store, key string) (string, error) { return s.Get(key) }

// StorePut keeps a text.
//
//undergo:export
func StorePut(s Store, key, value string) { s.Put(key, value) }

// CopyTexts copies texts from one to the other, and says how many that has then.
//
//undergo:export
func CopyTexts(from, to Store, keys []string) (int64, error) {
	for i, k := range keys {
		text, err := from.Get(k)
		if err != nil {
			return 0, err
		}
		to.Put(k+strconv.Itoa(i), text)
	}
	return to.Size(), nil
}

// SumSizes adds up how many texts are in all of them.
//
//undergo:export
func SumSizes(all []Store, one *Store) int64 {
	var sum int64
	for _, s := range all {
		sum += s.Size()
	}
	if one != nil {
		sum += (*one).Size()
	}
	return sum
}

// ChildOfStore has a store make another.
//
//undergo:export
func ChildOfStore(s Store, name string) (string, error) {
	child := s.Child(name)
	child.Child(name+"'s child").Put("a", "b")
	return child.Get("name")
}

// ChildrenOfStore has a store make n others, and lets go of them.
//
//undergo:export
func ChildrenOfStore(s Store, n int32) int64 {
	var sum int64
	for range n {
		sum += s.Child("child").Size()
	}
	return sum
}

// A Cupboard has stores in it.
type Cupboard struct {
	Name   string
	Main   Store
	Others []Store
	Spare  Store `undergo:",optional"`
}

// SizeOfCupboard adds up how many texts are in all of its stores.
//
//undergo:export
func SizeOfCupboard(c Cupboard) int64 {
	sum := c.Main.Size()
	for _, s := range c.Others {
		sum += s.Size()
	}
	if c.Spare != nil {
		sum += c.Spare.Size()
	}
	return sum
}

var keptStore Store

// KeepStore keeps s.
//
//undergo:export
//undergo:keep s
func KeepStore(s Store) { keptStore = s }

// KeepStoreWrongly keeps s, and does not say so.
//
//undergo:export
func KeepStoreWrongly(s Store) { keptStore = s }

// KeptGet is a text of the store that was kept.
//
//undergo:export
func KeptGet(key string) (string, error) { return keptStore.Get(key) }

// DropStore lets go of the store that was kept.
//
//undergo:export
func DropStore() { keptStore = nil }

// Save writes where the tally stands into s.
//
//undergo:export
func (t *Tally) Save(s Store, key string) { s.Put(key, strconv.FormatInt(t.value, 10)) }
