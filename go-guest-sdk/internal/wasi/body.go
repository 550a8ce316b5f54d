//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"errors"
	"io"
	"net/http"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-body.stream
func incomingBodyStream(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [static]incoming-body.finish
func incomingBodyFinish(this uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]incoming-body
func dropIncomingBody(self uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]future-trailers.subscribe
func futureTrailersSubscribe(self uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]future-trailers.get
func futureTrailersGet(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]future-trailers
func dropFutureTrailers(self uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-body.write
func outgoingBodyWrite(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [static]outgoing-body.finish
func outgoingBodyFinish(this uint32, hasTrailers, trailers uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]outgoing-body
func dropOutgoingBody(self uint32)

// An Incoming is the body of a request or a response that comes in.
type Incoming struct {
	handle uint32 // 0 when it has ended
	stream *input
	done   <-chan struct{}
	// trailer is called when the body has been read, with the trailers, if there are any.
	trailer func(http.Header)
}

// newIncoming is the body, of which waits end with done.
func newIncoming(handle uint32, done <-chan struct{}, trailer func(http.Header)) *Incoming {
	incomingBodyStream(handle, ret)
	return &Incoming{handle, newInput(wordAt(4)), done, trailer}
}

// Read reads at least a byte. When it gives io.EOF, the trailers have come.
func (b *Incoming) Read(p []byte) (int, error) {
	if b.handle == 0 {
		return 0, io.EOF
	}
	n, err := b.stream.read(p, b.done)
	if err != io.EOF {
		return n, err
	}
	b.stream.drop()
	handle := b.handle
	b.handle = 0
	if err := b.takeTrailers(incomingBodyFinish(handle)); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

func (b *Incoming) takeTrailers(future uint32) error {
	ready := pollable(futureTrailersSubscribe(future))
	defer dropFutureTrailers(future)
	defer ready.drop()
	if !ready.wait(b.done) {
		return ErrInterrupted
	}
	call := undergo.Begin()
	futureTrailersGet(future, ret)
	args := call.End()
	switch {
	case byteAt(0) == 0 || byteAt(8) != 0:
		args.Release()
		return errors.New("the trailers don't come")
	case byteAt(16) != 0:
		return code(args, 24)
	}
	has, fields := byteAt(24) != 0, wordAt(28)
	args.Release()
	if has {
		b.trailer(takeFields(fields))
	}
	return nil
}

// Drop ends the body, and who waits for it.
func (b *Incoming) Drop() {
	if b.handle == 0 {
		return
	}
	b.stream.drop()
	dropIncomingBody(b.handle)
	b.handle = 0
}

// A Body is an Incoming as net/http has it: it is closed from this side.
type Body struct {
	in     *Incoming
	closed bool
	end    func() // what else ends with it
}

// NewBody is the body, with which end ends something else.
func NewBody(in *Incoming, end func()) *Body { return &Body{in: in, end: end} }

func (b *Body) Read(p []byte) (int, error) {
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.in.Read(p)
	// It may have been closed meanwhile.
	if err != nil && err != io.EOF && b.closed {
		err = http.ErrBodyReadAfterClose
	}
	return n, err
}

// Close ends the body, and who waits for it.
func (b *Body) Close() error {
	if !b.closed {
		b.closed = true
		b.in.Drop()
		b.end()
	}
	return nil
}

// AddTrailer adds trailers that have come to those of a request or a response.
func AddTrailer(into *http.Header, trailer http.Header) {
	if *into == nil {
		*into = http.Header{}
	}
	for name, values := range trailer {
		(*into)[name] = values
	}
}

// An Outgoing is the body of a request or a response that goes out.
type Outgoing struct {
	handle uint32 // 0 when it has ended
	stream *output
	done   <-chan struct{}
}

func newOutgoing(handle uint32, done <-chan struct{}) *Outgoing {
	outgoingBodyWrite(handle, ret)
	return &Outgoing{handle, newOutput(wordAt(4)), done}
}

// Write writes all of p.
func (b *Outgoing) Write(p []byte) (int, error) {
	if err := b.stream.write(p, b.done); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush waits until all that was written has gone on.
func (b *Outgoing) Flush() error { return b.stream.flush(b.done) }

// Finish ends the body, with trailers if there are any.
func (b *Outgoing) Finish(trailer http.Header, refuse func(name string)) error {
	if b.handle == 0 {
		return ErrInterrupted
	}
	if err := b.Flush(); err != nil {
		b.Abort()
		return err
	}
	b.stream.drop()
	var fields uint32
	if len(trailer) > 0 {
		fields = giveFields(trailer, refuse)
	}
	handle := b.handle
	b.handle = 0
	call := undergo.Begin()
	outgoingBodyFinish(handle, flag(len(trailer) > 0), fields, ret)
	args := call.End()
	if byteAt(0) != 0 {
		return code(args, 8)
	}
	args.Release()
	return nil
}

// Abort ends the body before its end, which its receiver gets to know.
func (b *Outgoing) Abort() {
	if b.handle == 0 {
		return
	}
	b.stream.drop()
	dropOutgoingBody(b.handle)
	b.handle = 0
}
