// Command server is an HTTP server as any other: it says where it listens on its standard output, and ends when it is asked to. It is compiled for
// WebAssembly and for the machine itself, to be compared.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

func listen(address string, fd uintptr) (net.Listener, error) {
	if fd == 0 {
		return net.Listen("tcp", address)
	}
	file := os.NewFile(fd, "listener")
	defer file.Close()
	return net.FileListener(file)
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "the `address` to listen at")
	fd := flag.Uint("fd", 0, "the `descriptor` of a listener that is there already, instead")
	flag.Parse()
	ln, err := listen(*address, uintptr(*fd))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ln.Addr())
	var answered atomic.Int64
	server := &http.Server{ReadHeaderTimeout: time.Minute}
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
	stopped := make(chan error, 1)
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, answered.Load())
		go func() { stopped <- server.Shutdown(context.Background()) }()
	})
	server.Handler = mux
	if err := server.Serve(ln); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	if err := <-stopped; err != nil {
		log.Fatal(err)
	}
}
