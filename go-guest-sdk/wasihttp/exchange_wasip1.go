//go:build wasip1 && go1.24 && undergo_component

package wasihttp

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"

	"github.com/undergo-dev/undergo/go-guest-sdk/internal/wasi"
)

// handle is called by the host with each request.
//
//go:wasmexport wasi:http/incoming-handler@0.2.0#handle
func handle(request, responseOut uint32) {
	// A handler may end its goroutine, and this one has to return to the host.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		exchange(wasi.NewRequest(request), wasi.NewResponder(responseOut))
	}()
	<-ended
}

// exchange answers a request.
func exchange(in *wasi.Request, out *wasi.Responder) {
	defer in.Drop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := newResponse(&hostSink{out: out, done: ctx.Done(), cancel: cancel}, in.Method)
	if handler == nil {
		log.Print("wasihttp: there is no handler: call Serve in an init function, since main does not run")
		w.fail(http.StatusInternalServerError)
		return
	}
	r, err := newRequest(target{in.Method, in.Path, in.Authority, in.Secure}, in.Header)
	if err != nil {
		w.fail(http.StatusBadRequest)
		return
	}
	if in.Secure {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true}
	}
	r = r.WithContext(ctx)
	body := wasi.NewBody(in.Body(ctx.Done(), func(trailer http.Header) { wasi.AddTrailer(&r.Trailer, trailer) }), func() {})
	defer body.Close()
	r.Body = body
	answer(handler, w, r)
}

// A hostSink is where the response to a request goes.
type hostSink struct {
	out    *wasi.Responder
	body   *wasi.Outgoing
	done   <-chan struct{}
	cancel context.CancelFunc
}

func refuse(name string) {
	log.Printf("wasihttp: the host refuses the field %s, which is left out", name)
}

// failed ends the request's context when the other end takes no more.
func (s *hostSink) failed(err error) error {
	if err != nil {
		s.cancel()
	}
	return err
}

func (s *hostSink) begin(status int, header http.Header) (err error) {
	s.body, err = s.out.Begin(status, header, s.done, refuse)
	return s.failed(err)
}

func (s *hostSink) write(p []byte) error {
	_, err := s.body.Write(p)
	return s.failed(err)
}

func (s *hostSink) flush() error { return s.failed(s.body.Flush()) }

func (s *hostSink) finish(trailer http.Header) error { return s.failed(s.body.Finish(trailer, refuse)) }

func (s *hostSink) abort() {
	if s.body == nil {
		s.out.Terminate()
	} else {
		s.body.Abort()
	}
}
