//go:build wasip1 && go1.24 && undergo_component

package outgoing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/undergo-dev/undergo/go-guest-sdk/internal/wasi"
)

// RoundTrip sends the request, and waits for the head of the response.
func (Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := roundTrip(r)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		if cause := context.Cause(r.Context()); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("outgoing: %w", err)
	}
	return response, nil
}

func roundTrip(r *http.Request) (*http.Response, error) {
	secure := r.URL.Scheme == "https"
	switch {
	case !secure && r.URL.Scheme != "http":
		return nil, fmt.Errorf("%q is no scheme of HTTP", r.URL.Scheme)
	case r.URL.Host == "":
		return nil, errors.New("the URL has no host")
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	header := headerOf(r)
	hasBody := r.Body != nil && r.Body != http.NoBody
	switch {
	case hasBody && r.ContentLength > 0:
		header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	case !hasBody && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch):
		header.Set("Content-Length", "0")
	}
	ctx, cancel := context.WithCancel(r.Context())
	sending, err := wasi.Send(method, secure, r.URL.Host, r.URL.RequestURI(), header, ctx.Done())
	if err != nil {
		cancel()
		return nil, err
	}
	if hasBody {
		go upload(sending.Body, r)
	} else if sending.Body.Finish(r.Trailer, ignore) != nil {
		// What is wrong, the response tells.
		sending.Body.Abort()
	}
	response := &http.Response{
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Request: r, ContentLength: -1,
	}
	got, err := sending.Wait(func(trailer http.Header) { wasi.AddTrailer(&response.Trailer, trailer) })
	if err != nil {
		sending.Body.Abort()
		cancel()
		return nil, err
	}
	response.StatusCode, response.Header = got.Status, got.Header
	response.Status = strconv.Itoa(got.Status) + " " + http.StatusText(got.Status)
	if n, err := strconv.ParseInt(got.Header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		response.ContentLength = n
	}
	wasi.Announced(got.Header, func(name string) { wasi.AddTrailer(&response.Trailer, http.Header{name: nil}) })
	response.Body = wasi.NewBody(got.Body, func() {
		got.Drop()
		sending.Body.Abort()
		cancel()
	})
	return response, nil
}

// upload sends the body of a request. What goes wrong with it, the response tells.
func upload(into *wasi.Outgoing, r *http.Request) {
	_, err := io.Copy(into, r.Body)
	_ = r.Body.Close()
	if err == nil {
		err = into.Finish(r.Trailer, ignore)
	}
	if err != nil {
		into.Abort()
	}
}

func ignore(string) {}
