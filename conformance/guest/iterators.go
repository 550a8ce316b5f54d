package main

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"time"
)

// ended counts the functions of iterators that have returned.
var ended int32

// Ended is how many functions of iterators have returned since the last call.
//
//undergo:export
func Ended() int32 {
	n := ended
	ended = 0
	return n
}

// Goroutines is how many there are.
//
//undergo:export
func Goroutines() int32 { return int32(runtime.NumGoroutine()) }

// upTo gives the numbers below n, and end behind them, whatever ends them.
func upTo(n int64, end func()) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		defer func() { ended++ }()
		for i := range n {
			if !yield(i) {
				return
			}
		}
		end()
	}
}

func nothing() {}

// Numbers gives the numbers below n.
//
//undergo:export
func Numbers(n int64) iter.Seq[int64] { return upTo(n, nothing) }

// CountForever never ends.
//
//undergo:export
func CountForever() iter.Seq[int64] { return upTo(1<<62, nothing) }

// CountOr gives the numbers below n, or fails if that is negative.
//
//undergo:export
func CountOr(n int64) (iter.Seq[int64], error) {
	if n < 0 {
		return nil, errors.New("cannot count to a negative number")
	}
	return Numbers(n), nil
}

// CountThenPanic panics behind the numbers below n.
//
//undergo:export
func CountThenPanic(n int64, msg string) iter.Seq[int64] {
	return upTo(n, func() { panic(msg) })
}

// CountThenExit ends its goroutine behind the numbers below n.
//
//undergo:export
func CountThenExit(n int64) iter.Seq[int64] { return upTo(n, runtime.Goexit) }

// CountSlowly sleeps for ms milliseconds before each of the numbers below n.
//
//undergo:export
func CountSlowly(n int64, ms int32) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := range Numbers(n) {
			time.Sleep(time.Duration(ms) * time.Millisecond)
			if !yield(i) {
				return
			}
		}
	}
}

// CountThroughHost gives the numbers below n, of which the host says each.
//
//undergo:export
func CountThroughHost(n int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := range Numbers(n) {
			if !yield(HostEchoInt(i)) {
				return
			}
		}
	}
}

// Fields gives the words of text.
//
//undergo:export
func Fields(text string) iter.Seq[string] { return strings.FieldsSeq(text) }

// Addresses gives n of them, every other one with a number.
//
//undergo:export
func Addresses(n uint32) iter.Seq[Address] {
	return func(yield func(Address) bool) {
		for i := range n {
			a := Address{Street: fmt.Sprint("s", i)}
			if i%2 == 1 {
				a.Zip = &i
			}
			if !yield(a) {
				return
			}
		}
	}
}

// DrawnShapes gives one of each sort.
//
//undergo:export
func DrawnShapes() iter.Seq[Shape] {
	return func(yield func(Shape) bool) {
		_ = yield(Circle{Radius: 1.5}) && yield(Label("c")) && yield(Empty{})
	}
}

// Entries gives n names with their numbers.
//
//undergo:export
func Entries(n int32) iter.Seq2[string, int32] {
	return func(yield func(string, int32) bool) {
		for i := range n {
			if !yield(fmt.Sprint("k", i), i) {
				return
			}
		}
	}
}

// Squares gives pairs that lie as they do in WIT.
//
//undergo:export
func Squares(n int32) iter.Seq2[int32, float64] {
	return func(yield func(int32, float64) bool) {
		for i := range n {
			if !yield(i, float64(i*i)) {
				return
			}
		}
	}
}

// NoIterator gives none.
//
//undergo:export
func NoIterator() iter.Seq[int64] { return nil }

// ColorsThenBad gives a color, and then none of them.
//
//undergo:export
func ColorsThenBad() iter.Seq[Color] {
	return func(yield func(Color) bool) { _ = yield(ColorRed) && yield(Color(77)) }
}

// Two gives two iterators.
//
//undergo:export
func Two(n int64) (iter.Seq[int64], iter.Seq[string]) { return Numbers(n), Fields("a b c") }

// SumItems adds up what xs gives.
//
//undergo:export
func SumItems(xs iter.Seq[int64]) int64 {
	var sum int64
	for x := range xs {
		sum += x
	}
	return sum
}

// JoinItems joins words, with sep in between.
//
//undergo:export
func JoinItems(words iter.Seq[string], sep string) string {
	var all []string
	for w := range words {
		all = append(all, w)
	}
	return strings.Join(all, sep)
}

// FirstItems are the first n of xs.
//
//undergo:export
func FirstItems(xs iter.Seq[int64], n int32) []int64 { return first(xs, int(n)) }

func first(xs iter.Seq[int64], n int) (items []int64) {
	for x := range xs {
		if items = append(items, x); len(items) >= n {
			break
		}
	}
	return items
}

// FirstAndRest loops over xs twice: n times, and then to the end.
//
//undergo:export
func FirstAndRest(xs iter.Seq[int64], n int32) (head, rest []int64) {
	head = first(xs, int(n))
	return head, first(xs, 1<<30)
}

// Interleave takes from a and b in turn, for as long as both have items.
//
//undergo:export
func Interleave(a, b iter.Seq[int64]) (items []int64) {
	next, stop := iter.Pull(b)
	defer stop()
	for x := range a {
		y, ok := next()
		if !ok {
			break
		}
		items = append(items, x, y)
	}
	return items
}

// CollectEntries makes a map of the entries.
//
//undergo:export
func CollectEntries(entries iter.Seq2[string, int32]) map[string]int32 {
	all := map[string]int32{}
	for k, v := range entries {
		all[k] += v
	}
	return all
}

// SumTriples adds up what each array has.
//
//undergo:export
func SumTriples(triples iter.Seq[[3]int32]) (sums []int32) {
	for t := range triples {
		sums = append(sums, t[0]+t[1]+t[2])
	}
	return sums
}

// DoubledItems doubles what xs gives, as it is asked for.
//
//undergo:export
//undergo:keep xs
func DoubledItems(xs iter.Seq[int64]) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for x := range xs {
			if !yield(2 * x) {
				return
			}
		}
	}
}

var lateItems, keptItems iter.Seq[int64]

// NoteItems notes xs for LateItems, although it ends with this call.
//
//undergo:export
func NoteItems(xs iter.Seq[int64]) { lateItems = xs }

// LateItems takes n items of what NoteItems was given.
//
//undergo:export
func LateItems(n int32) []int64 { return first(lateItems, int(n)) }

// KeepItems keeps xs for KeptItems.
//
//undergo:export
//undergo:keep xs
func KeepItems(xs iter.Seq[int64]) { keptItems = xs }

// KeptItems takes n items of what KeepItems was given.
//
//undergo:export
func KeptItems(n int32) []int64 { return first(keptItems, int(n)) }

// ForgetItems lets go of what KeepItems was given.
//
//undergo:export
func ForgetItems() {
	keptItems = nil
	runtime.GC()
}
