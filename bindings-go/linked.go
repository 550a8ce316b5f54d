//go:build undergo_cgo

package undergo

import (
	"fmt"

	"github.com/undergo-dev/undergo/bindings-go/internal/linked"
)

// open gives what finds the functions of the library that the program is linked with.
func open() (find func(name string) (uintptr, error), from string, err error) {
	return func(name string) (uintptr, error) {
		if at := linked.Find(name); at != 0 {
			return at, nil
		}
		return 0, fmt.Errorf("%s is not linked", name)
	}, "what this program is linked with", nil
}
