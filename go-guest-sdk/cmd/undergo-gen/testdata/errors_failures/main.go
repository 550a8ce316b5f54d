package main

//undergo:error
type Code int

func (Code) Error() string { return "code" }

//undergo:error
type Silent struct{ X int }

//undergo:error
type Hidden struct{ x int }

func (Hidden) Error() string { return "hidden" }

//undergo:error
type Of[T any] struct{ X T }

func (Of[T]) Error() string { return "of" }

//undergo:error
type Text struct{ X int }

func (Text) Error() string { return "text" }

//undergo:error with
type Args struct{ X int }

func (Args) Error() string { return "args" }

//undergo:error
type Odd struct{ X chan int }

func (*Odd) Error() string { return "odd" }

type Error struct{ X int }

type GoError struct{ X int }

//undergo:error
type Fine struct{ X int }

func (*Fine) Error() string { return "fine" }

//undergo:error
func Misplaced() {}

//undergo:export
func Use(e Error, g GoError) error { return nil }

func main() {}
