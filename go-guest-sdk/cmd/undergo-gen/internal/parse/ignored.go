package parse

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// Ignored finds what looks like a directive for the plugin in dir and is none:
// in a package or file that the generator does not read, or not quite spelled as
// one. It finds the plugin's files that are left out because of cgo, too.
func Ignored(dir, glue string) (model.Problems, error) {
	const fields = "-json=Dir,ImportPath,Name,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports,Module,Standard,DepOnly,Error"
	pkgs, err := goList(dir, "-deps", fields, ".")
	if err != nil {
		return nil, err
	}
	// Packages below the plugin may have been forgotten where it imports others.
	// Those that are built on their own are not meant.
	below, err := goList(dir, "-find", fields, "./...")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, p := range pkgs {
		seen[p.ImportPath] = true
	}
	for _, p := range below {
		if p.Name != "main" && !seen[p.ImportPath] {
			p.DepOnly = true
			pkgs = append(pkgs, p)
		}
	}
	in := &ignored{fset: token.NewFileSet(), glue: glue}
	for _, p := range pkgs {
		if !p.DepOnly {
			in.main = p
		}
	}
	for _, p := range pkgs {
		if !p.Standard {
			in.pkg(p)
		}
	}
	return in.problems, nil
}

type ignored struct {
	fset     *token.FileSet
	glue     string
	main     listed
	problems model.Problems
}

func (in *ignored) pkg(p listed) {
	own := p.Module != nil && p.Module.Main
	switch {
	case p.DepOnly && reads(in.main, p):
		// Its own init functions run before the variables of main are set.
		declares := declaresInterface(p)
		imports := func(verb string) string {
			if verb != "import" || declares {
				return ""
			}
			return "is ignored in package " + p.Name + ": the host sets variables of the plugin's package main, which may give them to others"
		}
		for _, name := range p.GoFiles {
			in.file(filepath.Join(p.Dir, name), imports)
		}
		in.leftOut(p)
	case p.DepOnly:
		why := "is ignored in package " + p.Name + ": it counts in the plugin's package main, and in packages of its module that main imports"
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
			in.file(filepath.Join(p.Dir, name), all(why))
		}
	default:
		for _, name := range p.GoFiles {
			in.file(filepath.Join(p.Dir, name), all(""))
		}
		in.leftOut(p)
	}
	if own {
		for _, name := range p.IgnoredGoFiles {
			in.cgo(filepath.Join(p.Dir, name))
		}
	}
}

// declaresInterface says that the package is an interface of another package of WIT, whose
// functions its variables are.
func declaresInterface(p listed) bool {
	return slices.ContainsFunc(p.GoFiles, func(name string) bool {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		return err == nil && bytes.Contains(text, []byte("\n"+prefix+"interface "))
	})
}

// leftOut looks at the files of a package that are not read, although the package is.
func (in *ignored) leftOut(p listed) {
	for _, name := range p.IgnoredGoFiles {
		in.file(filepath.Join(p.Dir, name), all("is ignored: its file is not built for wasip1"))
	}
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		in.file(filepath.Join(p.Dir, name), all("is ignored in a test file"))
	}
}

// all is what all directives of a file share.
func all(why string) func(verb string) string { return func(string) string { return why } }

// file looks at the comments of a file. why says what is wrong with a directive there; if
// that is empty, the good ones are read elsewhere.
func (in *ignored) file(file string, why func(verb string) string) {
	text, err := os.ReadFile(file)
	// What can't be read or parsed is reported by who needs it.
	if err != nil || filepath.Base(file) == in.glue || IsGlue(text) || !bytes.Contains(text, []byte("//")) && !bytes.Contains(text, []byte("/*")) {
		return
	}
	if !mention.Match(text) {
		return
	}
	f, _ := parser.ParseFile(in.fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if f == nil {
		return
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			meant, exact := directiveIn(c)
			switch {
			case meant == "":
			case why(meant) != "":
				in.warn(c.Pos(), "//undergo:%s %s", meant, why(meant))
			case !exact:
				in.warn(c.Pos(), "this is no directive, and is ignored: it is spelled //undergo:%s, without a space", meant)
			}
		}
	}
}

// cgo reports a file that is left out for nothing but its import "C". One with a
// build constraint of its own is left out on purpose.
func (in *ignored) cgo(file string) {
	f, err := parser.ParseFile(in.fset, file, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return
	}
	for _, group := range f.Comments {
		if group.Pos() < f.Package && slices.ContainsFunc(group.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:build ") }) {
			return
		}
	}
	for _, spec := range f.Imports {
		if spec.Path.Value == `"C"` {
			in.warn(spec.Pos(), "this file is left out of the plugin: it imports \"C\", and there is no cgo for WebAssembly")
		}
	}
}

func (in *ignored) warn(pos token.Pos, format string, args ...any) {
	in.problems.Add(in.fset.Position(pos), "warning: "+format, args...)
}

var (
	verbs = []string{"export", "import", "keep", "enum", "variant", "error", "resource", "interface", "fails", "tuple", "value"}

	// mention is what a file has that is worth parsing.
	mention = regexp.MustCompile(`(?i):\s*(export|import|keep|enum|variant|error|resource|interface|fails|tuple|value)|undergo`)

	// spelled is a comment that may be meant as a directive: a word, a verb, and
	// at most two arguments. More words are prose.
	spelled = regexp.MustCompile(`^(\s*)[+@]?(?:go:)?(\w+)(\s*:\s*|[-_. ])(\w+)((?:[ \t]+[\w-]+){0,2})\s*$`)
)

// directiveIn is the verb of the directive that c is, or is meant to be, or "".
func directiveIn(c *ast.Comment) (verb string, exact bool) {
	if text, ok := strings.CutPrefix(c.Text, prefix); ok {
		if words := strings.Fields(text); len(words) > 0 {
			return words[0], true
		}
		return "", false
	}
	lines := []string{strings.TrimPrefix(c.Text, "//")}
	if block, ok := strings.CutPrefix(c.Text, "/*"); ok {
		lines = strings.Split(strings.TrimSuffix(block, "*/"), "\n")
	}
	for _, line := range lines {
		m := spelled.FindStringSubmatch(strings.TrimRight(line, "\r"))
		if m == nil {
			continue
		}
		space, word, colon, args := m[1] != "", strings.ToLower(m[2]), strings.Contains(m[3], ":"), m[5]
		i := slices.IndexFunc(verbs, func(v string) bool { return near(strings.ToLower(m[4]), v) })
		if i < 0 || !near(word, "undergo") {
			continue
		}
		// Without a colon it is a directive only where it looks like one otherwise: // undergo export is
		// prose.
		if colon || !space && args == "" {
			return verbs[i], false
		}
	}
	return "", false
}

// near says that two words differ by a slip: a letter that is wrong, missing or
// too many, or two that are swapped.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a)+1 == len(b) {
		return a[i:] == b[i+1:]
	}
	if len(a) != len(b) {
		return false
	}
	if i >= len(a)-1 || a[i+1:] == b[i+1:] {
		return true
	}
	return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
