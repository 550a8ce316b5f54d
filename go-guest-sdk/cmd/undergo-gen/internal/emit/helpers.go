package emit

import (
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// helper is the name of the function that does verb to t. write writes it, the
// first time that it is asked for.
func (g *glue) helper(verb string, t *model.Type, write func(name string)) string {
	key, base := verb+" "+t.Go, "undergo"+verb+mangle(t)
	if t.Kind != model.Record && t.Kind != model.Variant && t.Any(borrows) {
		// The same Go type, of which the host keeps the handles.
		key, base = key+" borrowed", base+"Borrowed"
	}
	return g.once(key, base, write)
}

// once is the same for the function that is known by key.
func (g *glue) once(key, base string, write func(name string)) string {
	if name, ok := g.helpers[key]; ok {
		return name
	}
	name := g.unique(base)
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
	if shown := t.Shown(); !strings.ContainsAny(shown, "[]*{} ") {
		return title(shown)
	}
	switch t.Kind {
	case model.Record, model.Variant:
		if !t.Named() {
			return "Pair" + mangle(t.Fields[0].Type) + mangle(t.Fields[1].Type)
		}
		return title(strings.ReplaceAll(t.Name, "-", "_"))
	case model.List:
		return "List" + mangle(t.Elem)
	case model.Array:
		return "Array" + strconv.Itoa(t.Len) + mangle(t.Elem)
	case model.Map:
		return "Map" + mangle(t.Key) + mangle(t.Elem)
	case model.Option:
		return "Option" + mangle(t.Elem)
	case model.Handle:
		return title(strings.ReplaceAll(t.Resource.Name, "-", "_"))
	}
	return "Any"
}

// loadRecord is the function that lifts the record t from memory.
func (g *glue) loadRecord(t *model.Type) string {
	return g.helper("Load", t, func(name string) {
		p, v := g.id("p"), g.id("v")
		g.line("func %s(%s %s) (%s %s) {", name, p, g.pointer(), v, g.typ(t))
		g.liftFields(t, place{ptr: p}, v)
		g.line("return %s\n}\n", v)
	})
}

// storeRecord is the function that lays the record t out in memory.
func (g *glue) storeRecord(t *model.Type) string {
	return g.helper("Store", t, func(name string) {
		p, v, out := g.id("p"), g.id("v"), ""
		if t.Any(needsOut) {
			out = g.id("out") + " *" + g.sdkName("Out") + ", "
		}
		g.line("func %s(%s%s %s, %s *%s) {", name, out, p, g.pointer(), v, g.typ(t))
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
		word := g.pre("uint32")
		if t.Kind == model.Array {
			g.line("func %s(%s, %s %s) (%s %s) {", name, at, n, word, v, g.typ(t))
			g.line("if !%s {\nreturn %s\n}", g.sdk("HasLength", strconv.Quote(t.Shown()), n, strconv.Itoa(t.Len)), v)
			if elem.Alike {
				g.line("return %s\n}\n", g.load(g.typ(t), g.sdk("Pointer", at), 0))
				return
			}
		} else {
			g.line("func %s(%s, %s %s) %s {", name, at, n, word, g.typ(t))
			g.line("%s := %s", v, g.made(t, n))
		}
		g.line("%s := %s", p, g.sdk("Pointer", at))
		refused := g.sdk("RefusedAt", i)
		if t.Kind == model.Map {
			k, e := g.id("k"), g.id("e")
			g.line("for range %s {", n)
			places := place{ptr: p}.fields(elem)
			g.declare(t.Key, places[0], k)
			if t.Key.Any(refusable) {
				g.line("if %s {\nbreak\n}", g.sdk("Refused", strconv.Quote("[key]")))
			}
			g.declare(t.Elem, places[1], e)
			refused = g.sdk("Refused", strconv.Quote("[entry]"))
			if t.Key.Kind == model.String {
				refused = g.sdk("RefusedKey", convert(g.pre("string"), g.typ(t.Key), k))
			}
		} else {
			g.line("for %s := range %s {", i, v)
			g.lift(elem, place{ptr: p}, v+"["+i+"]")
		}
		if t.Elem.Any(refusable) {
			g.line("if %s {\nbreak\n}", refused)
		}
		if t.Kind == model.Map {
			g.line("%s[%s] = %s", v, g.id("k"), g.id("e"))
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
		word, length := g.pre("uint32"), g.length(t, v)
		g.line("func %s(%s *%s, %s %s) (%s, %s) {", name, out, g.sdkName("Out"), v, g.typ(t), word, word)
		if t.Kind != model.Array {
			g.line("if %s == 0 {\nreturn 0, 0\n}", length)
		}
		g.line("%s := %s.Alloc(%s * %d)", start, out, length, elem.Size())
		switch {
		case t.Kind == model.Array && elem.Alike:
			g.line("%s = %s", g.load(g.typ(t), start, 0), v)
			g.line("return %s, %d\n}\n", g.sdk("Addr", start), t.Len)
		case t.Kind == model.Map:
			k, e, n := g.id("k"), g.id("e"), g.id("n")
			g.line("%s, %s, %s := %s, 0, %s", p, i, n, start, length)
			g.line("for %s, %s := range %s {", k, e, v)
			g.line("if %s == %s {\nbreak // another goroutine has added to the map\n}", i, n)
			places := place{ptr: p}.fields(elem)
			g.lower(t.Key, places[0], k, out)
			g.lower(t.Elem, places[1], e, out)
			g.line("%s, %s = %s, %s+1", p, i, g.at(p, elem.Size()), i)
			g.line("}\nreturn %s, %s(%s)\n}\n", g.sdk("Addr", start), word, i)
		default:
			g.line("%s := %s", p, start)
			g.line("for %s := range %s {", i, v)
			g.lower(elem, place{ptr: p}, v+"["+i+"]", out)
			g.line("%s = %s", p, g.at(p, elem.Size()))
			g.line("}\nreturn %s, %s(%s)\n}\n", g.sdk("Addr", start), word, length)
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
		g.line("var %s = [...]%s{", cases, g.typ(t))
		for _, c := range t.Cases {
			g.line("%s,", g.expand(c.Go))
		}
		g.line("}\n")
		i := g.id("i")
		g.line("func %s(%s %s) %s { return %s[%s] }\n", name, i, g.pre("uint32"), g.typ(t), cases, i)
	})
}

// caseNames is the list of the names that the cases of the enum t have in WIT.
func (g *glue) caseNames(t *model.Type) string {
	return g.once("names "+t.Go, "undergoNames"+mangle(t), func(name string) {
		g.line("var %s = []%s{", name, g.pre("string"))
		for _, c := range t.Cases {
			g.line("%q,", c.Name)
		}
		g.line("}\n")
	})
}

// manyCases are more than a switch is made of: Go's compiler takes long for it, and
// refuses one of 65,536.
const manyCases = 1000

// lowerEnum is the function that gives the number of a constant's case.
func (g *glue) lowerEnum(t *model.Type) string {
	return g.helper("Lower", t, func(name string) {
		v, table := g.id("v"), ""
		if len(t.Cases) > manyCases {
			table = g.unique("undergoNumbers" + mangle(t))
			g.line("var %s = map[%s]%s{", table, g.typ(t), g.pre("uint32"))
			for i, c := range t.Cases {
				g.line("%s: %d,", g.expand(c.Go), i)
			}
			g.line("}\n")
		}
		g.line("func %s(%s %s) %s {", name, v, g.typ(t), g.pre("uint32"))
		if table != "" {
			i, ok := g.id("i"), g.id("ok")
			g.line("if %s, %s := %s[%s]; %s {\nreturn %s\n}", i, ok, table, v, ok, i)
		} else {
			g.line("switch %s {", v)
			for i, c := range t.Cases {
				g.line("case %s:\nreturn %d", g.expand(c.Go), i)
			}
			g.line("}")
		}
		bad := "BadEnum"
		if t.Full() {
			bad = "BadFullEnum"
		}
		text := [...]string{model.Signed: "IntText", model.Unsigned: "UintText", model.Text: "QuotedText"}[t.Basic]
		g.line("return %s\n}\n", g.sdk(bad, strconv.Quote(t.Shown()), g.sdk(text, v)))
	})
}
