package hidden

//undergo:export
func visible() {}

//undergo:resource
type doc struct{}

//undergo:export
func (d *doc) Title() string { return "" }

//undergo:resource
type Shown struct{}

//undergo:export
func (s *Shown) title() string { return "" }

//undergo:export
func NewShown() Shown { return Shown{} }

//undergo:resource import
type store interface{ Get() string }

//undergo:enum
type Color int

const (
	Red   Color = 1
	green Color = 2
)

//undergo:variant
type Shape interface{ isShape() }

type Circle float64
type square float64

func (Circle) isShape() {}
func (square) isShape() {}

//undergo:export
func Use(c Color, s Shape, d *doc, x secret) {}

type secret int

//undergo:export
func Chan(c chan int) {}

//undergo:import host
var Ignored func()

//undergo:expotr
func Misspelled() {}
