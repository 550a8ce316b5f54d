package emit

import (
	"bytes"
	"fmt"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// id is a name for something in the glue. It gets out of the way of what the
// plugin declares.
func (g *glue) id(name string) string {
	for g.Taken[name] {
		name += "_"
	}
	return name
}

// of is the name of what belongs to f, such as its return area.
func (g *glue) of(f *model.Func, what string) string { return g.id("undergo" + what + g.bases[f]) }

// temp is the name of a new local variable.
func (g *glue) temp() string {
	g.counter++
	return g.id(fmt.Sprintf("v%d", g.counter))
}

// own are the names that the glue declares itself: those of local variables, and
// of what belongs to the package.
var own = regexp.MustCompile(`^([a-z][0-9]*|args|at|call|cancel|ctx|err|init|links|out|params|ret|start|text|tmp)_*$|^undergo[A-Z]`)

// pkg is the name of the package of that path, whose own name is name, in a line
// that is written now: the file imports what was asked for in this way. The name
// differs from all that the plugin and the glue declare, and from predeclared ones.
func (g *glue) pkg(path, name string) string {
	if have, ok := g.imports[path]; ok {
		return have
	}
	used := func(name string) bool {
		return own.MatchString(name) || g.Taken[name] || types.Universe.Lookup(name) != nil ||
			slices.Contains(slices.Collect(maps.Values(g.imports)), name)
	}
	for used(name) {
		name = "go" + title(name)
	}
	g.imports[path] = name
	return name
}

// sdkName is what the SDK declares under that name.
func (g *glue) sdkName(name string) string { return g.pkg(g.path, "undergo") + "." + name }

// sdk is a call of the SDK's function name.
func (g *glue) sdk(name string, args ...string) string {
	return g.sdkName(name) + "(" + strings.Join(args, ", ") + ")"
}

// jsonValue is what the SDK declares under that name for JSON.
func (g *glue) jsonValue(name string) string {
	return g.pkg(g.path+"/jsonvalue", "jsonvalue") + "." + name
}

// textValue is what the SDK declares under that name for types with a text form.
func (g *glue) textValue(name string) string {
	return g.pkg(g.path+"/textvalue", "textvalue") + "." + name
}

func (g *glue) unsafe() string { return g.pkg("unsafe", "unsafe") }

// pointer is the type of pointers into memory that has no type.
func (g *glue) pointer() string { return g.unsafe() + ".Pointer" }

// typ is the Go expression of t.
func (g *glue) typ(t *model.Type) string { return g.expand(t.Go) }

// expand is a Go expression of the model's, for this file.
func (g *glue) expand(expr string) string {
	return model.Expand(expr, func(path, name string) string {
		if path == "" {
			return g.pre(name)
		}
		if sub, ok := model.OfSDK(path); ok {
			path = g.path + "/" + sub
		}
		return g.pkg(path, name)
	})
}

// A plugin may declare names that Go predeclares. What they stand for elsewhere
// has other names in a package of the SDK.

func (g *glue) predeclared(name string) string {
	return g.pkg(g.path+"/predeclared", "predeclared") + "." + name
}

// pre is the predeclared type of that name.
func (g *glue) pre(name string) string {
	if g.Taken[name] {
		return g.predeclared(title(name))
	}
	return name
}

// core is the Go type of a core value.
func (g *glue) core(c model.Core) string { return g.pre(string(c)) }

// length is the number of elements or bytes of value, which is of type t.
func (g *glue) length(t *model.Type, value string) string {
	switch {
	case !g.Taken["len"]:
		return "len(" + value + ")"
	case t.Kind == model.String:
		return g.predeclared("LenString") + "(" + value + ")"
	case t.Kind == model.Map:
		return g.predeclared("LenMap") + "(" + value + ")"
	case t.Kind == model.Array:
		return fmt.Sprint(t.Len)
	}
	return g.predeclared("LenSlice") + "(" + value + ")"
}

// length32 is the same as a core value.
func (g *glue) length32(t *model.Type, value string) string {
	return g.pre("uint32") + "(" + g.length(t, value) + ")"
}

// made is a new slice or map of type t with n elements, or room for them.
func (g *glue) made(t *model.Type, n string) string {
	switch {
	case !g.Taken["make"]:
		return "make(" + g.typ(t) + ", " + n + ")"
	case t.Kind == model.Map:
		return g.predeclared("MakeMap") + "[" + g.typ(t) + "](" + n + ")"
	}
	return g.predeclared("MakeSlice") + "[" + g.typ(t) + "](" + n + ")"
}

// some says that the pointer p is not nil.
func (g *glue) some(p string) string {
	if g.Taken["nil"] {
		return g.predeclared("Some") + "(" + p + ")"
	}
	return p + " != nil"
}

// failed says that the error err is one.
func (g *glue) failed(err string) string {
	if g.Taken["nil"] {
		return g.predeclared("Failed") + "(" + err + ")"
	}
	return err + " != nil"
}

// importDecl imports the packages that the body refers to.
func (g *glue) importDecl(file *bytes.Buffer) {
	file.WriteString("import (\n")
	paths := slices.SortedFunc(maps.Keys(g.imports), func(a, b string) int {
		if std := strings.Compare(stdFirst(a), stdFirst(b)); std != 0 {
			return std
		}
		return strings.Compare(a, b)
	})
	group := ""
	for _, p := range paths {
		if group != "" && group != stdFirst(p) {
			file.WriteByte('\n')
		}
		group = stdFirst(p)
		if name := g.imports[p]; name == path.Base(p) {
			fmt.Fprintf(file, "%q\n", p)
		} else {
			fmt.Fprintf(file, "%s %q\n", name, p)
		}
	}
	file.WriteString(")\n\n")
}

func stdFirst(p string) string {
	first, _, _ := strings.Cut(p, "/")
	if strings.Contains(first, ".") {
		return "1"
	}
	return "0"
}

// title is a Go name as a part of another.
func title(s string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == '.' || c == '_' || c == '-' }) {
		first, n := utf8.DecodeRuneInString(word)
		b.WriteRune(unicode.ToUpper(first))
		b.WriteString(word[n:])
	}
	return b.String()
}
