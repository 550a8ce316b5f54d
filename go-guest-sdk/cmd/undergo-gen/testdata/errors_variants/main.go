package main

//undergo:variant
type Number int

//undergo:variant
type Anything interface{}

//undergo:variant
type Set interface{ ~int | ~string }

//undergo:variant
type Of[T any] interface{ isOf(T) }

//undergo:variant
type Nobody interface{ isNobody() }

//undergo:variant Round Square Missing Round Other Alias
type Shape interface{ isShape() }

type Round struct{ Radius float64 }
type Square struct{ Side float64 }
type Other struct{ X int }
type Alias = Round
type Forgotten int

func (Round) isShape()      {}
func (*Square) isShape()    {}
func (Forgotten) isShape()  {}
func (Other) isShape(n int) {}

//undergo:variant
type Expr interface{ isExpr() }

type Literal float64
type Add struct{ Left, Right Expr }
type Call struct{ Args []Expr }

func (Literal) isExpr() {}
func (Add) isExpr()     {}
func (Call) isExpr()    {}

//undergo:variant
type Odd interface{ isOdd() }

type Stream chan int
type Hidden struct{ x int }
type Box[T any] struct{ X T }
type URL struct{ X int }
type Url struct{ X int }
type Ärger struct{ X int }

func (Stream) isOdd() {}
func (Hidden) isOdd() {}
func (Box[T]) isOdd() {}
func (URL) isOdd()    {}
func (Url) isOdd()    {}
func (Ärger) isOdd()  {}

type Tagged struct {
	N int    `undergo:",optional"`
	M int    `undergo:"m,sometimes"`
	S Shape  `undergo:",optional"`
	P *Shape `json:",omitempty"`
}

//undergo:variant
func Misplaced() {}

//undergo:variant

//undergo:export
func Use(e Expr, o Odd, t Tagged, k map[Expr]int, n Nobody) {}

func main() {}
