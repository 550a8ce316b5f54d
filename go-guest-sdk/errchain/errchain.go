//go:build go1.24

// Package errchain takes errors apart, and puts them together, for the generated
// code of plugins that mark errors with //undergo:error.
package errchain

import (
	"errors"
	"strings"
)

const (
	// longest is the most errors of a chain that are carried.
	longest = 64
	// most is how many errors are looked at: one that wraps several, each of which
	// does so again, is soon of a billion.
	most = 1024
)

// A Link is an error of a chain.
type Link struct {
	Text string
	Err  error // the error itself, if it is marked
}

// Of is the chain of err, outermost first: the errors that it wraps, one within the
// other. Of an error that wraps several the marked ones are found, in the order in
// which errors.As finds them. number is that of an error's case, and 0 for one that
// is not marked.
func Of(err error, number func(error) uint32) []Link {
	w := walk{number: number}
	w.visit(err, 0, true)
	return w.links
}

type walk struct {
	number func(error) uint32
	links  []Link
	seen   int
}

// visit adds err and what it wraps. Of what lies beside others, texts alone say
// nothing: they are in that of the error around them.
func (w *walk) visit(err error, depth int, texts bool) {
	for ; err != nil && depth < longest && len(w.links) < longest && w.seen < most; depth++ {
		w.seen++
		if e, ok := err.(*wrapped); ok {
			if texts || e.own != nil {
				w.links = append(w.links, Link{e.text, e.own})
			}
			err = e.next
			continue
		}
		if w.number(err) != 0 {
			w.links = append(w.links, Link{text(err), err})
		} else if texts {
			w.links = append(w.links, Link{text(err), nil})
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				w.visit(inner, depth+1, false)
			}
			return
		default:
			return
		}
	}
}

// text is that of err. Texts are UTF-8: the engine of a component takes no other.
func text(err error) string { return strings.ToValidUTF8(err.Error(), "\uFFFD") }

// Join is the error of the chain that a host gave, outermost first. errors.As and
// errors.Is find the errors of the plugin in it.
func Join(links []Link) error {
	var err error
	for i := len(links) - 1; i >= 0; i-- {
		err = &wrapped{links[i].Text, links[i].Err, err}
	}
	if err == nil {
		return errors.New("")
	}
	return err
}

// A wrapped is an error of a host's: its text, the error of the plugin that it is,
// if it is one, and what it wraps.
type wrapped struct {
	text      string
	own, next error
}

func (e *wrapped) Error() string { return e.text }

func (e *wrapped) Unwrap() error { return e.next }

func (e *wrapped) As(target any) bool { return e.own != nil && errors.As(e.own, target) }

func (e *wrapped) Is(target error) bool { return e.own != nil && errors.Is(e.own, target) }
