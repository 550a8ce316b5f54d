package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing/iotest"
)

// CopyStream copies r to w.
//
//undergo:export
func CopyStream(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) }

// CopyInPieces copies r to w, size bytes at a time.
//
//undergo:export
func CopyInPieces(w io.Writer, r io.Reader, size int32) (total int64, err error) {
	piece := make([]byte, size)
	for {
		n, err := r.Read(piece)
		total += int64(n)
		if _, err := w.Write(piece[:n]); err != nil {
			return total, err
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// ReadStream is all that r has.
//
//undergo:export
func ReadStream(r io.Reader) ([]byte, error) { return io.ReadAll(r) }

// ReadHead is the first n bytes of r.
//
//undergo:export
func ReadHead(r io.Reader, n int32) ([]byte, error) {
	head := make([]byte, n)
	got, err := io.ReadFull(r, head)
	return head[:got], err
}

// DrainStream reads r to its end, and says how much it had.
//
//undergo:export
func DrainStream(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

// WriteStream writes text to w, n times.
//
//undergo:export
func WriteStream(w io.Writer, text string, n int32) (int64, error) {
	return io.Copy(w, io.LimitReader(&repeated{text: text}, int64(n)*int64(len(text))))
}

// WriteAndClose writes text to w and closes it.
//
//undergo:export
func WriteAndClose(w io.WriteCloser, text string) error {
	_, err := io.WriteString(w, text)
	return errors.Join(err, w.Close())
}

// ReadAndClose reads the first byte of r and closes it.
//
//undergo:export
func ReadAndClose(r io.ReadCloser) ([]byte, error) {
	head := make([]byte, 1)
	_, err := io.ReadFull(r, head)
	return head, errors.Join(err, r.Close())
}

// repeated is an endless stream of text.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], r.text[r.at:])
		n += k
		r.at = (r.at + k) % len(r.text)
	}
	return n, nil
}

// RepeatStream is text, n times.
//
//undergo:export
func RepeatStream(text string, n int32) io.Reader {
	return io.LimitReader(&repeated{text: text}, int64(n)*int64(len(text)))
}

// EndlessStream is text, again and again.
//
//undergo:export
func EndlessStream(text string) (io.Reader, error) {
	if text == "" {
		return nil, errors.New("no text")
	}
	return &repeated{text: text}, nil
}

// BytesOf is text, a byte at a time.
//
//undergo:export
func BytesOf(text string) io.Reader { return iotest.OneByteReader(strings.NewReader(text)) }

// TextThenError gives text and then, or together with the end of it, fails with msg.
//
//undergo:export
func TextThenError(text, msg string, together bool) io.Reader {
	r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New(msg)))
	if together {
		r = iotest.DataErrReader(r)
	}
	return r
}

// step is a reader that always returns the same.
type step struct{ n int }

func (s step) Read([]byte) (int, error) { return s.n, nil }

// WrongStream claims to have read n bytes, whatever it was asked for.
//
//undergo:export
func WrongStream(n int64) io.Reader { return step{int(n)} }

// PanicStream panics with msg when it is read.
//
//undergo:export
func PanicStream(msg string) io.Reader { return iotest.ErrReader(panicking(msg)) }

// panicking is an error that has no text.
type panicking string

func (p panicking) Error() string { panic(string(p)) }

// NoStream is none.
//
//undergo:export
func NoStream() io.Reader { return nil }

// closings counts how often a stream was closed.
var closings int32

// Closings is how often streams were closed since the last call.
//
//undergo:export
func Closings() int32 {
	n := closings
	closings = 0
	return n
}

// closing is a stream that counts.
type closing struct {
	io.Reader
	io.Writer
	msg string
}

func (c closing) Close() error {
	closings++
	if c.msg == "" {
		return nil
	}
	return errors.New(c.msg)
}

// OpenStream is text, and closed with the error msg, unless that is empty.
//
//undergo:export
func OpenStream(text, msg string) io.ReadCloser {
	return closing{Reader: strings.NewReader(text), msg: msg}
}

var collected bytes.Buffer

// limited takes most bytes.
type limited struct {
	to   io.Writer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.most {
		n, _ := l.to.Write(p[:l.most])
		l.most = 0
		return n, errors.New("no room")
	}
	l.most -= len(p)
	return l.to.Write(p)
}

// CollectStream collects most bytes for Collected, and fails beyond them. It is closed
// with the error msg, unless that is empty.
//
//undergo:export
func CollectStream(most int64, msg string) io.WriteCloser {
	collected.Reset()
	return closing{Writer: &limited{&collected, int(most)}, msg: msg}
}

// Collected is what was written to the last stream of CollectStream.
//
//undergo:export
func Collected() []byte { return collected.Bytes() }

// short takes half of what it is given.
type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, nil }

// ShortStream takes half of what it is given, and says nothing.
//
//undergo:export
func ShortStream() io.Writer { return short{} }

// UpperStream is r in capitals.
//
//undergo:export
//undergo:keep r
func UpperStream(r io.Reader) io.Reader { return &upper{r} }

type upper struct{ r io.Reader }

func (u *upper) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	copy(p, bytes.ToUpper(p[:n]))
	return n, err
}

// Through is a stream that writes to w what is written to it, between two brackets.
//
//undergo:export
//undergo:keep w
func Through(w io.WriteCloser) (io.WriteCloser, error) {
	_, err := io.WriteString(w, "[")
	return &through{w}, err
}

type through struct{ w io.WriteCloser }

func (t *through) Write(p []byte) (int, error) { return t.w.Write(p) }

func (t *through) Close() error {
	_, err := io.WriteString(t.w, "]")
	return errors.Join(err, t.w.Close())
}

var lateStream io.Reader

// NoteStream notes r for LateStream, although it ends with this call.
//
//undergo:export
func NoteStream(r io.Reader) { lateStream = r }

// LateStream reads what NoteStream was given.
//
//undergo:export
func LateStream() ([]byte, error) { return io.ReadAll(lateStream) }
