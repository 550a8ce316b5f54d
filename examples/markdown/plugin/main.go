// Markdown renders Markdown to HTML with goldmark, a Go library of which no
// line is changed.
package main

import (
	"bytes"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// Options say how a document is rendered.
type Options struct {
	// GitHub's tables, strikethrough, autolinks and task lists.
	Github bool
	// Whether HTML in the document is kept. It is left out otherwise.
	Unsafe bool
}

// Heading is a heading of a document.
type Heading struct {
	Level int
	Text  string
	ID    string
	Line  int // from 1
}

// Render gives the HTML of a Markdown document.
//
//undergo:export
func Render(source []byte, options *Options) (string, error) {
	var out bytes.Buffer
	if err := markdown(options).Convert(source, &out); err != nil {
		return "", err
	}
	return out.String(), nil
}

// Outline gives the headings of a Markdown document.
//
//undergo:export
func Outline(source []byte) []Heading {
	headings := []Heading{}
	document := markdown(nil).Parser().Parse(text.NewReader(source))
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		heading, ok := node.(*ast.Heading)
		if !ok || heading.Lines().Len() == 0 {
			continue
		}
		line := 1 + bytes.Count(source[:heading.Lines().At(0).Start], []byte("\n"))
		id, _ := heading.AttributeString("id")
		name, _ := id.([]byte)
		headings = append(headings, Heading{heading.Level, plain(heading, source), string(name), line})
	}
	return headings
}

func markdown(options *Options) goldmark.Markdown {
	made := []goldmark.Option{goldmark.WithParserOptions(parser.WithAutoHeadingID())}
	if options != nil && options.Github {
		made = append(made, goldmark.WithExtensions(extension.GFM))
	}
	if options != nil && options.Unsafe {
		made = append(made, goldmark.WithRendererOptions(html.WithUnsafe()))
	}
	return goldmark.New(made...)
}

// plain is the text of a node, without marks.
func plain(node ast.Node, source []byte) string {
	var out bytes.Buffer
	ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if part, ok := n.(*ast.Text); ok && entering {
			out.Write(part.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

func main() {}
