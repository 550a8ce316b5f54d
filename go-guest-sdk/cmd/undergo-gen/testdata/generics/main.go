package main

import "time"

// A Pair has two values.
type Pair[A, B any] struct {
	First  A // the first one
	Second B
}

// A Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  *Page2[T]
}

type Page2[T any] struct{ Token string }

type User struct{ Name string }

type List[T any] []T

//undergo:export
func Swap(p Pair[int, string]) Pair[string, int] { return Pair[string, int]{p.Second, p.First} }

//undergo:export
func Users(p Page[User]) Page[Pair[string, *User]] { return Page[Pair[string, *User]]{} }

//undergo:export
func Twice(a, b Pair[int, string], c List[int]) List[Pair[int, string]] { return nil }

//undergo:export
func Times(p Pair[time.Duration, []map[string]time.Time]) Pair[uint8, uint8] {
	return Pair[uint8, uint8]{}
}

func main() {}
