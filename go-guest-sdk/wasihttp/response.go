//go:build go1.24

package wasihttp

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/internal/wasi"
)

// A sink is where a response goes.
type sink interface {
	// begin sends the head. Nothing else comes before.
	begin(status int, header http.Header) error
	write(p []byte) error
	flush() error
	// finish ends the body, with trailers if there are any.
	finish(trailer http.Header) error
	// abort ends the response before its end; before its head, if that was not sent.
	abort()
}

// errFinished is for handlers that have left goroutines behind.
var errFinished = errors.New("wasihttp: the handler has returned, and its response has ended")

// mostHeld is how much of a body is held back until its length is known, as net/http has it.
const mostHeld = 2048

// A response is what a handler writes to.
type response struct {
	sink   sink
	method string
	header http.Header
	// head is the header as it was when the status was set.
	head     http.Header
	status   int   // 0 until it is set
	length   int64 // that was declared, or -1
	written  int64
	held     []byte // what was written and is not sent
	begun    bool   // the head is sent
	finished bool
	trailers []string // the names of those that were declared
	err      error    // why nothing more can be sent
}

func newResponse(s sink, method string) *response {
	return &response{sink: s, method: method, header: http.Header{}, length: -1}
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	switch {
	case status < 100 || status > 999:
		panic(fmt.Sprintf("wasihttp: %d is no status of HTTP", status))
	case w.finished:
		log.Print("wasihttp: WriteHeader was called after the handler had returned")
		return
	case w.status != 0:
		log.Printf("wasihttp: the status is %d already, and %d was set in vain", w.status, status)
		return
	case status < 200 && status != http.StatusSwitchingProtocols:
		return
	}
	w.status = status
	w.head = w.header.Clone()
	if text := w.head.Get("Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && n >= 0 {
			w.length = n
		} else {
			log.Printf("wasihttp: Content-Length %q is no length, and is left out", text)
			w.head.Del("Content-Length")
		}
	}
	wasi.Announced(w.head, func(name string) { w.trailers = append(w.trailers, name) })
	for name := range w.head {
		if strings.HasPrefix(name, http.TrailerPrefix) || wasi.OfConnection(name) {
			delete(w.head, name)
		}
	}
}

func (w *response) Write(p []byte) (int, error) {
	switch {
	case w.finished:
		return 0, errFinished
	case w.status == 0:
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case !w.hasBody():
		return 0, http.ErrBodyNotAllowed
	case w.err != nil:
		return 0, w.err
	}
	if w.length >= 0 && w.written+int64(len(p)) > w.length {
		return 0, http.ErrContentLength
	}
	w.written += int64(len(p))
	if w.method == http.MethodHead {
		// The beginning says what it would be.
		w.held = append(w.held, p[:min(len(p), mostHeld-len(w.held))]...)
		return len(p), nil
	}
	if !w.begun && len(w.held)+len(p) <= mostHeld {
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if w.send(p) != nil {
		return 0, w.err
	}
	return len(p), nil
}

func (w *response) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// hasBody says that the status allows one.
func (w *response) hasBody() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// begin sends the head, unless it is sent. next is what follows of the body.
func (w *response) begin(next []byte) {
	if w.begun || w.err != nil {
		return
	}
	w.begun = true
	first := w.held
	if len(first) == 0 {
		first = next
	}
	_, typed := w.head["Content-Type"]
	if !typed && w.head.Get("Content-Encoding") == "" && len(first) > 0 {
		w.head.Set("Content-Type", http.DetectContentType(first))
	}
	w.err = w.sink.begin(w.status, w.head)
}

// send sends what is held, and p.
func (w *response) send(p []byte) error {
	w.begin(p)
	for _, part := range [][]byte{w.held, p} {
		if w.err == nil && len(part) > 0 && w.method != http.MethodHead {
			w.err = w.sink.write(part)
		}
	}
	w.held = nil
	return w.err
}

// Flush sends what was written so far.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush, for [http.ResponseController].
func (w *response) FlushError() error {
	if w.finished {
		return errFinished
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.send(nil) == nil {
		w.err = w.sink.flush()
	}
	return w.err
}

// EnableFullDuplex is for [http.ResponseController]. A request can be read while its response is
// written in any case.
func (w *response) EnableFullDuplex() error { return nil }

// finish sends the rest when the handler has returned.
func (w *response) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	trailer := w.trailer()
	if !w.begun && len(trailer) == 0 && w.hasBody() && w.length < 0 && (w.method != http.MethodHead || w.written > 0) {
		w.head.Set("Content-Length", strconv.FormatInt(w.written, 10))
	}
	err := w.send(nil)
	w.finished = true
	if err != nil {
		w.sink.abort()
		return err
	}
	return w.sink.finish(trailer)
}

// trailer are the fields that come after the body: those that were declared, and those whose
// names say so.
func (w *response) trailer() http.Header {
	trailer := http.Header{}
	for name, values := range w.header {
		if name, is := strings.CutPrefix(name, http.TrailerPrefix); is {
			trailer[textproto.CanonicalMIMEHeaderKey(name)] = values
		}
	}
	for _, name := range w.trailers {
		if values := w.header[name]; len(values) > 0 {
			trailer[name] = values
		}
	}
	return trailer
}

// fail answers with an error in place of what the handler left undone.
func (w *response) fail(status int) {
	if w.begun {
		w.abort()
		return
	}
	w.header, w.head, w.status, w.length, w.written, w.held, w.trailers = http.Header{}, nil, 0, -1, 0, nil, nil
	http.Error(w, http.StatusText(status), status)
	_ = w.finish()
}

func (w *response) abort() {
	w.finished = true
	w.sink.abort()
}
