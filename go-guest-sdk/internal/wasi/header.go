//go:build go1.24

package wasi

import (
	"net/http"
	"strings"
)

// OfConnection says of a header that it is about a connection, which is the host's.
func OfConnection(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// Announced adds the names of trailers that a header announces.
func Announced(header http.Header, add func(name string)) {
	for _, list := range header["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			switch name = http.CanonicalHeaderKey(strings.TrimSpace(name)); name {
			case "", "Transfer-Encoding", "Content-Length", "Trailer":
			default:
				add(name)
			}
		}
	}
}
