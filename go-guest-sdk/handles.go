//go:build go1.24

package undergo

var given, taken int

// Handles says how many handles there are now: those that the host has of the plugin's
// objects, and those that the plugin has of what the host implements. Tests find leaks
// with it.
func Handles() (ofPlugin, ofHost int) { return given, taken }
