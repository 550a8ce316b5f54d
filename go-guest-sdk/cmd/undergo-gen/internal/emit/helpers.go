package emit

import (
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// helper is the name of the function that does verb to t. write writes it, the
// first time that it is asked for.
func (g *glue) helper(verb string, t *model.Type, write func(name string)) string {
	key := verb + " " + t.Go
	if name, ok := g.helpers[key]; ok {
		return name
	}
	name := g.unique("undergo" + verb + mangle(t))
	g.helpers[key] = name
	g.queue = append(g.queue, func() {
		g.counter = 0
		write(name)
	})
	return name
}

func (g *glue) unique(name string) string {
	base := name
	for i := 2; g.names[name] || g.Taken[name]; i++ {
		name = base + strconv.Itoa(i)
	}
	g.names[name] = true
	return name
}

// mangle is the Go type of t as a part of a name.
func mangle(t *model.Type) string {
	if !strings.ContainsAny(t.Go, "[]*{} ") {
		return title(t.Go)
	}
	switch t.Kind {
	case model.List:
		return "List" + mangle(t.Elem)
	case model.Array:
		return "Array" + strconv.Itoa(t.Len) + mangle(t.Elem)
	case model.Map:
		return "Map" + mangle(t.Key) + mangle(t.Elem)
	case model.Option:
		return "Option" + mangle(t.Elem)
	}
	return "Any"
}

// loadRecord is the function that lifts the record t from memory.
func (g *glue) loadRecord(t *model.Type) string {
	return g.helper("Load", t, func(name string) {
		p, v := g.id("p"), g.id("v")
		g.line("func %s(%s %s) (%s %s) {", name, p, g.pointer(), v, t.Go)
		for i, at := range (place{ptr: p}).fields(t) {
			g.lift(t.Fields[i].Type, at, v+"."+t.Fields[i].Go)
		}
		g.line("return %s\n}\n", v)
	})
}

// storeRecord is the function that lays the record t out in memory.
func (g *glue) storeRecord(t *model.Type) string {
	return g.helper("Store", t, func(name string) {
		p, v, out := g.id("p"), g.id("v"), ""
		if t.Any(needsOut) {
			out = g.id("out") + " *" + g.undergo + ".Out, "
		}
		g.line("func %s(%s%s %s, %s *%s) {", name, out, p, g.pointer(), v, t.Go)
		for i, at := range (place{ptr: p}).fields(t) {
			g.lower(t.Fields[i].Type, at, v+"."+t.Fields[i].Go, g.id("out"))
		}
		g.line("}\n")
	})
}

// liftList is the function that lifts a list, array, or map.
func (g *glue) liftList(t *model.Type) string {
	return g.helper("Lift", t, func(name string) {
		at, n, v, i, p := g.id("at"), g.id("n"), g.id("v"), g.id("i"), g.id("p")
		elem := t.Elem
		if t.Kind == model.Map {
			elem = pair(t)
		}
		if t.Kind == model.Array {
			g.line("func %s(%s, %s uint32) (%s %s) {", name, at, n, v, t.Go)
			g.line("%s", g.sdk("CheckLength", strconv.Quote(t.Go), n, strconv.Itoa(t.Len)))
			if elem.Alike {
				g.line("return %s\n}\n", g.load(t.Go, g.sdk("Pointer", at), 0))
				return
			}
		} else {
			g.line("func %s(%s, %s uint32) %s {", name, at, n, t.Go)
			g.line("%s := make(%s, %s)", v, t.Go, n)
		}
		g.line("%s := %s", p, g.sdk("Pointer", at))
		if t.Kind == model.Map {
			k, e := g.id("k"), g.id("e")
			g.line("for range %s {", n)
			places := place{ptr: p}.fields(elem)
			g.declare(t.Key, places[0], k)
			g.declare(t.Elem, places[1], e)
			g.line("%s[%s] = %s", v, k, e)
		} else {
			g.line("for %s := range %s {", i, v)
			g.lift(elem, place{ptr: p}, v+"["+i+"]")
		}
		g.line("%s = %s", p, g.at(p, elem.Size()))
		g.line("}\nreturn %s\n}\n", v)
	})
}

// lowerList is the function that lays out a list, array, or map.
func (g *glue) lowerList(t *model.Type) string {
	return g.helper("Lower", t, func(name string) {
		out, v, i, p, start := g.id("out"), g.id("v"), g.id("i"), g.id("p"), g.id("start")
		elem := t.Elem
		if t.Kind == model.Map {
			elem = pair(t)
		}
		g.line("func %s(%s *%s.Out, %s %s) (uint32, uint32) {", name, out, g.undergo, v, t.Go)
		if t.Kind != model.Array {
			g.line("if len(%s) == 0 {\nreturn 0, 0\n}", v)
		}
		g.line("%s := %s.Alloc(len(%s) * %d)", start, out, v, elem.Size())
		switch {
		case t.Kind == model.Array && elem.Alike:
			g.line("%s = %s", g.load(t.Go, start, 0), v)
			g.line("return %s, %d\n}\n", g.sdk("Addr", start), t.Len)
		case t.Kind == model.Map:
			k, e, n := g.id("k"), g.id("e"), g.id("n")
			g.line("%s, %s, %s := %s, 0, len(%s)", p, i, n, start, v)
			g.line("for %s, %s := range %s {", k, e, v)
			g.line("if %s == %s {\nbreak // another goroutine has added to the map\n}", i, n)
			places := place{ptr: p}.fields(elem)
			g.lower(t.Key, places[0], k, out)
			g.lower(t.Elem, places[1], e, out)
			g.line("%s, %s = %s, %s+1", p, i, g.at(p, elem.Size()), i)
			g.line("}\nreturn %s, uint32(%s)\n}\n", g.sdk("Addr", start), i)
		default:
			g.line("%s := %s", p, start)
			g.line("for %s := range %s {", i, v)
			g.lower(elem, place{ptr: p}, v+"["+i+"]", out)
			g.line("%s = %s", p, g.at(p, elem.Size()))
			g.line("}\nreturn %s, uint32(len(%s))\n}\n", g.sdk("Addr", start), v)
		}
	})
}

// pair is an entry of the map t.
func pair(t *model.Type) *model.Type {
	return &model.Type{Kind: model.Record, Fields: []model.Field{{Type: t.Key}, {Type: t.Elem}}}
}

// liftEnum is the function that makes a constant of the number of its case.
func (g *glue) liftEnum(t *model.Type) string {
	return g.helper("Lift", t, func(name string) {
		cases := g.unique("undergoCases" + mangle(t))
		g.line("var %s = [...]%s{", cases, t.Go)
		for _, c := range t.Cases {
			g.line("%s,", c.Go)
		}
		g.line("}\n")
		i := g.id("i")
		g.line("func %s(%s uint32) %s { return %s[%s] }\n", name, i, t.Go, cases, i)
	})
}

// lowerEnum is the function that gives the number of a constant's case.
func (g *glue) lowerEnum(t *model.Type) string {
	return g.helper("Lower", t, func(name string) {
		v := g.id("v")
		bad := [...]string{model.Signed: "BadEnum", model.Unsigned: "BadEnumUint", model.Text: "BadEnumString"}[t.Basic]
		g.line("func %s(%s %s) uint32 {\nswitch %s {", name, v, t.Go, v)
		for i, c := range t.Cases {
			g.line("case %s:\nreturn %d", c.Go, i)
		}
		g.line("}\nreturn %s\n}\n", g.sdk(bad, strconv.Quote(t.Go), v))
	})
}

// once is the name of a helper that does not depend on a type.
func (g *glue) once(name string, write func(name string)) string {
	return g.helper(name, &model.Type{Go: "_"}, write)
}

func (g *glue) decodeJSON() string {
	return g.once("DecodeJSON", func(name string) {
		text, v, err := g.id("text"), g.id("v"), g.id("err")
		g.line("func %s(%s []byte) (%s any) {", name, text, v)
		g.line("if %s := %s.Unmarshal(%s, &%s); %s != nil {", err, g.pkg("encoding/json", "json"), text, v, err)
		g.line("panic(%q + %s.Error())\n}", "undergo: JSON from the host: ", err)
		g.line("return %s\n}\n", v)
	})
}

func (g *glue) encodeJSON() string {
	return g.once("EncodeJSON", func(name string) {
		text, v, err := g.id("text"), g.id("v"), g.id("err")
		g.line("func %s(%s any) []byte {", name, v)
		g.line("%s, %s := %s.Marshal(%s)", text, err, g.pkg("encoding/json", "json"), v)
		g.line("if %s != nil {\npanic(%q + %s.Error())\n}", err, "undergo: JSON for the host: ", err)
		g.line("return %s\n}\n", text)
	})
}

func (g *glue) rawJSON() string {
	return g.once("RawJSON", func(name string) {
		v, null := g.id("v"), g.unique("undergoNull")
		g.line("var %s = []byte(\"null\")\n", null)
		g.line("// %s is v, or null when it is empty, as encoding/json has it.", name)
		g.line("func %s(%s []byte) []byte {", name, v)
		g.line("if len(%s) == 0 {\nreturn %s\n}\nreturn %s\n}\n", v, null, v)
	})
}
