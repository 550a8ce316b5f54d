package main

//undergo:enum
type None int

//undergo:enum
type Float float64

//undergo:enum
type Record struct{ X int }

//undergo:enum
type Same int

const (
	SameA Same = 1
	SameB Same = 1
)

//undergo:enum
type Name string

const (
	NameIt  Name = "a"
	Name_it Name = "b"
	NameÄ   Name = "c"
)

//undergo:enum extra
type Extra int

const ExtraOne Extra = 1

//undergo:export
func Use(n None, f Float, s Same, m Name) {}

func main() {}
