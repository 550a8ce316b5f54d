//go:build undergo_system

package undergo

// embedded is no library: the system has it.
var embedded string
