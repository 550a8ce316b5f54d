//go:build go1.24

package iterator

import "time"

const (
	// furthest is the most items that are asked of the host at a time.
	furthest = 256
	// quickly is what the items of a batch may take together for the next one to
	// be larger.
	quickly = time.Millisecond
)

// A Source is an iterator of the host's. It reads ahead, since each batch costs a
// call of the host: one item at first, and twice as many as last time for as long
// as batches come quickly and whole.
//
// All loops over one source take their items from the same place: a second one goes
// on where the first was left. As with any iterator, it is for one goroutine at a
// time.
type Source[T any] struct {
	next    func(most uint32) (items []T, end bool)
	items   []T // the batch
	at      int // what of it was taken
	most    uint32
	end     bool
	waiting bool
	elapsed func(since time.Time) time.Duration
}

// NewSource is the source of what next gives, which is one to most items, and
// whether there are no more.
func NewSource[T any](next func(most uint32) (items []T, end bool)) *Source[T] {
	return &Source[T]{next: next, most: 1, elapsed: time.Since}
}

// A PairSource is a source of pairs.
type PairSource[K, V any] struct{ source *Source[Pair[K, V]] }

// NewSource2 is NewSource for pairs.
func NewSource2[K, V any](next func(most uint32) (items []Pair[K, V], end bool)) PairSource[K, V] {
	return PairSource[K, V]{NewSource(next)}
}

// All is an iter.Seq2.
func (s PairSource[K, V]) All(yield func(K, V) bool) {
	s.source.All(func(p Pair[K, V]) bool { return yield(p.Key, p.Value) })
}

// All is an iter.Seq.
func (s *Source[T]) All(yield func(T) bool) {
	for {
		for at := s.at; at < len(s.items); at = s.at {
			// Another loop may go on from here, within this one or after it.
			s.at = at + 1
			if !yield(s.items[at]) {
				return
			}
		}
		if s.end {
			return
		}
		s.fill()
	}
}

// fill asks the host for a batch.
func (s *Source[T]) fill() {
	if s.waiting {
		panic("undergo: an iterable of the host was asked for its next item while it makes one")
	}
	s.waiting = true
	began := time.Now()
	items, end := s.next(s.most)
	switch {
	case s.elapsed(began) > quickly:
		s.most = 1
	case uint32(len(items)) == s.most:
		s.most = min(2*s.most, furthest)
	}
	s.items, s.at, s.end, s.waiting = items, 0, end, false
}
