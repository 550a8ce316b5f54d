//go:build go1.24

// Package outgoing sends HTTP by WASI's package http, in components.
package outgoing

import (
	"net/http"

	"github.com/undergo-dev/undergo/go-guest-sdk/internal/wasi"
)

// A Transport sends requests by the host, which decides what may be reached. The zero value is
// ready:
//
//	client := &http.Client{Transport: outgoing.Transport{}}
//
// or, for all of a program, in an init function:
//
//	http.DefaultTransport = outgoing.Transport{}
//
// The context of a request ends what waits for it. Connections are the host's business, proxies as
// well, and so is the header Host, which is that of the URL. Compressed responses are given as they
// are. Outside of a component nothing is sent.
type Transport struct{}

var _ http.RoundTripper = Transport{}

// headerOf is the header of a request as the host takes it.
func headerOf(r *http.Request) http.Header {
	header := r.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	for name := range header {
		if wasi.OfConnection(name) || name == "Host" || name == "Content-Length" {
			delete(header, name)
		}
	}
	return header
}
