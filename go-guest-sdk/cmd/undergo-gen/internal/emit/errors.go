package emit

import (
	"strconv"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// errchain is what the SDK declares under that name for errors with fields.
func (g *glue) errchain(name string) string {
	return g.pkg(g.path+"/errchain", "errchain") + "." + name
}

// links is the type of an error that was taken apart.
func (g *glue) links() *model.Type {
	return &model.Type{Kind: model.List, Go: "[]" + model.Ref(g.path+"/errchain", "errchain") + ".Link"}
}

// returnChain lays the error err out at p, in the return area of which the first byte
// says so. Whether it is laid out in the memory of the results, needs says.
func (g *glue) returnChain(p place, err, kept string, needs bool, end func()) {
	links, out := g.id("links"), g.id("out")
	if !needs {
		g.line("var %s %s", out, g.sdkName("Out"))
	}
	g.line("%s := %s(%s, %s)", links, g.errchain("Of"), err, g.errorCase())
	at, n := g.temp(), g.temp()
	g.line("%s, %s := %s(&%s, %s)", at, n, g.lowerErrors(), out, links)
	g.await()
	g.line("%s = 1", g.word("uint8", p.ptr, 0))
	g.line("%s", g.sdk("StorePair", g.at(p.ptr, p.offset), at, n))
	end()
	g.line("%s.links = %s", kept, links)
	if !needs {
		g.line("%s.out = %s", kept, out)
	}
}

// errorCase is the function that gives the number of an error's case: 0 if it has no
// fields for the host.
func (g *glue) errorCase() string {
	return g.once("case of an error", "undergoErrorCase", func(name string) {
		err, v := g.id("err"), g.id("v")
		g.line("func %s(%s %s) %s {", name, err, g.pre("error"), g.pre("uint32"))
		g.line("switch %s := %s.(type) {", v, err)
		for i, c := range g.Errors.Cases[1:] {
			typ := g.expand(c.Go)
			if !c.Pointer {
				g.line("case %s:\nreturn %d", typ, 1+i)
			}
			g.line("case *%s:\nif %s {\nreturn %d\n}", typ, g.some(v), 1+i)
		}
		g.line("}\nreturn 0\n}\n")
	})
}

// fields is where the record of an error with fields lies behind its text.
func fields(c model.Case) (record *model.Type, offset int) {
	return c.Type.Fields[1].Type, model.Place(c.Type.FieldTypes()...).Offsets[1]
}

// lowerErrors is the function that lays out an error that was taken apart.
func (g *glue) lowerErrors() string {
	return g.once("lower errors", "undergoLowerErrors", func(name string) {
		t := g.Errors
		out, links, i, p, start, word := g.id("out"), g.id("links"), g.id("i"), g.id("p"), g.id("start"), g.pre("uint32")
		n := g.length(g.links(), links)
		g.line("func %s(%s *%s, %s %s) (%s, %s) {", name, out, g.sdkName("Out"), links, g.typ(g.links()), word, word)
		g.line("%s := %s.Alloc(%s * %d)", start, out, n, t.Size())
		g.line("%s := %s", p, start)
		g.line("for %s := range %s {", i, links)
		g.line("%s = 0", g.word(tagGo(t), p, 0))
		g.line("%s", g.sdk("StoreString", g.at(p, t.Payload()), links+"["+i+"].Text"))
		v := g.temp()
		g.line("switch %s := %s[%s].Err.(type) {", v, links, i)
		for number, c := range t.Cases[1:] {
			record, offset := fields(c)
			store := func(value string) {
				g.line("%s = %d", g.word(tagGo(t), p, 0), 1+number)
				g.lower(record, place{ptr: p, offset: t.Payload() + offset}, value, out)
			}
			typ := g.expand(c.Go)
			if !c.Pointer {
				g.line("case %s:", typ)
				store(v)
			}
			g.line("case *%s:", typ)
			store("*" + v)
		}
		g.line("}")
		g.line("%s = %s", p, g.at(p, t.Size()))
		g.line("}\nreturn %s, %s(%s)\n}\n", g.sdk("Addr", start), word, n)
	})
}

// liftErrors is the function that makes an error of the list that the host gave.
func (g *glue) liftErrors() string {
	return g.once("lift errors", "undergoLiftErrors", func(name string) {
		t := g.Errors
		at, n, links, i, p, err := g.id("at"), g.id("n"), g.id("links"), g.id("i"), g.id("p"), g.id("err")
		g.line("func %s(%s, %s %s) (%s %s) {", name, at, n, g.pre("uint32"), err, g.pre("error"))
		g.line("%s := %s", links, g.made(g.links(), n))
		g.line("%s := %s", p, g.sdk("Pointer", at))
		g.line("for %s := range %s {", i, links)
		g.line("%s[%s].Text = %s", links, i, g.sdk("LoadString", g.at(p, t.Payload())))
		tag := g.temp()
		g.line("switch %s := %s; %s {", tag, convert(g.pre("uint32"), g.pre(tagGo(t)), g.word(tagGo(t), p, 0)), tag)
		g.line("case 0:")
		for number, c := range t.Cases[1:] {
			g.line("case %d:", 1+number)
			record, offset := fields(c)
			v, of := g.temp(), ""
			if c.Pointer {
				of = "&"
			}
			g.declare(record, place{ptr: p, offset: t.Payload() + offset}, v)
			if record.Any(refusable) {
				g.line("if %s {", g.sdk("Refused", strconv.Quote("."+c.Name)))
				g.line("%s\nreturn %s\n}", g.sdk("RefusedAt", i), err)
			}
			g.line("%s[%s].Err = %s%s", links, i, of, v)
		}
		g.line("default:\n%s\n}", g.sdk("NoCase", strconv.Quote(t.Name), tag))
		g.line("%s = %s", p, g.at(p, t.Size()))
		g.line("}\nreturn %s(%s)\n}\n", g.errchain("Join"), links)
	})
}
