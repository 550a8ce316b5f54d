//go:build go1.24

package wasihttp

import (
	"log"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/internal/wasi"
)

// A target is what the head of a request says besides its headers.
type target struct {
	method, path, authority string
	secure                  bool
}

// newRequest makes a request as a server of net/http has it, but for what is there of the
// connection.
func newRequest(t target, header http.Header) (*http.Request, error) {
	if t.path == "" {
		t.path = "/"
	}
	r := &http.Request{
		Method: t.method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Host: t.authority, RequestURI: t.path, ContentLength: -1,
	}
	var err error
	switch {
	case t.method == http.MethodConnect && !strings.HasPrefix(t.path, "/"):
		r.URL = &url.URL{Host: t.path}
	case t.path == "*":
		r.URL = &url.URL{Path: "*"}
	default:
		r.URL, err = url.ParseRequestURI(t.path)
	}
	if err != nil {
		return nil, err
	}
	if r.Host == "" {
		r.Host = header.Get("Host")
	}
	header.Del("Host")
	if cookies := header["Cookie"]; len(cookies) > 1 {
		header.Set("Cookie", strings.Join(cookies, "; "))
	}
	if text := header.Get("Content-Length"); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return nil, err
		}
		r.ContentLength = int64(n)
	} else if header.Get("Transfer-Encoding") == "" && (t.method == http.MethodGet || t.method == http.MethodHead) {
		r.ContentLength = 0
	}
	wasi.Announced(header, func(name string) {
		if r.Trailer == nil {
			r.Trailer = http.Header{}
		}
		r.Trailer[name] = nil
	})
	header.Del("Trailer")
	return r, nil
}

// answer has the handler answer r, and ends the response, whatever the handler does.
func answer(h http.Handler, w *response, r *http.Request) {
	returned := false
	defer func() {
		v := recover()
		switch {
		case returned:
			if err := w.finish(); err != nil {
				log.Printf("wasihttp: %s %s: %v", r.Method, r.URL.Path, err)
			}
		case v == http.ErrAbortHandler:
			w.abort()
		case v == nil:
			log.Printf("wasihttp: %s %s: the handler ended its goroutine", r.Method, r.URL.Path)
			w.fail(http.StatusInternalServerError)
		default:
			log.Printf("wasihttp: %s %s: panic: %v\n%s", r.Method, r.URL.Path, v, debug.Stack())
			w.fail(http.StatusInternalServerError)
		}
	}()
	h.ServeHTTP(w, r)
	returned = true
}
