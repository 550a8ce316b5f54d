// The same functions as a native C shared library, for ctypes.
package main

// #include <stdlib.h>
import "C"

//export Add
func Add(a, b int32) int32 { return a + b }

// EchoString takes a C string and returns a new one, which the caller frees.
//
//export EchoString
func EchoString(s *C.char) *C.char { return C.CString(C.GoString(s)) }

func main() {}
