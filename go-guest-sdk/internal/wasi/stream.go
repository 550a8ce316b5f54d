//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"errors"
	"io"
	"runtime"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:io/streams@0.2.0 [method]input-stream.read
func inputRead(self uint32, n uint64, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [method]input-stream.subscribe
func inputSubscribe(self uint32) uint32

//go:wasmimport wasi:io/streams@0.2.0 [resource-drop]input-stream
func dropInput(self uint32)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.check-write
func outputCheckWrite(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.write
func outputWrite(self uint32, p unsafe.Pointer, n uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.flush
func outputFlush(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.subscribe
func outputSubscribe(self uint32) uint32

//go:wasmimport wasi:io/streams@0.2.0 [resource-drop]output-stream
func dropOutput(self uint32)

//go:wasmimport wasi:io/error@0.2.0 [method]error.to-debug-string
func errorText(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:io/error@0.2.0 [resource-drop]error
func dropError(self uint32)

// mostRead is how much is read at once: what the host passes lies beside Go's heap first.
const mostRead = 64 << 10

// ErrClosed says that the other end of a stream takes or gives no more.
var ErrClosed = errors.New("the stream is closed by the other end")

// ErrInterrupted says that a wait was ended from this side.
var ErrInterrupted = errors.New("the wait for a stream was ended")

// An input is a stream to read from.
type input struct {
	handle   uint32
	pollable pollable
}

func newInput(handle uint32) *input { return &input{handle, pollable(inputSubscribe(handle))} }

// read reads at least a byte, or io.EOF.
func (s *input) read(p []byte, done <-chan struct{}) (int, error) {
	for n := 0; len(p) > 0 && s.handle != 0; n++ {
		rest(n)
		if s.handle == 0 {
			break // it was dropped meanwhile
		}
		call := undergo.Begin()
		inputRead(s.handle, uint64(min(len(p), mostRead)), ret)
		args := call.End()
		if byteAt(0) != 0 {
			args.Release()
			if err := streamError(4); err != ErrClosed {
				return 0, err
			}
			return 0, io.EOF
		}
		at, size := wordAt(4), wordAt(8)
		copied := copy(p, unsafe.Slice((*byte)(undergo.Pointer(at)), size))
		args.Release()
		if copied > 0 {
			return copied, nil
		}
		if !s.pollable.wait(done) {
			return 0, ErrInterrupted
		}
	}
	if s.handle == 0 {
		return 0, ErrInterrupted
	}
	return 0, nil
}

func (s *input) drop() {
	if s.handle == 0 {
		return
	}
	s.pollable.drop()
	dropInput(s.handle)
	s.handle = 0
}

// An output is a stream to write to.
type output struct {
	handle   uint32
	pollable pollable
}

func newOutput(handle uint32) *output { return &output{handle, pollable(outputSubscribe(handle))} }

// permitted waits until something may be written, and gives how much.
func (s *output) permitted(done <-chan struct{}) (uint64, error) {
	for n := 0; s.handle != 0; n++ {
		rest(n)
		if s.handle == 0 {
			break
		}
		outputCheckWrite(s.handle, ret)
		if byteAt(0) != 0 {
			return 0, streamError(8)
		}
		if n := longAt(8); n > 0 {
			return n, nil
		}
		if !s.pollable.wait(done) {
			break
		}
	}
	return 0, ErrInterrupted
}

// write writes all of p.
func (s *output) write(p []byte, done <-chan struct{}) error {
	for len(p) > 0 {
		n, err := s.permitted(done)
		if err != nil {
			return err
		}
		part := p[:min(uint64(len(p)), n)]
		outputWrite(s.handle, unsafe.Pointer(unsafe.SliceData(part)), uint32(len(part)), ret)
		runtime.KeepAlive(part)
		if byteAt(0) != 0 {
			return streamError(4)
		}
		p = p[len(part):]
	}
	return nil
}

// flush waits until all that was written has gone on.
func (s *output) flush(done <-chan struct{}) error {
	if s.handle == 0 {
		return ErrInterrupted
	}
	outputFlush(s.handle, ret)
	if byteAt(0) != 0 {
		return streamError(4)
	}
	_, err := s.permitted(done)
	return err
}

func (s *output) drop() {
	if s.handle == 0 {
		return
	}
	s.pollable.drop()
	dropOutput(s.handle)
	s.handle = 0
}

// streamError is the stream-error at offset of the result.
func streamError(offset uintptr) error {
	if byteAt(offset) != 0 {
		return ErrClosed
	}
	handle := wordAt(offset + 4)
	call := undergo.Begin()
	errorText(handle, ret)
	err := errors.New(text(call.End(), 0))
	if code := codeOf(handle); code != nil {
		err = code
	}
	dropError(handle)
	return err
}
