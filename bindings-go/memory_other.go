//go:build !linux && !undergo_cgo

package undergo

import "errors"

// memory is only there on Linux.
func (p packed) memory() (string, func(), error) { return "", nil, errors.ErrUnsupported }
