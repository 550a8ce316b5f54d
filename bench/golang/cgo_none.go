//go:build !cgo

package main

const hasCgo = false

func cgoNumbers(int32) int64 { return 0 }

func cgoTexts(int32) int64 { return 0 }
