package main

type Tags []string

type Matrix [][]float64

type Grid [2][3]int32

type Hash [32]byte

type ID uint16

//undergo:export
func Bytes(b []byte) []byte { return b }

//undergo:export
func Numbers(a []int32, b []ID) []float64 { return nil }

//undergo:export
func Strings(v []string) Tags { return v }

//undergo:export
func Nested(m Matrix, g Grid) (Matrix, Grid) { return m, g }

//undergo:export
func Sum(b []byte) Hash { return Hash{} }

//undergo:export
func Maps(m map[string]int64, n map[ID]Tags, o map[bool]map[int8]string) map[string]int64 { return m }

//undergo:export
func Spilled(a, b, c, d, e, f, g, h Tags, i int64) Tags { return a }

func main() {}
