//go:build go1.24

package iterator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// numbers is a source of the numbers below n. It notes how many were asked for.
func numbers(n int, asked *[]uint32) *Source[int] {
	next := 0
	return NewSource(func(most uint32) ([]int, bool) {
		*asked = append(*asked, most)
		var items []int
		for len(items) < int(most) && next < n {
			items = append(items, next)
			next++
		}
		return items, next == n
	})
}

func drain[T any](s *Source[T]) {
	for range s.All {
	}
}

func TestBatchesGrow(t *testing.T) {
	var asked []uint32
	s := numbers(1000, &asked)
	s.elapsed = func(time.Time) time.Duration { return 0 }
	if got := slices.Collect(s.All); len(got) != 1000 || got[999] != 999 {
		t.Errorf("got %d items", len(got))
	}
	if want := []uint32{1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v", asked)
	}
}

func TestSlowBatchesShrink(t *testing.T) {
	var asked []uint32
	s := numbers(20, &asked)
	s.elapsed = func(time.Time) time.Duration {
		if len(asked) == 3 {
			return time.Second
		}
		return 0
	}
	drain(s)
	if want := []uint32{1, 2, 4, 1, 2, 4, 8}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v", asked)
	}
}

// A host that gives fewer items than were asked for does not have more of them ready.
func TestShortBatchesDoNotGrow(t *testing.T) {
	var asked []uint32
	s := NewSource(func(most uint32) ([]int, bool) {
		asked = append(asked, most)
		return []int{1}, len(asked) == 5
	})
	s.elapsed = func(time.Time) time.Duration { return 0 }
	drain(s)
	if want := []uint32{1, 2, 2, 2, 2}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v", asked)
	}
}

func TestLoopsShareTheSource(t *testing.T) {
	var asked []uint32
	s := numbers(10, &asked)
	var got []int
	for v := range s.All {
		got = append(got, v)
		if v == 3 {
			break
		}
	}
	for v := range s.All {
		got = append(got, v)
		for v := range s.All {
			got = append(got, -v)
			if v%2 == 0 {
				break
			}
		}
	}
	if want := []int{0, 1, 2, 3, 4, -5, -6, 7, -8, 9}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for range s.All {
		t.Error("an item behind the end")
	}
}

func TestSourceOfNothing(t *testing.T) {
	var asked []uint32
	if got := slices.Collect(numbers(0, &asked).All); len(got) != 0 || len(asked) != 1 {
		t.Errorf("got %v after %v", got, asked)
	}
}

func TestSourceOfPairs(t *testing.T) {
	s := NewSource2(func(uint32) ([]Pair[int, string], bool) { return []Pair[int, string]{{1, "a"}, {2, "b"}}, true })
	var got []string
	for k, v := range s.All {
		got = append(got, fmt.Sprint(k, v))
	}
	if want := []string{"1a", "2b"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestSourceAskedFromWithin(t *testing.T) {
	var s *Source[int]
	s = NewSource(func(uint32) ([]int, bool) {
		drain(s)
		return nil, true
	})
	if text := panics(t, func() { drain(s) }); !strings.Contains(text, "while it makes one") {
		t.Error(text)
	}
}
