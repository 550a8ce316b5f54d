package shared

type Pair[A, B any] struct {
	A A
	B B
}

type hidden int
