//go:build undergo_cgo && !cgo

package linked

// Find is nowhere without cgo, as the compiler says by this name.
func Find(string) uintptr { return the_tag_undergo_cgo_needs_CGO_ENABLED_1_and_a_C_compiler }
