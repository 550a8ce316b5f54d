package parse

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

const prefix = "//undergo:"

// A directive is a comment that asks for something, on a function or variable.
type directive struct {
	verb string // export, import or fails
	args []string
	pos  token.Pos
	id   *ast.Ident    // what it is about
	typ  *ast.FuncType // nil unless it is spelled out
	doc  []string
	recv *resource   // of a method
	keep []directive // which parameters are kept beyond the call
}

// directives finds the directives for functions, notes those of types, and collects
// doc comments. A directive that stands elsewhere is a problem.
func (r *reader) directives() []directive {
	var found []directive
	var functions []function
	for _, file := range r.all() {
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
		for _, d := range take(file.Doc) {
			r.ofPackage(d, file)
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				functions = append(functions, function{decl, take(decl.Doc)})
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					docs := specDocs(decl, spec)
					ds := take(docs...)
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						r.typeDecl(spec, ds, docs)
						if it, ok := spec.Type.(*ast.InterfaceType); ok {
							for _, m := range it.Methods.List {
								r.ofMethod(m, take(m.Doc))
							}
						}
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							r.note(id, append(docs, spec.Comment)...)
						}
						kept := r.keptByHost(ds, spec.Names[0])
						for _, d := range ds {
							if d.verb == "keep" && kept != nil {
								continue
							}
							d.id, d.doc, d.keep = spec.Names[0], lines(docs...), kept
							d.typ, _ = spec.Type.(*ast.FuncType)
							if !r.wants(d, "import", "fails") {
								continue
							}
							if d.verb == "fails" {
								r.failsWith(r.info.Defs[d.id], d)
							} else if r.inMain(d) && r.importable(d, decl, spec) {
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
	// What a method is depends on its type, which may be declared behind it.
	for _, f := range functions {
		found = append(found, r.exported(f)...)
	}
	slices.SortStableFunc(found, func(a, b directive) int { return cmp.Compare(a.id.Pos(), b.id.Pos()) })
	return found
}

// A function is the declaration of a function or method, with its directives.
type function struct {
	decl       *ast.FuncDecl
	directives []directive
}

// exported are the directives by which the function is exported: its own, or that of
// its type.
func (r *reader) exported(f function) []directive {
	about := directive{id: f.decl.Name, typ: f.decl.Type, doc: lines(f.decl.Doc), recv: r.receiver(f.decl)}
	var found, keep []directive
	exports := false
	for _, d := range f.directives {
		d.id, d.typ, d.doc, d.recv = about.id, about.typ, about.doc, about.recv
		switch {
		case d.verb == "keep":
			keep = append(keep, d)
		case !r.wants(d, "export"):
		default:
			exports = true
			if r.exportable(d, f.decl) {
				found = append(found, d)
			}
		}
	}
	if !exports && r.implied(f.decl, about.recv) {
		about.verb, about.pos = "export", f.decl.Name.Pos()
		exports = true
		if r.exportable(about, f.decl) {
			found = append(found, about)
		}
	}
	for _, d := range keep {
		switch {
		case !exports:
			r.problem(d.pos, "//undergo:keep is about a parameter of an exported function, and %s is not exported", d.id.Name)
		case len(d.args) == 0:
			r.problem(d.pos, "//undergo:keep needs the name of the parameter that is kept")
		}
	}
	for i := range found {
		found[i].keep = keep
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

const known = "known are export, import, keep, enum, variant, error, resource, interface, fails, tuple, and value"

func (r *reader) misplaced(c *ast.Comment) {
	verb, _, _ := strings.Cut(strings.TrimPrefix(c.Text, prefix), " ")
	switch verb {
	case "export":
		r.problem(c.Pos(), "//undergo:export belongs to the doc comment of a function, without a blank line in between")
	case "import":
		r.problem(c.Pos(), "//undergo:import belongs to the doc comment of a variable of function type, without a blank line in between")
	case "keep":
		r.problem(c.Pos(), "//undergo:keep belongs to the doc comment of an exported function, without a blank line in between")
	case "interface":
		r.problem(c.Pos(), "//undergo:interface belongs to the comment above the word package, without a blank line in between")
	case "fails":
		r.problem(c.Pos(), "//undergo:fails belongs to the doc comment of an imported function, without a blank line in between")
	case "enum", "variant", "error", "resource", "tuple", "value":
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
	case "keep":
		r.problem(d.pos, "//undergo:keep belongs to an exported function, and %s is none", d.id.Name)
	case "import":
		r.problem(d.pos, "//undergo:import belongs to a variable: write `var %s func(...) ...`", d.id.Name)
	case "interface":
		r.problem(d.pos, "//undergo:interface belongs to the comment of a package, and %s is none", d.id.Name)
	case "fails":
		r.problem(d.pos, "//undergo:fails belongs to an imported function, and %s is none", d.id.Name)
	case "enum", "variant", "error", "resource", "tuple", "value":
		r.problem(d.pos, "//undergo:%s belongs to a type, and %s is none", d.verb, d.id.Name)
	default:
		r.problem(d.pos, "unknown directive //undergo:%s; %s", d.verb, known)
	}
	return false
}

func (r *reader) exportable(d directive, decl *ast.FuncDecl) bool {
	switch {
	case decl.Recv != nil && d.recv == nil:
		r.problem(d.pos, "method %s can't be exported: its type is no resource; mark the type with //undergo:resource, or export a function that calls it", d.id.Name)
	case d.recv != nil && d.recv.Resource == nil:
		return false // a problem of the resource's
	case d.recv != nil && d.id.Name == "Close":
		r.problem(d.pos, "method Close of resource %s is called when the last handle of an object ends, and can't be exported; leave the directive away, or give the method another name", d.recv.obj.Name())
	case decl.Type.TypeParams != nil:
		r.problem(d.pos, "generic function %s can't be exported; export a function for each type that it is needed for", d.id.Name)
	case !r.reaches(r.info.Defs[d.id], "func"):
		return false
	case r.foreignHome(r.info.Defs[d.id]) != nil:
		r.problem(d.pos, "func %s can't be exported: its package is an interface that the plugin imports", d.id.Name)
	case d.recv == nil && (d.id.Name == "main" || d.id.Name == "init") || d.id.Name == "_":
		r.problem(d.pos, "func %s can't be exported; give the function another name", d.id.Name)
	case len(d.args) > 1:
		r.problem(d.pos, "//undergo:export takes one name at most")
	default:
		return r.validName(d, d.args)
	}
	return false
}

// inMain says that the variable is one of package main, or of a package that is an interface.
// Others are ignored, with a warning.
func (r *reader) inMain(d directive) bool {
	obj := r.info.Defs[d.id]
	return obj == nil || obj.Pkg() == r.pkg || r.foreignHome(obj) != nil
}

func (r *reader) importable(d directive, decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	switch {
	case decl.Tok != token.VAR:
		r.problem(d.pos, "//undergo:import belongs to a variable: write `var %s func(...) ...`", d.id.Name)
	case len(spec.Names) != 1 || d.id.Name == "_":
		r.problem(d.pos, "//undergo:import is about one variable: declare each on its own")
	case len(spec.Values) > 0:
		r.problem(d.pos, "%s is set already; the host gives it its value, so declare it without one", d.id.Name)
	case r.foreignHome(r.info.Defs[d.id]) != nil:
		if len(d.args) > 1 {
			r.problem(d.pos, "//undergo:import takes a name only, in a package that is an interface")
			return false
		}
		if len(d.args) == 1 {
			if _, _, ok := model.Static(d.args[0]); ok {
				return r.reaches(r.info.Defs[d.id], "variable")
			}
		}
		return r.reaches(r.info.Defs[d.id], "variable") && r.validName(d, d.args)
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
	if it, ok := spec.Type.(*ast.InterfaceType); ok {
		for _, f := range it.Methods.List {
			for _, id := range f.Names {
				r.note(id, f.Doc, f.Comment)
			}
		}
	}
	obj := r.info.Defs[spec.Name]
	marks := 0
	for i, d := range ds {
		ds[i].id, d.id = spec.Name, spec.Name
		switch {
		case d.verb == "export" || !r.wants(d, "enum", "variant", "error", "resource", "tuple", "value") || obj == nil:
			continue
		case marks > 0:
			r.problem(d.pos, "type %s is marked twice; leave one directive", spec.Name.Name)
			continue
		}
		marks++
		switch {
		case spec.Assign.IsValid():
			r.problem(d.pos, "//undergo:%s belongs to the declaration of a type, and %s is another name for one", d.verb, spec.Name.Name)
		case d.verb == "variant":
			r.checkVariant(d, obj)
		case d.verb == "resource":
			r.checkResource(d, obj)
		case len(d.args) > 0:
			r.problem(d.pos, "//undergo:%s takes no argument", d.verb)
		case d.verb == "error":
			r.checkError(d, obj)
		case d.verb == "tuple" || d.verb == "value":
			r.checkShape(d, obj)
		default:
			r.enums[obj] = true
			r.checkEnum(d, obj)
		}
	}
	for _, d := range ds {
		if d.verb == "export" && obj != nil {
			r.exportMethods(d, obj)
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
