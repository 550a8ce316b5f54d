//go:build wasip1 && go1.24 && !undergo_component

package undergo

// Borrow refers to what the host has passed for the running call, at the end of which it
// ends the handle itself. The linker drops the import behind the function that would.
func Borrow(h uint32, _ func(uint32)) *Ref { return borrow(h, nil) }
