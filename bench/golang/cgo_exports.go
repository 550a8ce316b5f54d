//go:build cgo

package main

import "C"

//export goNumber
func goNumber(n int32) int32 { return n }

//export goText
func goText(text *C.char, length C.int) *C.char { return C.CString(C.GoStringN(text, length)) }
