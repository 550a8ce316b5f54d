//go:build go1.24

// Package wasi has what the SDK uses of WASI 0.2, by the canonical ABI: streams, waiting, and
// HTTP. It exists where it can run, in components.
//
// Handles are those of the Component Model: whoever has one drops it, children before parents.
// What a call of the host returns lies in one place for all of them, and is taken from there
// before anything that may let other goroutines run: an allocation, or a wait.
package wasi
