package parse

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

const prefix = "//undergo:"

// A directive is a comment that asks for something, on a function or variable.
type directive struct {
	verb string // export or import
	args []string
	pos  token.Pos
	id   *ast.Ident    // what it is about
	typ  *ast.FuncType // nil unless it is spelled out
	doc  []string
}

// directives finds the directives for functions, notes the enums, and collects
// doc comments. A directive that stands elsewhere is a problem.
func (r *reader) directives() []directive {
	var found []directive
	for _, file := range r.files {
		used := map[*ast.Comment]bool{}
		take := func(groups ...*ast.CommentGroup) []directive {
			var ds []directive
			for _, g := range groups {
				if g == nil {
					continue
				}
				for _, c := range g.List {
					if text, ok := strings.CutPrefix(c.Text, prefix); ok {
						words := strings.Fields(text)
						if len(words) == 0 {
							continue
						}
						used[c] = true
						ds = append(ds, directive{verb: words[0], args: words[1:], pos: c.Pos()})
					}
				}
			}
			return ds
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				for _, d := range take(decl.Doc) {
					d.id, d.typ, d.doc = decl.Name, decl.Type, lines(decl.Doc)
					if r.wants(d, "export") && r.exportable(d, decl) {
						found = append(found, d)
					}
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					docs := specDocs(decl, spec)
					ds := take(docs...)
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						r.typeDecl(spec, ds, docs)
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							r.note(id, append(docs, spec.Comment)...)
						}
						for _, d := range ds {
							d.id, d.doc = spec.Names[0], lines(docs...)
							d.typ, _ = spec.Type.(*ast.FuncType)
							if r.wants(d, "import") && r.importable(d, decl, spec) {
								found = append(found, d)
							}
						}
					}
				}
			}
		}
		for _, g := range file.Comments {
			for _, c := range g.List {
				if strings.HasPrefix(c.Text, prefix) && !used[c] {
					r.misplaced(c)
				}
			}
		}
	}
	return found
}

// specDocs are the comments that document a declaration. The comment of a
// declaration without parentheses is that of its only spec.
func specDocs(decl *ast.GenDecl, spec ast.Spec) []*ast.CommentGroup {
	var docs []*ast.CommentGroup
	if !decl.Lparen.IsValid() {
		docs = append(docs, decl.Doc)
	}
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		docs = append(docs, spec.Doc)
	case *ast.ValueSpec:
		docs = append(docs, spec.Doc)
	}
	return docs
}

const known = "known are export, import, enum, variant, and error"

func (r *reader) misplaced(c *ast.Comment) {
	verb, _, _ := strings.Cut(strings.TrimPrefix(c.Text, prefix), " ")
	switch verb {
	case "export":
		r.problem(c.Pos(), "//undergo:export belongs to the doc comment of a function, without a blank line in between")
	case "import":
		r.problem(c.Pos(), "//undergo:import belongs to the doc comment of a variable of function type, without a blank line in between")
	case "enum", "variant", "error":
		r.problem(c.Pos(), "//undergo:%s belongs to the doc comment of a type, without a blank line in between", verb)
	default:
		r.problem(c.Pos(), "unknown directive //undergo:%s; %s", verb, known)
	}
}

// wants says that the directive is one of those that its place allows.
func (r *reader) wants(d directive, verbs ...string) bool {
	if slices.Contains(verbs, d.verb) {
		return true
	}
	switch d.verb {
	case "export":
		r.problem(d.pos, "//undergo:export belongs to a function, and %s is none", d.id.Name)
	case "import":
		r.problem(d.pos, "//undergo:import belongs to a variable: write `var %s func(...) ...`", d.id.Name)
	case "enum", "variant", "error":
		r.problem(d.pos, "//undergo:%s belongs to a type, and %s is none", d.verb, d.id.Name)
	default:
		r.problem(d.pos, "unknown directive //undergo:%s; %s", d.verb, known)
	}
	return false
}

func (r *reader) exportable(d directive, decl *ast.FuncDecl) bool {
	switch {
	case decl.Recv != nil:
		r.problem(d.pos, "method %s can't be exported; export a function that calls it", d.id.Name)
	case decl.Type.TypeParams != nil:
		r.problem(d.pos, "generic function %s can't be exported; export a function for each type that it is needed for", d.id.Name)
	case d.id.Name == "main" || d.id.Name == "init" || d.id.Name == "_":
		r.problem(d.pos, "func %s can't be exported; give the function another name", d.id.Name)
	case len(d.args) > 1:
		r.problem(d.pos, "//undergo:export takes one name at most")
	default:
		return r.validName(d, d.args)
	}
	return false
}

func (r *reader) importable(d directive, decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	switch {
	case decl.Tok != token.VAR:
		r.problem(d.pos, "//undergo:import belongs to a variable: write `var %s func(...) ...`", d.id.Name)
	case len(spec.Names) != 1 || d.id.Name == "_":
		r.problem(d.pos, "//undergo:import is about one variable: declare each on its own")
	case len(spec.Values) > 0:
		r.problem(d.pos, "%s is set already; the host gives it its value, so declare it without one", d.id.Name)
	case len(d.args) == 0:
		r.problem(d.pos, "//undergo:import needs the name of the module that %s comes from", d.id.Name)
	case len(d.args) > 2:
		r.problem(d.pos, "//undergo:import takes a module and a name")
	default:
		return r.validName(d, d.args)
	}
	return false
}

func (r *reader) validName(d directive, names []string) bool {
	for _, n := range names {
		if !model.IsKebab(n) {
			r.problem(d.pos, "%q is not a name in WIT: words of lower-case letters and digits, joined by hyphens", n)
			return false
		}
	}
	return true
}

// typeDecl notes the documentation of a type, and what its directives make of it.
func (r *reader) typeDecl(spec *ast.TypeSpec, ds []directive, docs []*ast.CommentGroup) {
	r.note(spec.Name, docs...)
	if obj := r.info.Defs[spec.Name]; obj != nil && !spec.Assign.IsValid() {
		r.origins[obj] = r.info.TypeOf(spec.Type)
	}
	if st, ok := spec.Type.(*ast.StructType); ok {
		for _, f := range st.Fields.List {
			for _, id := range f.Names {
				r.note(id, f.Doc, f.Comment)
			}
		}
	}
	for _, d := range ds {
		d.id = spec.Name
		obj := r.info.Defs[spec.Name]
		switch {
		case !r.wants(d, "enum", "variant", "error") || obj == nil:
		case d.verb == "variant":
			r.checkVariant(d, obj)
		case len(d.args) > 0:
			r.problem(d.pos, "//undergo:%s takes no argument", d.verb)
		case d.verb == "error":
			r.checkError(d, obj)
		default:
			r.enums[obj] = true
			r.checkEnum(d, obj)
		}
	}
}

// note keeps the doc comment of what id declares.
func (r *reader) note(id *ast.Ident, docs ...*ast.CommentGroup) {
	if obj := r.info.Defs[id]; obj != nil {
		r.docs[obj] = lines(docs...)
	}
}

// lines is the text of the first comment that has any, without directives.
func lines(docs ...*ast.CommentGroup) []string {
	for _, d := range docs {
		if d == nil {
			continue
		}
		if text := strings.TrimSpace(d.Text()); text != "" {
			return strings.Split(text, "\n")
		}
	}
	return nil
}

func (r *reader) problem(pos token.Pos, format string, args ...any) {
	r.Add(r.fset.Position(pos), format, args...)
}
