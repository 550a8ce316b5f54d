package main

//undergo:error
type Fine struct{ X int }

func (*Fine) Error() string { return "fine" }

type Error struct{ X int }

type GoError struct{ X int }

//undergo:export
func Use(e Error, g GoError) error { return nil }

//undergo:import go-error
var Ask func() error

func main() {}
