// Package library has the shared library of Undergo for macOS on amd64, for the package undergo.
package library

import _ "embed"

// Packed is the library, as the package undergo unpacks it. It is empty in the project's
// repository, and comes with a release.
//
//go:embed libundergo.packed
var Packed string
