//go:build go1.24

package stream

import (
	"io"
	"unsafe"
)

// A Source is an io.Reader that the host reads.
type Source struct {
	reader io.Reader
	room   []byte
	err    error // what the reader gave together with data
	closer
}

// NewSource is the source of what r gives; nil if r is nil. It closes r if that is an
// io.Closer.
func NewSource(r io.Reader) *Source {
	if r == nil {
		return nil
	}
	return &Source{reader: r, closer: closerOf(r)}
}

// Read gives one to most bytes, or none at the end. They are valid until the next call.
func (s *Source) Read(most uint32) ([]byte, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	data, err := s.read(int(max(min(most, chunk), 1)))
	s.busy = false
	return data, err
}

func (s *Source) read(most int) ([]byte, error) {
	if err := s.err; err != nil {
		s.err = nil
		return nil, unlessEnd(err)
	}
	room := s.reserve(most)
	for range mostEmptyReads {
		n, err := s.reader.Read(room)
		switch {
		case n < 0 || n > len(room):
			return nil, errRead
		case n > 0:
			s.err = err
			return room[:n], nil
		case err != nil:
			return nil, unlessEnd(err)
		}
	}
	return nil, io.ErrNoProgress
}

// reserve is room for up to most bytes: little at first, and all once a reader has
// filled that.
func (s *Source) reserve(most int) []byte {
	switch {
	case s.room == nil:
		s.room = make([]byte, min(most, firstChunk))
	case len(s.room) < most:
		s.room = make([]byte, most)
	}
	return s.room[:min(most, len(s.room))]
}

// unlessEnd is err, or nil for the end of a stream, which data of no bytes tell.
func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// A Sink is an io.Writer that the host writes to.
type Sink struct {
	writer io.Writer
	closer
}

// NewSink is the sink that writes to w; nil if w is nil. It closes w if that is an
// io.Closer.
func NewSink(w io.Writer) *Sink {
	if w == nil {
		return nil
	}
	return &Sink{writer: w, closer: closerOf(w)}
}

// Write writes all of data, or fails.
func (s *Sink) Write(data []byte) error {
	if err := s.enter(); err != nil {
		return err
	}
	_, err := write(s.writer, data)
	s.busy = false
	return err
}

// write writes data to w, which has to take all of it or to say why not.
func write(w io.Writer, data []byte) (int, error) {
	n, err := w.Write(data)
	switch {
	case n < 0 || n > len(data):
		return 0, errWrite
	case n < len(data) && err == nil:
		return n, io.ErrShortWrite
	}
	return n, err
}

// A closer is what streams for the host have in common.
type closer struct {
	stream io.Closer // nil if the stream has no end of its own
	busy   bool      // one of its calls runs
	closed bool
}

func closerOf(stream any) closer {
	c, _ := stream.(io.Closer)
	return closer{stream: c}
}

func (c *closer) enter() error {
	switch {
	case c.closed:
		return errClosed
	case c.busy:
		return errBusy
	}
	c.busy = true
	return nil
}

// Close closes the stream, unless that has been done.
func (c *closer) Close() error {
	if c.busy {
		return errBusy
	}
	if c.closed {
		return nil
	}
	c.closed = true
	if c.stream == nil {
		return nil
	}
	return c.stream.Close()
}

// bytesOf is what s consists of, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
