package undergo

import (
	"context"
	"fmt"
	"io"
	"unsafe"
)

// mostBytes is how many a stream gives or takes at once, and copyBytes how many are copied at once.
const (
	mostBytes = 1 << 20
	copyBytes = 256 << 10
)

// stream is what readers and writers of the plugin's have in common.
type stream struct {
	handle *Object
	// ctx is that of the call which gave the stream: it is for all of its use.
	ctx context.Context
}

func (s *stream) object() *Object { return s.handle }

func (s *stream) adopted(l *lifter, t *typ, at uintptr, is form) error {
	if t.resource.form != is {
		return &misfit{text: fmt.Sprintf("the %s %s is no %s: its type is %s", t.resource.form, t, is, t.resource.naturalType())}
	}
	s.ctx, s.handle = l.ctx, new(Object).hold(l.instance, t.resource, at)
	return nil
}

// close closes it as Go's Close does, whose error it gives, and ends the handle.
func (s *stream) close() error {
	if !s.handle.IsOpen() {
		return nil
	}
	// What has to be closed is closed, also when its context has ended.
	ctx := context.WithoutCancel(s.ctx)
	args := &struct{ handle uintptr }{s.handle.at}
	err := s.handle.enter(ctx, s.handle.resource.method("close"), unsafe.Pointer(args), nil, nil, func() error { return nil })
	if ended := s.handle.Close(); err == nil {
		err = ended
	}
	return err
}

// Reader is a stream of the plugin's to read from: an io.Reader there, of which it has all that a
// Go program wants of one. It may be an argument where the plugin wants a stream.
//
// The context of the call that gave it is for its whole use, as that of an HTTP request is for the
// body of the response; see [context.WithoutCancel].
type Reader struct{ stream stream }

func (r *Reader) object() *Object { return r.stream.handle }

func (r *Reader) adopt(l *lifter, t *typ, at uintptr) error {
	return r.stream.adopted(l, t, at, formReader)
}

// Read reads up to len(p) bytes, which it waits for. An error of the plugin's is a [GuestError].
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	p = p[:min(len(p), mostBytes)]
	handle := r.stream.handle
	args, read, count := &nextArgs{handle.at, uint32(len(p))}, new(cList), 0
	err := handle.enter(r.stream.ctx, handle.resource.method("read"), unsafe.Pointer(args), unsafe.Pointer(read), p, func() error {
		count = int(read.length)
		if count > len(p) {
			return fault(KindTrap, "the guest's stream gave %d bytes, of %d", count, len(p))
		}
		// They have come to their place, where that has room for them.
		if count > 0 && read.at != uintptr(unsafe.Pointer(unsafe.SliceData(p))) {
			copy(p, unsafe.Slice((*byte)(pointer(read.at)), count))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if count == 0 {
		return 0, io.EOF
	}
	return count, nil
}

// WriteTo writes all that is left of it, in pieces of 256 KiB: [io.Copy] calls it.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(w, struct{ io.Reader }{r}, make([]byte, copyBytes))
}

// Close closes the stream as the plugin does, and gives the error of that. Closing it again does
// nothing.
func (r *Reader) Close() error { return r.stream.close() }

// Writer is a stream of the plugin's to write to: an io.Writer there. Otherwise as [Reader].
type Writer struct{ stream stream }

func (w *Writer) object() *Object { return w.stream.handle }

func (w *Writer) adopt(l *lifter, t *typ, at uintptr) error {
	return w.stream.adopted(l, t, at, formWriter)
}

// writeArgs is the struct of the arguments of write.
type writeArgs struct {
	handle uintptr
	data   unsafe.Pointer
	length uintptr
}

// Write writes all of p. After an error it is not known how much was written.
func (w *Writer) Write(p []byte) (int, error) {
	handle, written := w.stream.handle, 0
	for written < len(p) {
		piece := p[written:min(len(p), written+mostBytes)]
		args := &writeArgs{handle.at, unsafe.Pointer(unsafe.SliceData(piece)), uintptr(len(piece))}
		err := handle.enter(w.stream.ctx, handle.resource.method("write"), unsafe.Pointer(args), nil, nil, func() error { return nil })
		if err != nil {
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

// ReadFrom writes all that a reader has, in pieces of 256 KiB: [io.Copy] calls it.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, copyBytes))
}

// Close closes the stream as the plugin does, and gives the error of that. Closing it again does
// nothing.
func (w *Writer) Close() error { return w.stream.close() }

// givenStream makes an object of a reader or a writer; nil for what is none.
func (r *resource) givenStream(value any) *object {
	var first func(method *function) func(ctx context.Context, d *dispatch) error
	if r.form == formReader {
		reader, ok := value.(io.Reader)
		if !ok {
			return nil
		}
		first = (&hostReader{reader: reader}).read
	} else {
		writer, ok := value.(io.Writer)
		if !ok {
			return nil
		}
		first = func(method *function) func(ctx context.Context, d *dispatch) error {
			return func(_ context.Context, d *dispatch) error { return written(writer, method, d) }
		}
	}
	made := &object{methods: make([]hostMethod, len(r.methods))}
	for i, method := range r.methods {
		call := func(context.Context, *dispatch) error {
			if closer, ok := value.(io.Closer); ok {
				return closer.Close()
			}
			return nil
		}
		if method.Name != "close" {
			call = first(method)
		}
		made.methods[i] = hostMethod{call, method}
	}
	return made
}

// hostReader is a reader of the host's.
type hostReader struct {
	reader io.Reader
	// room is kept for the next read: the library reads it when this one has returned.
	room []byte
	// err came with data, and is for the next read.
	err error
}

func (r *hostReader) read(method *function) func(ctx context.Context, d *dispatch) error {
	return func(_ context.Context, d *dispatch) error {
		most := int(*(*uint32)(unsafe.Add(d.args, method.params[0].at)))
		room := r.take(min(max(most, 1), mostBytes))
		count, err := r.fill(room)
		r.room = room
		if err != nil {
			return err
		}
		*(*cList)(d.result) = cList{uintptr(unsafe.Pointer(unsafe.SliceData(room))), uintptr(count)}
		return nil
	}
}

// take gives room for so many bytes. A read within a read of the same stream has its own.
func (r *hostReader) take(size int) []byte {
	room := r.room
	r.room = nil
	if cap(room) < size {
		room = make([]byte, size)
	}
	return room[:size]
}

// maxEmptyReads is after how many reads without anything a reader is given up, as by bufio.
const maxEmptyReads = 100

func (r *hostReader) fill(room []byte) (int, error) {
	if err := r.err; err != nil {
		if err != io.EOF {
			r.err = nil
			return 0, err
		}
		return 0, nil
	}
	for range maxEmptyReads {
		count, err := r.reader.Read(room)
		if count < 0 || count > len(room) {
			return 0, fmt.Errorf("%T read %d bytes, of %d", r.reader, count, len(room))
		}
		switch {
		case err == io.EOF:
			r.err = err
			return count, nil
		case count > 0:
			r.err = err
			return count, nil
		case err != nil:
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// written writes the bytes that the guest gives, where they lie.
func written(w io.Writer, method *function, d *dispatch) error {
	data := *(*cList)(unsafe.Add(d.args, method.params[0].at))
	if data.length == 0 {
		return nil
	}
	count, err := w.Write(unsafe.Slice((*byte)(pointer(data.at)), int(data.length)))
	if err == nil && uintptr(count) < data.length {
		err = io.ErrShortWrite
	}
	return err
}
