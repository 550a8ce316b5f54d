package emit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// given says that the host gets a handle.
func given(t *model.Type) bool { return t.Given() }

// taken says that the host gives a handle of the guest's own away.
func taken(t *model.Type) bool { return t.Kind == model.Handle && !t.Resource.Host && t.Own }

// borrows says that the handle stays with who passed it.
func borrows(t *model.Type) bool { return t.Kind == model.Handle && !t.Own }

// borrowed is borrows of what the host implements.
func borrowed(t *model.Type) bool { return t.Hosted() && !t.Own }

// passed says that something has to be done about a handle in an argument when the
// call ends.
func passed(t *model.Type) bool { return taken(t) || borrowed(t) }

// abandons says that the plugin may come to have handles that nothing needs any more.
func abandons(p *model.Plugin) bool {
	for _, f := range p.Exports {
		if anyOf(f.ParamTypes(), taken) || anyOf(f.ParamTypes(), owned) {
			return true
		}
	}
	for _, f := range p.Imports {
		if anyOf(f.Results, owned) || f.Fails != nil && f.Fails.Any(owned) {
			return true
		}
	}
	return false
}

// owned says that the guest ends a handle of what the host implements.
func owned(t *model.Type) bool { return t.Hosted() && t.Own }

// handle is the handle of value, of the type t, for the host.
func (g *glue) handle(t *model.Type, value string) string {
	switch {
	case t.Resource.Host && t.Own:
		return value + ".Give()"
	case t.Resource.Host:
		return value + ".Handle()"
	}
	from := "*" + t.Resource.Go
	if t.Resource.Carrier != nil {
		from = t.Resource.Carrier.Go
	}
	return g.give(t.Resource) + "(" + convert(g.expand(from), g.typ(t), value) + ")"
}

// held is the value of type t of which the host has passed the handle.
func (g *glue) held(t *model.Type, handle string) string {
	switch {
	case t.Resource.Host && t.Own:
		return g.object(t.Resource) + "(" + g.sdk("Own", handle, g.drop(t.Resource)) + ")"
	case t.Resource.Host:
		return g.object(t.Resource) + "(" + g.sdk("Borrow", handle, g.drop(t.Resource)) + ")"
	case t.Own:
		return convert(g.typ(t), "*"+g.expand(t.Resource.Go), g.take(t.Resource)+"("+handle+")")
	}
	return convert(g.typ(t), "*"+g.expand(t.Resource.Go), g.table(t.Resource)+".At("+handle+")")
}

// resourceName is the name of r as a part of others.
func resourceName(r *model.Resource) string {
	name := r.Name
	if r.Interface.Shared {
		name = r.Interface.Local(name)
	}
	return title(strings.ReplaceAll(name, "-", "_"))
}

// shown is what objects of r are called in messages.
func shown(r *model.Resource) string {
	if r.Carrier != nil {
		return r.Name
	}
	return r.Shown()
}

// ofResource is once for what belongs to r.
func (g *glue) ofResource(r *model.Resource, verb string, write func(name string)) string {
	return g.once(verb+" resource "+r.Interface.Name+" "+r.Name, "undergo"+verb+resourceName(r), write)
}

// table is the variable that has the objects of r for which the host has handles.
func (g *glue) table(r *model.Resource) string {
	return g.ofResource(r, "Objects", func(name string) {
		g.line("// %s are those for which the host has handles.", name)
		with := "NewTable"
		if r.Closes {
			with = "NewCountingTable"
		}
		g.line("var %s = %s[%s](%q)\n", name, g.sdkName(with), g.expand(r.Go), shown(r))
	})
}

// builtin is the function of the host's that does verb to handles of r.
func (g *glue) builtin(r *model.Resource, prefix, verb, result string) string {
	return g.ofResource(r, title(verb), func(name string) {
		g.line("//go:wasmimport %s%s [resource-%s]%s", prefix, g.ID(r.Interface), verb, r.Name)
		g.line("func %s(%s) %s\n", name, g.pre("uint32"), result)
	})
}

// drop is the function that ends a handle of r.
func (g *glue) drop(r *model.Resource) string {
	if r.Host {
		return g.builtin(r, "", "drop", "")
	}
	return g.builtin(r, "[export]", "drop", "")
}

// give is the function that makes a handle of an object of r.
func (g *glue) give(r *model.Resource) string {
	return g.ofResource(r, "Give", func(name string) {
		v, word := g.id("v"), g.pre("uint32")
		g.line("// %s makes a handle for the host.", name)
		if c := r.Carrier; c != nil {
			p := g.id("p")
			g.line("func %s(%s %s) %s {", name, v, g.expand(c.Go), word)
			g.line("if %s := %s(%s); %s && %s {", p, g.expand(c.New), v, g.some(p), g.sdk("Gives"))
			g.line("return %s(%s.Add(%s))\n}", g.builtin(r, "[export]", "new", word), g.table(r), p)
			g.line("return %s\n}\n", g.sdk("NoObject", strconv.Quote(model.Expand(c.Go, func(_, name string) string { return name }))))
			return
		}
		g.line("func %s(%s *%s) %s {", name, v, g.expand(r.Go), word)
		g.line("if %s && %s {\nreturn %s(%s.Add(%s))\n}", g.some(v), g.sdk("Gives"), g.builtin(r, "[export]", "new", word), g.table(r), v)
		g.line("return %s\n}\n", g.sdk("NoObject", strconv.Quote(r.Shown())))
	})
}

// take is the function that gives the object of a handle of r which the host has given
// away.
func (g *glue) take(r *model.Resource) string {
	return g.ofResource(r, "Take", func(name string) {
		v, word := g.id("v"), g.pre("uint32")
		g.line("// %s gives the object of a handle that ends with the call.", name)
		g.line("func %s(%s %s) *%s {", name, v, word, g.expand(r.Go))
		g.line("%s", g.sdk("Given", v, g.drop(r)))
		g.line("return %s.At(%s(%s))\n}\n", g.table(r), g.builtin(r, "[export]", "rep", word), v)
	})
}

// destructor writes the function that the host calls when a handle of r has ended.
func (g *glue) destructor(r *model.Resource) {
	p, v, last := g.id("p0"), g.id("v"), g.id("ok")
	g.line("//go:wasmexport %s#[dtor]%s", g.ID(r.Interface), r.Name)
	g.line("func %s(%s %s) {", g.unique("undergoEnd"+resourceName(r)), p, g.pre("uint32"))
	if r.Carrier != nil {
		g.now()
		g.line("%s, _ := %s.Remove(%s)\n%s.%s()", v, g.table(r), p, v, r.Carrier.End)
		g.await()
	} else if r.Closes {
		g.now()
		g.line("if %s, %s := %s.Remove(%s); %s {\n%s.Close()\n}", v, last, g.table(r), p, last, v)
		g.await()
	} else {
		g.line("%s.Remove(%s)", g.table(r), p)
	}
	g.line("}\n")
}

// object is the function that makes the Go value of a reference to what the host
// implements.
func (g *glue) object(r *model.Resource) string {
	return g.ofResource(r, "Object", func(name string) {
		ref := g.id("v")
		if c := r.Carrier; c != nil {
			g.line("func %s(%s *%s) %s {", name, ref, g.sdkName("Ref"), g.expand(r.Go))
			g.line("return %s(", g.expand(c.New))
			for _, f := range r.Methods {
				params, args, results := g.forwarded(f)
				g.line("func(%s) (%s) { %s%s(%s) },", params, results, returning(f), g.of(f, "Import"), args(ref))
			}
			g.line(")%s\n}\n", c.Then)
			return
		}
		if r.Callback {
			f := r.Methods[0]
			params, args, results := g.forwarded(f)
			g.line("func %s(%s *%s) %s {", name, ref, g.sdkName("Ref"), g.expand(r.Go))
			g.line("return func(%s) (%s) { %s%s(%s) }\n}\n", params, results, returning(f), g.of(f, "Import"), args(ref))
			return
		}
		typ := g.objectType(r)
		g.line("// %s is what the host implements as a %s.", typ, r.Shown())
		g.line("type %s struct { ref *%s }\n", typ, g.sdkName("Ref"))
		g.line("func %s(%s *%s) %s { return %s{%s} }\n", name, ref, g.sdkName("Ref"), g.expand(r.Go), typ, ref)
		for _, f := range r.Methods {
			params, args, results := g.forwarded(f)
			g.line("func (%s %s) %s(%s) (%s) { %s%s(%s) }\n", ref, typ, f.Method, params, results, returning(f), g.of(f, "Import"), args(ref+".ref"))
		}
	})
}

// objectType is the name of the type of what the host implements as r.
func (g *glue) objectType(r *model.Resource) string {
	name, ok := g.objects[r]
	if !ok {
		name = g.unique("undergoType" + resourceName(r))
		g.objects[r] = name
	}
	return name
}

// reference is the function that finds out to what object of the host's a Go value refers.
func (g *glue) reference(r *model.Resource) string {
	g.object(r)
	return g.ofResource(r, "Reference", func(name string) {
		v, of := g.id("v"), g.id("ref")
		g.line("// %s is the host's object in %s. The plugin may have types of the same methods.", name, v)
		g.line("func %s(%s %s) *%s {", name, v, g.expand(r.Go), g.sdkName("Ref"))
		g.line("%s, _ := %s.(%s)", of, v, g.objectType(r))
		g.line("return %s\n}\n", g.sdk("OfHost", of+".ref", strconv.Quote(r.Shown())))
	})
}

func returning(f *model.Func) string {
	if len(f.Results) > 0 || f.Error {
		return "return "
	}
	return ""
}

// forwarded are the parameters and results of f, as Go has them, and the arguments by
// which it calls the host about a reference.
func (g *glue) forwarded(f *model.Func) (params string, args func(ref string) string, results string) {
	var ps, rs, as []string
	ctx := ""
	if f.Context {
		ctx = g.id("ctx") + ", "
		ps = append(ps, g.id("ctx")+" "+g.pkg("context", "context")+".Context")
	}
	for i, p := range f.Params[1:] {
		name := g.id(fmt.Sprintf("a%d", i+1))
		ps = append(ps, name+" "+g.typ(p.Type))
		as = append(as, ", "+name)
	}
	for _, t := range f.Results {
		rs = append(rs, g.typ(t))
	}
	if f.Error {
		rs = append(rs, g.pre("error"))
	}
	args = func(ref string) string { return ctx + ref + strings.Join(as, "") }
	return strings.Join(ps, ", "), args, strings.Join(rs, ", ")
}
