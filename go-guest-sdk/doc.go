//go:build go1.24

// Package undergo is the runtime of Undergo plugins: Go programs, compiled to
// WebAssembly, whose functions other languages call as if they were their own.
//
// A plugin is a package main with directives in its doc comments:
//
//	//go:generate go run github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen
//
//	// Greet says hello to p.
//	//
//	//undergo:export
//	func Greet(p Person, shout bool) (string, error) { ... }
//
// undergo-gen writes the glue that carries the calls. Plugin authors need
// [Yield] at most; everything else here serves that generated code, exists only
// where it can run (GOOS=wasip1), and follows docs/abi.md of the project, which
// is the contract with the host.
package undergo

import "runtime"

// Version is the version of the module, of its generator, and of the glue that
// the generator writes.
const Version = "0.1.0"

// Yield lets the other goroutines of the plugin run. Goroutines run only during
// a call from the host, so a long computation that shares work with them calls
// Yield now and then. It does nothing where no other goroutine is runnable.
func Yield() { runtime.Gosched() }
