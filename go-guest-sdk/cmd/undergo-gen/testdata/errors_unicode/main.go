package main

// Übersetze has no name for WIT.
//
//undergo:export
func Übersetze(wort string) string { return wort }

//undergo:export übersetze
func Named() {}

//undergo:import files
var Öffne func(name string) string

//undergo:import 文件 open
var Open func(name string) string

type Größe struct{ X int }

type Fine struct {
	Größe int
	Ñame  int `json:"ñame"`
}

//undergo:enum
type Color int

const (
	ColorRed Color = iota
	ColorGrün
)

//undergo:export
func Use(g Größe, f Fine, größe int, c Color) {}

func main() {}
