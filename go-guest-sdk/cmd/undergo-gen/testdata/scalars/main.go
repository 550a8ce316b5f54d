package main

import "time"

type Celsius float64

type Flag bool

//undergo:export
func All(a bool, b int8, c int16, d int32, e int64, f uint8, g uint16, h uint32, i uint64, j float32, k float64) {
}

//undergo:export
func Words(a int, b uint) (int, uint) { return a, b }

//undergo:export
func Rune(r rune, b byte) rune { return r }

//undergo:export
func Named(c Celsius, f Flag) Celsius { return c }

//undergo:export
func Not(f Flag) Flag { return !f }

// String takes `backquotes` and "quotes".
//
//undergo:export
func String(s string) string { return s }

//undergo:export
func Unnamed(int32, string) {}

//undergo:export
func Times(t time.Time, d time.Duration) (time.Time, time.Duration) { return t, d }

//undergo:export renamed-here
func Renamed() {}

func main() {}
