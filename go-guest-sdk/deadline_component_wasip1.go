//go:build wasip1 && go1.24 && undergo_component

package undergo

// deadline says that there is none: a component imports only what its world has, and no
// world has this.
func deadline() int64 { return -1 }
