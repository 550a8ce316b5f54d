//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"errors"
	"net/http"
	"runtime"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-request.method
func incomingRequestMethod(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-request.path-with-query
func incomingRequestPath(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-request.scheme
func incomingRequestScheme(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-request.authority
func incomingRequestAuthority(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-request.headers
func incomingRequestHeaders(self uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-request.consume
func incomingRequestConsume(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]incoming-request
func dropIncomingRequest(self uint32)

//go:wasmimport wasi:http/types@0.2.0 [static]response-outparam.set
func responseOutparamSet(param, isError, response uint32, a uint32, b uint64, c, d, e, f uint32)

//go:wasmimport wasi:http/types@0.2.0 [constructor]outgoing-response
func newOutgoingResponse(headers uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-response.set-status-code
func outgoingResponseSetStatus(self, status uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-response.body
func outgoingResponseBody(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]outgoing-response
func dropOutgoingResponse(self uint32)

// methods are the cases of method, in their order. The last one, behind them, has a text.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// A Request is one that has come in.
type Request struct {
	Method    string
	Path      string // with the query; may be empty
	Authority string // may be empty
	Secure    bool
	Header    http.Header
	handle    uint32
}

// NewRequest reads all but the body.
func NewRequest(handle uint32) *Request {
	r := &Request{handle: handle}
	call := undergo.Begin()
	incomingRequestMethod(handle, ret)
	args := call.End()
	if n := int(byteAt(0)); n < len(methods) {
		r.Method = methods[n]
		args.Release()
	} else {
		r.Method = text(args, 4)
	}
	call = undergo.Begin()
	incomingRequestPath(handle, ret)
	r.Path, _ = optional(call.End(), 0)
	call = undergo.Begin()
	incomingRequestScheme(handle, ret)
	args = call.End()
	r.Secure = byteAt(0) != 0 && byteAt(4) == 1
	args.Release()
	call = undergo.Begin()
	incomingRequestAuthority(handle, ret)
	r.Authority, _ = optional(call.End(), 0)
	r.Header = takeFields(incomingRequestHeaders(handle))
	return r
}

// Body is the body, of which waits end with done. trailer gets the trailers.
func (r *Request) Body(done <-chan struct{}, trailer func(http.Header)) *Incoming {
	incomingRequestConsume(r.handle, ret)
	return newIncoming(wordAt(4), done, trailer)
}

// Drop ends the request, after its body.
func (r *Request) Drop() { dropIncomingRequest(r.handle) }

// A Responder sends one response.
type Responder struct{ param uint32 }

// NewResponder is the one for a response-outparam.
func NewResponder(param uint32) *Responder { return &Responder{param} }

// Begin sends the head of the response, of which waits end with done. refuse is told of the
// fields that the host does not take.
func (r *Responder) Begin(status int, header http.Header, done <-chan struct{}, refuse func(name string)) (*Outgoing, error) {
	response := newOutgoingResponse(giveFields(header, refuse))
	if outgoingResponseSetStatus(response, uint32(status)) != 0 {
		dropOutgoingResponse(response)
		return nil, errors.New("the host refuses the status")
	}
	outgoingResponseBody(response, ret)
	body := wordAt(4)
	responseOutparamSet(r.param, 0, response, 0, 0, 0, 0, 0, 0)
	return newOutgoing(body, done), nil
}

// Terminate ends the exchange without a response.
func (r *Responder) Terminate() {
	responseOutparamSet(r.param, 1, connectionTerminated, 0, 0, 0, 0, 0, 0)
}

// Fail ends the exchange with an error of the guest's.
func (r *Responder) Fail(why string) {
	responseOutparamSet(r.param, 1, internalError, 1, uint64(undergo.StringAddr(why)), uint32(len(why)), 0, 0, 0)
	runtime.KeepAlive(why)
}
