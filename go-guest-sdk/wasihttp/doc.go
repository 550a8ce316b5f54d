//go:build go1.24

// Package wasihttp serves HTTP by WASI's package http: plain handlers of net/http answer the
// requests that a host of components gets. Package outgoing, within it, sends requests.
//
//	func init() {
//		mux := http.NewServeMux()
//		mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
//			fmt.Fprintf(w, "Hello %s\n", r.PathValue("name"))
//		})
//		wasihttp.Serve(mux)
//	}
//
//	func main() {}
//
// It is built by 'undergo build --component', and then runs wherever the world wasi:http/proxy
// does. Elsewhere [Serve] does nothing but to keep the handler, so that a package which uses it
// can be tested as it is.
//
// A handler is called as a server of net/http calls it, with these differences:
//
//   - An instance has one request at a time; a host has several instances. Goroutines run while
//     a handler waits, and stand still between requests.
//   - The context of a request ends when its handler returns, and when the other end takes no
//     more of the response. It has no deadline: where the host has one, that ends the instance.
//   - A panic is answered with status 500, as long as nothing else was, and logged with its
//     traceback.
//   - RemoteAddr is empty, and connections can't be hijacked: nobody says where a request is
//     from, or has a connection.
//   - Headers that are about a connection, such as Connection and Transfer-Encoding, are the
//     host's business: they are left out of responses. Informational responses (1xx) are, too.
package wasihttp

import "net/http"

var handler http.Handler

// Serve has h answer the requests that come in; nil is [http.DefaultServeMux]. It is called once,
// by an init function or the initializer of a variable, since main does not run, and returns at
// once.
func Serve(h http.Handler) {
	if handler != nil {
		panic("wasihttp: Serve was called twice")
	}
	if h == nil {
		h = http.DefaultServeMux
	}
	handler = h
}
