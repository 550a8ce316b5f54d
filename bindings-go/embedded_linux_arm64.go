//go:build !undergo_system && !undergo_cgo

package undergo

import platform "github.com/undergo-dev/undergo/bindings-go/lib/linux_arm64"

// embedded is the library of this platform.
var embedded = platform.Packed
