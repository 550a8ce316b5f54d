// A server for bench/serve.py, as a component.
package main

import (
	"fmt"
	"net/http"

	"github.com/undergo-dev/undergo/go-guest-sdk/wasihttp"
)

func init() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s\n", r.PathValue("name"))
	})
	wasihttp.Serve(mux)
}

func main() {}
