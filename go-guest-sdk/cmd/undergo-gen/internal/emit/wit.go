package emit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// WIT is the plugin's interface.
func WIT(p *model.Plugin) string {
	w := &wit{Plugin: p}
	w.line("package undergo:%s;", model.Escape(p.World))
	w.line("")
	for _, i := range p.Interfaces() {
		w.iface(i)
		w.line("")
	}
	w.world()
	w.foreign()
	w.shared()
	return w.String()
}

type wit struct {
	*model.Plugin
	strings.Builder
	indent int
	goPkg  bool // the package undergo:go was referred to
}

func (w *wit) line(format string, args ...any) {
	if format != "" {
		w.WriteString(strings.Repeat("  ", w.indent))
		fmt.Fprintf(w, format, args...)
	}
	w.WriteByte('\n')
}

func (w *wit) open(format string, args ...any) {
	w.line(format+" {", args...)
	w.indent++
}

func (w *wit) close(end string) {
	w.indent--
	w.line("%s", end)
}

func (w *wit) doc(lines []string) {
	for _, l := range lines {
		w.line("%s", strings.TrimRight("/// "+printable(l), " \t"))
	}
}

// printable drops what WIT does not allow even in comments: control characters,
// and others that could make text look like what it is not.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return c
		case unicode.IsControl(c), c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069,
			slices.Contains([]rune{0x149, 0x673, 0xf77, 0xf79, 0x17a3, 0x17a4, 0x17b4, 0x17b5, 0xfffd}, c):
			return -1
		}
		return c
	}, s)
}

func (w *wit) typ(t *model.Type) string { return t.WIT(w.Rename) }

// uses brings the types that ts refer to into the scope of the interface in, or into
// that of the world or an import, if that is nil.
func (w *wit) uses(ts []*model.Type, in *model.Interface) {
	own, shared := model.Uses(ts)
	before := w.Len()
	for _, use := range own {
		if use.Interface == in {
			continue
		}
		from := model.Escape(use.Interface.Name)
		if foreign := use.Interface.Foreign; foreign != "" && !together(use.Interface, in) {
			from = witID(foreign)
		}
		for i, n := range use.Names {
			use.Names[i] = model.Escape(n)
			if use.Interface.Shared {
				from = w.ID(use.Interface)
				if local := w.Rename(use.Interface.Local(n)); local != n {
					use.Names[i] = n + " as " + local
				}
				w.goPkg = true
			}
		}
		w.line("use %s.{%s};", from, strings.Join(use.Names, ", "))
	}
	if len(shared) > 0 {
		for i, n := range shared {
			if local := w.Rename(n); local != n {
				shared[i] = n + " as " + local
			}
		}
		w.line("use undergo:go/types.{%s};", strings.Join(shared, ", "))
		w.goPkg = true
	}
	if w.Len() > before {
		w.line("")
	}
}

// iface is an interface of the plugin's package: its resources, types and functions.
func (w *wit) iface(i *model.Interface) {
	var refers []*model.Type
	var parts []func()
	functions := model.In(w.Exports, i)
	if i.Foreign != "" {
		functions = model.In(w.Imports, i)
	}
	for _, r := range w.Resources {
		if r.Interface != i {
			continue
		}
		refers = append(refers, w.Used(r.Methods)...)
		if r.New != nil {
			refers = append(refers, w.Used([]*model.Func{r.New})...)
		}
		parts = append(parts, func() { w.resource(r) })
	}
	for _, t := range w.Types {
		if t.Home() == i {
			refers = append(refers, t.Parts()...)
			parts = append(parts, func() { w.declare(t) })
		}
	}
	for _, t := range w.Arrays {
		if t.Home() == i {
			refers = append(refers, t.Elem)
			parts = append(parts, func() { w.line("type %s = list<%s>;", t.Name, w.typ(t.Elem)) })
		}
	}
	if w.Errors != nil && i == model.Types {
		refers = append(refers, w.Errors.Parts()...)
		parts = append(parts, func() { w.declare(w.Errors) })
	}
	refers = append(refers, w.Used(functions)...)
	for _, f := range functions {
		if f.Static != nil {
			continue
		}
		parts = append(parts, func() {
			w.doc(f.Doc)
			w.line("%s: %s;", model.Escape(f.Name), w.fn(f))
		})
	}
	w.doc(i.Doc)
	w.open("interface %s", model.Escape(i.Name))
	w.uses(refers, i)
	for n, part := range parts {
		if n > 0 {
			w.line("")
		}
		part()
	}
	w.close("}")
}

func (w *wit) resource(r *model.Resource) {
	w.doc(r.Doc)
	functions := r.Methods
	if r.New != nil {
		functions = append([]*model.Func{r.New}, functions...)
	}
	for _, f := range w.Imports {
		if f.Static == r {
			functions = append(functions[:len(functions):len(functions)], f)
		}
	}
	if len(functions) == 0 {
		w.line("resource %s;", model.Escape(r.Name))
		return
	}
	w.open("resource %s", model.Escape(r.Name))
	for i, f := range functions {
		if i > 0 {
			w.line("")
		}
		w.doc(f.Doc)
		switch {
		case f.Constructor, f.Static != nil && f.Member() == "":
			w.line("%s;", w.constructor(f))
		case f.Static != nil:
			w.line("%s: static %s;", model.Escape(f.Member()), w.fn(f))
		default:
			w.line("%s: %s;", model.Escape(f.Name), w.fn(f))
		}
	}
	w.close("}")
}

// constructor is the declaration of a constructor, of which the result is understood.
func (w *wit) constructor(f *model.Func) string {
	s := "constructor" + strings.TrimPrefix(w.fn(f), "func")
	if !f.Error {
		s, _, _ = strings.Cut(s, " -> ")
	}
	return s
}

// declare is the declaration of a type.
func (w *wit) declare(t *model.Type) {
	w.doc(t.Doc)
	switch t.Kind {
	case model.Enum:
		w.open("enum %s", model.Escape(t.Name))
		for _, c := range t.Cases {
			w.doc(c.Doc)
			w.line("%s,", model.Escape(c.Name))
		}
	case model.Variant:
		w.open("variant %s", model.Escape(t.Name))
		for _, c := range t.Cases {
			w.variantCase(c)
		}
	default:
		w.open("record %s", model.Escape(t.Name))
		for _, f := range t.Fields {
			w.doc(f.Doc)
			w.line("%s: %s,", model.Escape(f.Name), w.typ(f.Type))
		}
	}
	w.close("}")
}

// variantCase is a case of a variant. What a type has a declaration for in WIT is
// documented there.
func (w *wit) variantCase(c model.Case) {
	if c.Type == nil || !c.Type.Named() {
		w.doc(c.Doc)
	}
	if c.Type == nil {
		w.line("%s,", model.Escape(c.Name))
	} else {
		w.line("%s(%s),", model.Escape(c.Name), w.typ(c.Type))
	}
}

func (w *wit) world() {
	w.open("world %s", model.Escape(w.World))
	exports := model.In(w.Exports, nil)
	w.uses(w.Used(exports), nil)
	for _, module := range w.Modules() {
		w.module(module)
	}
	for _, i := range w.Foreign() {
		w.line("import %s;", witID(i.Foreign))
	}
	if w.Context() {
		w.line("import undergo:go/context;")
		w.goPkg = true
	}
	if w.Refuses() {
		w.line("import undergo:go/refusal;")
		w.goPkg = true
	}
	if w.Context() || w.Refuses() || len(w.Modules())+len(w.Foreign()) > 0 {
		w.line("")
	}
	first := true
	for _, i := range append(w.SharedInterfaces(), w.Interfaces()...) {
		if i.Exported {
			name := model.Escape(i.Name)
			if i.Shared {
				name = w.ID(i)
			}
			w.line("export %s;", name)
			first = false
		}
	}
	for i, f := range exports {
		if i > 0 || !first {
			w.line("")
		}
		w.doc(f.Doc)
		w.line("export %s: %s;", model.Escape(f.Name), w.fn(f))
	}
	w.close("}")
}

// module is an imported interface. It has its own scope of type names.
func (w *wit) module(name string) {
	w.open("import %s: interface", model.Escape(name))
	var fns []*model.Func
	for _, f := range w.Imports {
		if f.Resource == nil && f.Interface == nil && f.Module == name {
			fns = append(fns, f)
		}
	}
	w.uses(w.Used(fns), nil)
	for i, f := range fns {
		if i > 0 {
			w.line("")
		}
		w.doc(f.Doc)
		w.line("%s: %s;", model.Escape(f.Name), w.fn(f))
	}
	w.close("}")
}

func (w *wit) fn(f *model.Func) string {
	var params, results []string
	declared := f.Params
	if f.Resource != nil && !f.Constructor {
		declared = declared[1:]
	}
	for _, p := range declared {
		params = append(params, model.Escape(p.Name)+": "+w.typ(p.Type))
	}
	for _, t := range f.Results {
		results = append(results, w.typ(t))
	}
	ok := strings.Join(results, ", ")
	if len(results) > 1 {
		ok = "tuple<" + ok + ">"
	}
	failure := "string"
	switch {
	case f.Fails != nil:
		failure = w.typ(f.Fails)
	case w.Chained(f):
		failure = "list<" + w.Errors.Name + ">"
	}
	s := "func(" + strings.Join(params, ", ") + ")"
	switch {
	case f.Error && ok == "":
		return s + " -> result<_, " + failure + ">"
	case f.Error:
		return s + " -> result<" + ok + ", " + failure + ">"
	case ok != "":
		return s + " -> " + ok
	}
	return s
}

// foreign are the packages of other interfaces that the plugin imports.
func (w *wit) foreign() {
	done := map[string]bool{}
	for _, i := range w.Foreign() {
		pkg, _, _ := model.Foreign(i.Foreign)
		if done[pkg] {
			continue
		}
		done[pkg] = true
		w.line("")
		w.open("package %s", pkg)
		first := true
		for _, other := range w.Foreign() {
			if !together(i, other) {
				continue
			}
			if !first {
				w.line("")
			}
			first = false
			w.iface(other)
		}
		w.close("}")
	}
}

// together says that both are interfaces of one package of WIT other than the plugin's.
func together(a, b *model.Interface) bool {
	if a == nil || b == nil || a.Foreign == "" || b.Foreign == "" {
		return false
	}
	one, _, _ := model.Foreign(a.Foreign)
	other, _, _ := model.Foreign(b.Foreign)
	return one == other
}

// witID is the whole name of an interface, as WIT text has it.
func witID(id string) string {
	pkg, name, _ := model.Foreign(id)
	path, version, found := strings.Cut(pkg, "@")
	if found {
		version = "@" + version
	}
	return path + "/" + model.Escape(name) + version
}

// shared is the package of the types that WIT lacks, when it is referred to.
func (w *wit) shared() {
	if !w.goPkg {
		return
	}
	batch := ""
	if slices.ContainsFunc(w.Resources, func(r *model.Resource) bool { return r.Carrier != nil && !r.Interface.Shared }) {
		batch = "    type batch = u32;\n"
	}
	w.WriteString(`
package undergo:go {
  interface types {
    type duration = s64;
    type json = string;
    record time { seconds: s64, nanoseconds: u32, offset: s32 }
` + batch + `  }
  interface context {
    deadline: func() -> s64;
  }
`)
	if w.Refuses() {
		w.WriteString(`  interface refusal {
    value: func(path: string, why: string);
    arguments: func(path: string, why: string);
    answer: func(function: string, path: string, why: string);
  }
`)
	}
	w.indent = 1
	for _, i := range w.SharedInterfaces() {
		w.open("interface %s", i.Name)
		for _, r := range w.Resources {
			if r.Interface == i {
				w.resource(r)
			}
		}
		w.close("}")
	}
	w.WriteString("}\n")
}
