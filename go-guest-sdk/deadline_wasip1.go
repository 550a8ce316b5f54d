//go:build wasip1 && go1.24 && !undergo_component

package undergo

// The linker drops this import from plugins without a context.Context.
//
//go:wasmimport undergo:go/context deadline
func deadline() int64
