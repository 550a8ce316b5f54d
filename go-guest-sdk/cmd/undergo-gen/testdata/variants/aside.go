package main

// An Aside lies in an earlier file, and so is the first case.
type Aside struct {
	Text  string
	Wide  bool
	Large uint64
}

func (Aside) isShape() {}

// An alias is no type of its own.
type Other = Aside

// Another interface is no case, though it has the methods.
type Wider interface {
	isShape()
	More()
}
