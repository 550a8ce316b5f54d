package main

import (
	"context"
	"errors"
	"io"
)

// A Document is a text with a title.
//
//undergo:resource
type Document struct {
	title string
	words []string
}

// NewDocument reads a text.
//
//undergo:export
func NewDocument(ctx context.Context, text string) (*Document, error) {
	if text == "" {
		return nil, errors.New("no text")
	}
	return &Document{title: text}, nil
}

// Title is the first line.
//
//undergo:export
func (d *Document) Title() string { return d.title }

// Rename has another one.
//
//undergo:export set-title
func (d *Document) Rename(ctx context.Context, title string) error {
	d.title = title
	return nil
}

// Find takes many parameters, which go through memory.
//
//undergo:export
func (d *Document) Find(a, b, c, e, f, g, h, i, j string) (int, bool) { return 0, false }

// Less takes another one.
//
//undergo:export
func (d *Document) Less(other *Document) bool { return d.title < other.title }

// Words is not exported.
func (d *Document) Words() []string { return d.words }

// Merge makes one of two.
//
//undergo:export
func Merge(a, b *Document) *Document { return a }

// MergeAll makes one of many, if there are any.
//
//undergo:export
func MergeAll(all []*Document, last **Document) (**Document, error) { return nil, nil }

// Split makes several of one.
//
//undergo:export
func Split(d *Document) ([]*Document, int) { return nil, 0 }

// A Shelf has documents.
type Shelf struct {
	Name   string
	First  *Document
	Others []*Document
	Last   *Document `undergo:",optional"`
	Cover  Cover
	Meta   Meta
}

// Meta has no document.
type Meta struct{ Owner string }

// A Cover may be a document itself.
//
//undergo:variant
type Cover interface{ isCover() }

type Blank struct{}

func (Blank) isCover()     {}
func (*Document) isCover() {}

// Arrange gives the shelf back.
//
//undergo:export
func Arrange(s Shelf, extra []*Document) (Shelf, error) { return s, nil }

// Name has nothing to do with documents.
//
//undergo:export
func Name(m Meta) string { return m.Owner }

// Holder is a record of one handle.
type Holder struct{ D *Document }

//undergo:export
func Hold(h Holder) Holder { return h }

// A Reader is a resource as a whole.
//
//undergo:resource
//undergo:export
type Reader struct{ from io.Reader }

// NewReader is its constructor.
func NewReader() *Reader { return &Reader{} }

// Next is a method by value.
func (r Reader) Next(n int32) ([]byte, error) { return nil, nil }

// Document is a name that it has in common with a type.
func (r *Reader) Document() *Document { return nil }

// Resource is a keyword.
func (r *Reader) Resource(string string) {}

func (r *Reader) hidden() {}

// Close ends it.
func (r *Reader) Close() error { return nil }

func main() {}
