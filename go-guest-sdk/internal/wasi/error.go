//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"fmt"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:http/types@0.2.0 http-error-code
func httpErrorCode(err uint32, ret unsafe.Pointer)

// The codes that the SDK gives itself.
const (
	connectionTerminated = 7
	internalError        = 38
)

// codes are the cases of error-code, in their order.
var codes = [...]string{
	"DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable", "destination-IP-prohibited",
	"destination-IP-unroutable", "connection-refused", "connection-terminated", "connection-timeout", "connection-read-timeout",
	"connection-write-timeout", "connection-limit-reached", "TLS-protocol-error", "TLS-certificate-error", "TLS-alert-received",
	"HTTP-request-denied", "HTTP-request-length-required", "HTTP-request-body-size", "HTTP-request-method-invalid",
	"HTTP-request-URI-invalid", "HTTP-request-URI-too-long", "HTTP-request-header-section-size", "HTTP-request-header-size",
	"HTTP-request-trailer-section-size", "HTTP-request-trailer-size", "HTTP-response-incomplete",
	"HTTP-response-header-section-size", "HTTP-response-header-size", "HTTP-response-body-size",
	"HTTP-response-trailer-section-size", "HTTP-response-trailer-size", "HTTP-response-transfer-coding",
	"HTTP-response-content-coding", "HTTP-response-timeout", "HTTP-upgrade-failed", "HTTP-protocol-error", "loop-detected",
	"configuration-error", "internal-error",
}

// A Code is an error of HTTP, as WASI has it.
type Code struct {
	Name   string // of its case
	Detail string // what is known besides, if anything
}

func (c *Code) Error() string {
	if c.Detail == "" {
		return c.Name
	}
	return c.Name + ": " + c.Detail
}

// code is the error-code at offset of the result of a call.
func code(args undergo.Args, offset uintptr) *Code {
	n, payload := byteAt(offset), offset+8
	if int(n) >= len(codes) {
		args.Release()
		return &Code{Name: fmt.Sprintf("error %d", n)}
	}
	c := &Code{Name: codes[n]}
	switch c.Name {
	case "DNS-error":
		has, info := byteAt(payload+12) != 0, shortAt(payload+14)
		c.Detail, _ = optional(args, payload)
		if has {
			c.Detail += fmt.Sprintf(" (%d)", info)
		}
	case "TLS-alert-received":
		has, id := byteAt(payload) != 0, byteAt(payload+1)
		c.Detail, _ = optional(args, payload+4)
		if has {
			c.Detail += fmt.Sprintf(" (%d)", id)
		}
	case "HTTP-response-transfer-coding", "HTTP-response-content-coding", "internal-error":
		c.Detail, _ = optional(args, payload)
	case "HTTP-request-body-size", "HTTP-response-body-size":
		if byteAt(payload) != 0 {
			c.Detail = fmt.Sprintf("%d bytes", longAt(payload+8))
		}
		args.Release()
	case "HTTP-request-header-size":
		if byteAt(payload) != 0 {
			c.Detail, _ = optional(args, payload+4)
		} else {
			args.Release()
		}
	case "HTTP-request-trailer-size", "HTTP-response-header-size", "HTTP-response-trailer-size":
		c.Detail, _ = optional(args, payload)
	default:
		args.Release()
	}
	return c
}

// codeOf is what is known of an error of a stream as one of HTTP, or nil.
func codeOf(err uint32) error {
	call := undergo.Begin()
	httpErrorCode(err, ret)
	args := call.End()
	if byteAt(0) == 0 {
		args.Release()
		return nil
	}
	return code(args, 8)
}
