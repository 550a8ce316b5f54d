//go:build go1.24

package stream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// file is a stream of the host, which holds data and fails at its end with err.
type file struct {
	data   []byte
	err    error
	asked  []uint32
	closed int
}

func (f *file) read(most uint32) ([]byte, error) {
	f.asked = append(f.asked, most)
	if len(f.data) == 0 {
		return nil, f.err
	}
	n := min(int(most), len(f.data))
	data := f.data[:n]
	f.data = f.data[n:]
	return data, nil
}

// write takes data until it has as much as the error comes after.
func (f *file) write(data []byte) error {
	if f.err != nil && len(f.data)+len(data) > 10 {
		return f.err
	}
	f.data = append(f.data, data...)
	return nil
}

func (f *file) close() error { f.closed++; return f.err }

func (f *file) reader() *Reader { return NewReader(f.read, f.close) }
func (f *file) writer() *Writer { return NewWriter(f.write, f.close) }

func TestReader(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	if err := iotest.TestReader((&file{data: []byte(text)}).reader(), []byte(text)); err != nil {
		t.Error(err)
	}
	f := &file{data: []byte(text), err: errors.New("disk full")}
	got, err := io.ReadAll(f.reader())
	if string(got) != text || err == nil || err.Error() != "disk full" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n, err := f.reader().Read(nil); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
}

func TestReaderKeepsWhatItDidNotAskFor(t *testing.T) {
	generous := NewReader(func(uint32) ([]byte, error) { return []byte("abcdef"), nil }, nil)
	var got []byte
	for range 4 {
		room := make([]byte, 4)
		n, _ := generous.Read(room)
		got = append(got, room[:n]...)
	}
	if string(got) != "abcdefabcdef" {
		t.Errorf("got %q", got)
	}
}

func TestCopyBetweenStreamsOfTheHost(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100_000)
	from, to := &file{data: text}, &file{}
	n, err := io.Copy(to.writer(), from.reader())
	if n != int64(len(text)) || err != nil || !bytes.Equal(to.data, text) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if calls := len(from.asked); calls != len(text)/chunk+2 {
		t.Errorf("%d calls", calls)
	}
}

func TestCopyAllocatesNothing(t *testing.T) {
	block := make([]byte, chunk)
	left := 0
	r := NewReader(func(uint32) ([]byte, error) {
		if left--; left < 0 {
			return nil, nil
		}
		return block, nil
	}, nil)
	w := NewWriter(func([]byte) error { return nil }, nil)
	if n := testing.AllocsPerRun(10, func() {
		left = 1000
		if n, err := io.Copy(w, r); n != 1000*chunk || err != nil {
			t.Fatal(n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for 1000 chunks", n)
	}
}

func TestWriterThatFails(t *testing.T) {
	full := errors.New("disk full")
	f := &file{err: full}
	w := f.writer()
	if n, err := w.Write([]byte("0123456789")); n != 10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := w.WriteString("x"); n != 0 || err != full {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := (&file{err: full}).writer().ReadFrom(strings.NewReader(strings.Repeat("x", 11))); n != 0 || err != full {
		t.Errorf("%d, %v", n, err)
	}
	if err := w.Close(); err != full || f.closed != 1 {
		t.Error(err)
	}
}

func TestReadFrom(t *testing.T) {
	for _, n := range []int{0, 1, firstChunk, firstChunk + 1, chunk, 3*chunk + 7} {
		text := bytes.Repeat([]byte{'x'}, n)
		f := &file{}
		got, err := f.writer().ReadFrom(iotest.DataErrReader(bytes.NewReader(text)))
		if got != int64(n) || err != nil || !bytes.Equal(f.data, text) {
			t.Errorf("%d bytes: %d, %v", n, got, err)
		}
	}
	f := &file{}
	if n, err := f.writer().ReadFrom(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("abc")))); n != 1 || err != iotest.ErrTimeout {
		t.Errorf("%d, %v", n, err)
	}
}

// all reads s to its end, most bytes at a time.
func all(s *Source, most uint32) (got []byte, err error) {
	for {
		data, err := s.Read(most)
		if len(data) > int(most) {
			return got, errors.New("more than was asked for")
		}
		if len(data) == 0 || err != nil {
			return got, err
		}
		got = append(got, data...)
	}
}

func TestSource(t *testing.T) {
	text := strings.Repeat("0123456789", 5000)
	for name, r := range map[string]io.Reader{
		"plain":    strings.NewReader(text),
		"data+EOF": iotest.DataErrReader(strings.NewReader(text)),
		"halves":   iotest.HalfReader(strings.NewReader(text)),
		"bytes":    iotest.OneByteReader(strings.NewReader(text)),
	} {
		if got, err := all(NewSource(r), 20_000); string(got) != text || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// steps is a reader that gives what is listed.
type steps []struct {
	n   int
	err error
}

func (s *steps) Read(p []byte) (int, error) {
	next := (*s)[0]
	*s = (*s)[1:]
	return next.n, next.err
}

func TestDataBeforeItsError(t *testing.T) {
	failed := errors.New("went wrong")
	s := NewSource(&steps{{3, failed}, {0, io.EOF}})
	if data, err := s.Read(10); len(data) != 3 || err != nil {
		t.Errorf("data: %q, %v", data, err)
	}
	if data, err := s.Read(10); len(data) != 0 || err != failed {
		t.Errorf("error: %q, %v", data, err)
	}
	if data, err := s.Read(10); len(data) != 0 || err != nil {
		t.Errorf("end: %q, %v", data, err)
	}
}

func TestReadersThatAreWrong(t *testing.T) {
	for _, n := range []int{-1, 1 << 40} {
		if _, err := NewSource(&steps{{n, nil}}).Read(10); err != errRead {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	empty := make(steps, 1000)
	if _, err := NewSource(&empty).Read(10); err != io.ErrNoProgress {
		t.Error(err)
	}
}

// writerOf is an io.Writer that returns what it is.
type writerOf struct {
	n   int
	err error
}

func (w writerOf) Write([]byte) (int, error) { return w.n, w.err }

func TestSink(t *testing.T) {
	var to bytes.Buffer
	if err := NewSink(&to).Write([]byte("abc")); err != nil || to.String() != "abc" {
		t.Errorf("%q, %v", to.String(), err)
	}
	failed := errors.New("went wrong")
	for want, w := range map[error]writerOf{io.ErrShortWrite: {2, nil}, errWrite: {4, nil}, failed: {1, failed}} {
		if err := NewSink(w).Write([]byte("abc")); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if err := NewSink(writerOf{-1, nil}).Write([]byte("abc")); err != errWrite {
		t.Error(err)
	}
}

// closing counts how often it is closed.
type closing struct {
	io.Reader
	io.Writer
	closed int
}

func (c *closing) Close() error { c.closed++; return errors.New("not flushed") }

func TestClose(t *testing.T) {
	c := &closing{Reader: strings.NewReader("abc"), Writer: io.Discard}
	source, sink := NewSource(c), NewSink(c)
	for _, s := range []io.Closer{source, sink} {
		if err := s.Close(); err == nil || err.Error() != "not flushed" {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error("again: ", err)
		}
	}
	if c.closed != 2 {
		t.Errorf("closed %d times", c.closed)
	}
	if _, err := source.Read(1); err != errClosed {
		t.Error(err)
	}
	if err := sink.Write(nil); err != errClosed {
		t.Error(err)
	}
	if err := NewSource(strings.NewReader("")).Close(); err != nil {
		t.Error("without Close: ", err)
	}
}

// calling is a reader that calls what it is.
type calling func()

func (c calling) Read([]byte) (int, error) { c(); return 0, io.EOF }

func TestSourceFromWithinItself(t *testing.T) {
	var s *Source
	s = NewSource(calling(func() {
		if _, err := s.Read(1); err != errBusy {
			t.Error("read: ", err)
		}
		if err := s.Close(); err != errBusy {
			t.Error("close: ", err)
		}
	}))
	if _, err := s.Read(1); err != nil {
		t.Error(err)
	}
}

func TestPiecesOfAnyLength(t *testing.T) {
	var got bytes.Buffer
	from := NewReader((&file{data: bytes.Repeat([]byte("ab"), 777)}).read, nil)
	if _, err := io.Copy(&got, io.LimitReader(from, 1001)); err != nil || got.Len() != 1001 {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	if n, err := from.WriteTo(&got); n != 1554-1001 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
