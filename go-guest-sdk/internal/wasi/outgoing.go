//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"errors"
	"net/http"
	"runtime"
	"slices"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:http/outgoing-handler@0.2.0 handle
func outgoingHandle(request, hasOptions, options uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [constructor]outgoing-request
func newOutgoingRequest(headers uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.body
func outgoingRequestBody(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-method
func outgoingRequestSetMethod(self, method uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-path-with-query
func outgoingRequestSetPath(self, has uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-scheme
func outgoingRequestSetScheme(self, has, scheme uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-authority
func outgoingRequestSetAuthority(self, has uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]outgoing-request
func dropOutgoingRequest(self uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]future-incoming-response.subscribe
func futureResponseSubscribe(self uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]future-incoming-response.get
func futureResponseGet(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]future-incoming-response
func dropFutureResponse(self uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-response.status
func incomingResponseStatus(self uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-response.headers
func incomingResponseHeaders(self uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-response.consume
func incomingResponseConsume(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]incoming-response
func dropIncomingResponse(self uint32)

// A Sending is a request that goes out.
type Sending struct {
	Body   *Outgoing
	future uint32
	done   <-chan struct{}
}

// Send sends the head of a request. Waits for it end with done.
func Send(method string, secure bool, authority, path string, header http.Header, done <-chan struct{}) (*Sending, error) {
	var refused error
	request := newOutgoingRequest(giveFields(header, func(name string) { refused = errors.New("the host refuses the header " + name) }))
	if refused == nil {
		refused = setTarget(request, method, secure, authority, path)
	}
	if refused != nil {
		dropOutgoingRequest(request)
		return nil, refused
	}
	outgoingRequestBody(request, ret)
	body := newOutgoing(wordAt(4), done)
	call := undergo.Begin()
	outgoingHandle(request, 0, 0, ret)
	args := call.End()
	if byteAt(0) != 0 {
		err := code(args, 8)
		body.Abort()
		return nil, err
	}
	future := wordAt(8)
	args.Release()
	return &Sending{body, future, done}, nil
}

func setTarget(request uint32, method string, secure bool, authority, path string) error {
	n := slices.Index(methods[:], method)
	if n < 0 {
		n = len(methods)
	}
	refused := ""
	switch {
	case outgoingRequestSetMethod(request, uint32(n), bytesOf(method), uint32(len(method))) != 0:
		refused = "method " + method
	case outgoingRequestSetScheme(request, 1, flag(secure), nil, 0) != 0:
		refused = "scheme"
	case outgoingRequestSetAuthority(request, 1, bytesOf(authority), uint32(len(authority))) != 0:
		refused = "host " + authority
	case outgoingRequestSetPath(request, 1, bytesOf(path), uint32(len(path))) != 0:
		refused = "path " + path
	}
	runtime.KeepAlive(method)
	runtime.KeepAlive(authority)
	runtime.KeepAlive(path)
	if refused != "" {
		return errors.New("the host refuses the " + refused)
	}
	return nil
}

// A Response is one that has come in.
type Response struct {
	Status int
	Header http.Header
	Body   *Incoming
	handle uint32
}

// Wait waits for the response, of whose trailers trailer is told.
func (s *Sending) Wait(trailer func(http.Header)) (*Response, error) {
	ready := pollable(futureResponseSubscribe(s.future))
	defer dropFutureResponse(s.future)
	defer ready.drop()
	if !ready.wait(s.done) {
		return nil, ErrInterrupted
	}
	call := undergo.Begin()
	futureResponseGet(s.future, ret)
	args := call.End()
	switch {
	case byteAt(0) == 0 || byteAt(8) != 0:
		args.Release()
		return nil, errors.New("the response does not come")
	case byteAt(16) != 0:
		return nil, code(args, 24)
	}
	handle := wordAt(24)
	args.Release()
	r := &Response{Status: int(incomingResponseStatus(handle)), handle: handle}
	r.Header = takeFields(incomingResponseHeaders(handle))
	incomingResponseConsume(handle, ret)
	r.Body = newIncoming(wordAt(4), s.done, trailer)
	return r, nil
}

// Drop ends the response, and its body.
func (r *Response) Drop() {
	r.Body.Drop()
	dropIncomingResponse(r.handle)
}
