package main

import (
	"io"
	"iter"
	"os"
)

//undergo:export
func Failing() iter.Seq2[int, error] { return nil }

//undergo:export
func Errors(xs iter.Seq[error]) {}

//undergo:export
func Nested(xs []iter.Seq[int]) []io.Reader { return nil }

type Record struct {
	Items iter.Seq[int]
	From  io.Reader
}

//undergo:export
func Within(r Record) {}

//undergo:export
func Unfit(xs iter.Seq[chan int], ys iter.Seq2[int, struct{ X int }]) {}

//undergo:export
func Both(rw io.ReadWriter) io.ReadWriteCloser { return nil }

//undergo:export
func Anywhere(r io.ReadSeeker, at io.ReaderAt) {}

//undergo:export
func File() *os.File { return nil }

//undergo:export
func Channel(c chan int) {}

//undergo:export
func Callback(f func(xs iter.Seq[int]) io.Reader) {}

//undergo:import host
var Items func(xs iter.Seq[int]) iter.Seq[int]

//undergo:import host
var Stream func(r io.Reader) io.Reader

//undergo:export
func Iterators(xs iter.Seq[iter.Seq[int]]) {}

func main() {}
