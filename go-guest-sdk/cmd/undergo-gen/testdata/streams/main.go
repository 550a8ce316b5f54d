package main

import "io"

// Copy copies r to w.
//
//undergo:export
func Copy(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) }

// Upper reads a stream of the host as one of the plugin's, and keeps it.
//
//undergo:export
//undergo:keep r
func Upper(r io.ReadCloser) (io.ReadCloser, error) { return r, nil }

// Tee gives a stream to write to.
//
//undergo:export
//undergo:keep a b
func Tee(a, b io.WriteCloser) io.Writer { return nil }

// Open gives both.
//
//undergo:export
func Open(name string) (io.Reader, io.WriteCloser, error) { return nil, nil, nil }

// Reader is a name that streams have.
type Reader struct{ Name string }

// Named takes a Reader and a reader.
//
//undergo:export
func Named(r Reader, from io.Reader) Reader { return r }

// Failed is an error with a field, which streams don't have.
//
//undergo:error
type Failed struct{ Code int }

func (Failed) Error() string { return "" }

// A File is an object with streams.
//
//undergo:resource
type File struct{}

// Lines are read from it.
//
//undergo:export
func (f *File) Lines() io.Reader { return nil }

// Append writes to it.
//
//undergo:export
func (f *File) Append(r io.Reader) error { return nil }

func main() {}
