// Package site is an HTTP server as any other, for a program and a plugin to have the same.
package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Serve answers requests until one asks it to stop, and gives how many it has answered besides.
func Serve(ln net.Listener) (int64, error) {
	var answered atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		answered.Add(1)
		fmt.Fprintf(w, "hello %s\n", r.PathValue("name"))
	})
	mux.HandleFunc("GET /json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"answered": answered.Add(1), "method": r.Method, "header": r.Header})
	})
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		answered.Add(1)
		io.Copy(w, r.Body)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	stopped := make(chan error, 1)
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, answered.Load())
		go func() { stopped <- server.Shutdown(context.Background()) }()
	})
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return answered.Load(), err
	}
	return answered.Load(), <-stopped
}
