//go:build go1.24

// Package stream carries streams of bytes between a plugin and its host, for the
// generated code: those of the host as an io.Reader or io.Writer ([Reader],
// [Writer]), and those of Go for the host ([Source], [Sink]). Nothing in it needs
// WebAssembly.
package stream

import "errors"

const (
	// chunk is the most bytes that cross in one call. A call costs a microsecond or
	// two, and to copy this much ten times as long.
	chunk = 256 << 10

	// firstChunk is the room that a copy begins with: most are of little.
	firstChunk = 16 << 10

	// mostEmptyReads is how often in a row a reader may give nothing, and no error.
	mostEmptyReads = 100
)

var (
	errClosed = errors.New("the stream is closed")
	errBusy   = errors.New("the stream is in use: a call of it has not returned")
	errRead   = errors.New("the stream's Read returned an impossible number of bytes")
	errWrite  = errors.New("the stream's Write returned an impossible number of bytes")
)
