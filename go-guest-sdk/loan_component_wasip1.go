//go:build wasip1 && go1.24 && undergo_component

package undergo

// Borrow refers to what the host has passed for the running call. The component gives it
// back by drop before it returns, else the engine ends the call. Nothing of the host's runs
// then, and no other goroutine.
func Borrow(h uint32, drop func(uint32)) *Ref { return borrow(h, drop) }
