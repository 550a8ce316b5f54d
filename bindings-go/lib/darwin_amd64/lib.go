// Package library has the shared library of Undergo for macOS on amd64, for the package undergo.
package library

import _ "embed"

// Compressed is the library, packed by gzip. It is empty in the project's repository, and comes
// with a release.
//
//go:embed libundergo.gz
var Compressed string
