//go:build go1.24

package stream

import "io"

// A Reader reads a stream of the host's. It is an io.ReadCloser and an io.WriterTo.
type Reader struct {
	read  func(most uint32) ([]byte, error)
	close func() error
	rest  []byte // what the host gave beyond what was asked for
}

// NewReader is the reader of what read gives, which is none at the end. Each slice
// is the reader's own.
func NewReader(read func(most uint32) ([]byte, error), close func() error) *Reader {
	return &Reader{read: read, close: close}
}

// Read reads up to len(p) bytes, in one call of the host.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	data, err := r.next(min(len(p), chunk))
	n := copy(p, data)
	r.rest = data[n:]
	return n, err
}

// WriteTo writes all that is left of the stream to w, without copying it: io.Copy
// uses it.
func (r *Reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		data, err := r.next(chunk)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := write(w, data)
		total += int64(n)
		if err != nil {
			r.rest = data[n:]
			return total, err
		}
	}
}

// next is what there is next, or an error.
func (r *Reader) next(most int) ([]byte, error) {
	if data := r.rest; len(data) > 0 {
		r.rest = nil
		return data, nil
	}
	data, err := r.read(uint32(most))
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, io.EOF
	}
	return data, nil
}

// Close closes the stream in the host.
func (r *Reader) Close() error { return r.close() }

// A Writer writes to a stream of the host's. It is an io.WriteCloser and an
// io.ReaderFrom.
type Writer struct {
	write func(data []byte) error
	close func() error
}

// NewWriter is the writer to what write takes.
func NewWriter(write func(data []byte) error, close func() error) *Writer {
	return &Writer{write, close}
}

// Write writes p, in as many calls of the host as it needs. If one fails, nothing of
// what was passed to it counts as written.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > n {
		next := p[n:min(n+chunk, len(p))]
		if err := w.write(next); err != nil {
			return n, err
		}
		n += len(next)
	}
	return n, nil
}

// WriteString is Write without a copy.
func (w *Writer) WriteString(s string) (int, error) { return w.Write(bytesOf(s)) }

// ReadFrom writes all that r gives, as it comes: io.Copy uses it.
func (w *Writer) ReadFrom(r io.Reader) (total int64, err error) {
	source := Source{reader: r}
	for {
		data, err := source.Read(chunk)
		if len(data) == 0 || err != nil {
			return total, err
		}
		if err := w.write(data); err != nil {
			return total, err
		}
		total += int64(len(data))
	}
}

// Close closes the stream in the host.
func (w *Writer) Close() error { return w.close() }
