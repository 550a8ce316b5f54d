// App is the server of tools/test_serve.py: each path shows something that a handler may do.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/undergo-dev/undergo/go-guest-sdk/wasihttp"
	"github.com/undergo-dev/undergo/go-guest-sdk/wasihttp/outgoing"
)

// left is what the last request has left behind.
var left struct {
	body     io.ReadCloser
	response http.ResponseWriter
	ctx      context.Context
}

func init() {
	mux := http.NewServeMux()
	mux.HandleFunc("/request/{rest...}", request)
	mux.HandleFunc("POST /echo", echo)
	mux.HandleFunc("POST /sum", sum)
	mux.HandleFunc("GET /lines", lines)
	mux.HandleFunc("POST /goroutines", goroutines)
	mux.HandleFunc("POST /leave", leave)
	mux.HandleFunc("GET /left", readLeft)
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	mux.HandleFunc("GET /cut", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "part")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("GET /exit", func(http.ResponseWriter, *http.Request) { runtime.Goexit() })
	mux.HandleFunc("GET /hijack", hijack)
	mux.HandleFunc("GET /fetch", fetch)
	mux.HandleFunc("POST /press", press)
	mux.Handle("GET /late", http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}), 50*time.Millisecond, "too late\n"))
	mux.Handle("/proxy/", proxy())
	wasihttp.Serve(mux)
}

func request(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Two"] = []string{"a", "b"}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"method": r.Method, "path": r.URL.Path, "query": r.URL.Query(), "host": r.Host,
		"header": r.Header, "length": r.ContentLength, "rest": r.PathValue("rest"),
	})
}

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Copied")
	n, err := io.Copy(w, r.Body)
	w.Header().Set("X-Copied", fmt.Sprint(n, " ", err))
}

// sum gives how much was sent, and the trailers.
func sum(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	fmt.Fprint(w, n, " ", err, " ", r.Trailer.Get("X-Sum"))
}

func lines(w http.ResponseWriter, _ *http.Request) {
	for i := range 3 {
		fmt.Fprintln(w, i)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(150 * time.Millisecond)
	}
}

// goroutines go on while the handler waits for the body.
func goroutines(w http.ResponseWriter, r *http.Request) {
	ticks := make(chan int)
	stop := make(chan struct{})
	go func() {
		n := 0
		for {
			select {
			case <-time.After(5 * time.Millisecond):
				n++
			case <-stop:
				ticks <- n
				return
			}
		}
	}()
	_, _ = io.Copy(io.Discard, r.Body)
	close(stop)
	fmt.Fprint(w, <-ticks)
}

func leave(_ http.ResponseWriter, r *http.Request) {
	left.body, left.ctx = r.Body, r.Context()
}

func readLeft(w http.ResponseWriter, _ *http.Request) {
	if left.body == nil {
		fmt.Fprint(w, "nothing")
		return
	}
	_, err := left.body.Read(make([]byte, 1))
	fmt.Fprint(w, errors.Is(err, http.ErrBodyReadAfterClose), " ", left.ctx.Err())
}

func hijack(w http.ResponseWriter, _ *http.Request) {
	_, _, err := http.NewResponseController(w).Hijack()
	fmt.Fprint(w, errors.Is(err, http.ErrNotSupported))
}

var client = &http.Client{Transport: outgoing.Transport{}}

// fetch sends several requests at once.
func fetch(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	var all sync.WaitGroup
	answers := make([]string, 4)
	for i := range answers {
		all.Add(1)
		go func() {
			defer all.Done()
			answers[i] = fetchOne(ctx, r.URL.Query().Get("url"), fmt.Sprint("body ", i))
		}()
	}
	all.Wait()
	fmt.Fprint(w, strings.Join(answers, "\n"))
}

func fetchOne(ctx context.Context, url, body string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return fmt.Sprint(response.StatusCode, " ", string(text), " ", err)
}

// proxy passes requests on to the URL in a header.
func proxy() http.Handler {
	return &httputil.ReverseProxy{
		Transport: outgoing.Transport{},
		Rewrite: func(r *httputil.ProxyRequest) {
			into, err := url.Parse(r.In.Header.Get("X-Into"))
			if err == nil {
				r.SetURL(into)
			}
		},
	}
}

// press has the collector at work while bodies come and go.
func press(w http.ResponseWriter, r *http.Request) {
	kept := [][]byte{}
	buffer := make([]byte, 1000)
	for {
		n, err := r.Body.Read(buffer)
		kept = append(kept, append([]byte(nil), buffer[:n]...))
		if len(kept)%16 == 0 {
			runtime.GC()
		}
		if err != nil {
			break
		}
	}
	for _, part := range kept {
		_, _ = w.Write(part)
	}
}

func main() {}
