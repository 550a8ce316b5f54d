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
	if len(p.Types) > 0 || p.Errors != nil {
		w.types()
	}
	w.world()
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

// rename is the local name of a type of undergo:go/types.
func (w *wit) rename(name string) string {
	if slices.ContainsFunc(w.Types, func(t *model.Type) bool { return t.Name == name }) {
		return "go-" + name
	}
	return name
}

func (w *wit) typ(t *model.Type) string { return t.WIT(w.rename) }

// uses brings the types that ts refer to into scope. own says whether that
// includes the plugin's own types.
func (w *wit) uses(ts []*model.Type, own bool) {
	mine, shared := model.Uses(ts)
	before := w.Len()
	if own && len(mine) > 0 {
		for i, n := range mine {
			mine[i] = model.Escape(n)
		}
		w.line("use types.{%s};", strings.Join(mine, ", "))
	}
	if len(shared) > 0 {
		for i, n := range shared {
			if local := w.rename(n); local != n {
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

func (w *wit) types() {
	w.line("/// Types of this plugin.")
	w.open("interface types")
	var fields []*model.Type
	for _, t := range w.Types {
		fields = append(fields, t.Parts()...)
	}
	w.uses(fields, false)
	for i, t := range w.Types {
		if i > 0 {
			w.line("")
		}
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
	if w.Errors != nil {
		w.line("")
		w.doc(w.Errors.Doc)
		w.open("variant %s", w.Errors.Name)
		for _, c := range w.Errors.Cases {
			w.variantCase(c)
		}
		w.close("}")
	}
	w.close("}")
	w.line("")
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
	w.uses(w.Used(w.Exports), true)
	for _, module := range w.Modules() {
		w.module(module)
	}
	if w.Context() {
		w.line("import undergo:go/context;")
		w.goPkg = true
	}
	if w.Refuses() {
		w.line("import undergo:go/refusal;")
		w.goPkg = true
	}
	if w.Context() || w.Refuses() || len(w.Imports) > 0 {
		w.line("")
	}
	for i, f := range w.Exports {
		if i > 0 {
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
		if f.Module == name {
			fns = append(fns, f)
		}
	}
	w.uses(w.Used(fns), true)
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
	for _, p := range f.Params {
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
	if w.Errors != nil {
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

// shared is the package of the types that WIT lacks, when it is referred to.
func (w *wit) shared() {
	if !w.goPkg {
		return
	}
	w.WriteString(`
package undergo:go {
  interface types {
    type duration = s64;
    type json = string;
    record time { seconds: s64, nanoseconds: u32, offset: s32 }
  }
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
	w.WriteString("}\n")
}
