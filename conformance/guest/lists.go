package main

// EchoStrings returns v.
//
//undergo:export
func EchoStrings(v []string) []string { return v }

// EchoStringLists returns v.
//
//undergo:export
func EchoStringLists(v [][]string) [][]string { return v }

// EchoBools returns v.
//
//undergo:export
func EchoBools(v []bool) []bool { return v }

// EchoInt8s returns v.
//
//undergo:export
func EchoInt8s(v []int8) []int8 { return v }

// EchoInt16s returns v.
//
//undergo:export
func EchoInt16s(v []int16) []int16 { return v }

// EchoInt32s returns v.
//
//undergo:export
func EchoInt32s(v []int32) []int32 { return v }

// EchoInt64s returns v.
//
//undergo:export
func EchoInt64s(v []int64) []int64 { return v }

// EchoUint16s returns v.
//
//undergo:export
func EchoUint16s(v []uint16) []uint16 { return v }

// EchoUint32s returns v.
//
//undergo:export
func EchoUint32s(v []uint32) []uint32 { return v }

// EchoUint64s returns v.
//
//undergo:export
func EchoUint64s(v []uint64) []uint64 { return v }

// EchoFloat32s returns v.
//
//undergo:export
func EchoFloat32s(v []float32) []float32 { return v }

// EchoFloat64s returns v.
//
//undergo:export
func EchoFloat64s(v []float64) []float64 { return v }

// EchoBlobs returns v.
//
//undergo:export
func EchoBlobs(v [][]byte) [][]byte { return v }

// EchoTriple returns v.
//
//undergo:export
func EchoTriple(v [3]int32) [3]int32 { return v }

// EchoNames returns v.
//
//undergo:export
func EchoNames(v [2]string) [2]string { return v }

// EchoTriples returns v.
//
//undergo:export
func EchoTriples(v [][3]int32) [][3]int32 { return v }

// SumFloat64s is the sum of v.
//
//undergo:export
func SumFloat64s(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum
}

// AppendInt32 appends to v, and then writes to what it appended to.
//
//undergo:export
func AppendInt32(v []int32, x int32) ([]int32, []int32) {
	w := append(v, x)
	w[0] = x
	return v, w
}

// NoStrings returns a nil slice.
//
//undergo:export
func NoStrings() []string { return nil }

// EchoCounts returns v.
//
//undergo:export
func EchoCounts(v map[string]int64) map[string]int64 { return v }

// EchoLabels returns v.
//
//undergo:export
func EchoLabels(v map[int32]string) map[int32]string { return v }

// EchoPalettes returns v.
//
//undergo:export
func EchoPalettes(v map[string][]Color) map[string][]Color { return v }

// EchoFlags returns v.
//
//undergo:export
func EchoFlags(v map[bool]map[string]Point) map[bool]map[string]Point { return v }
