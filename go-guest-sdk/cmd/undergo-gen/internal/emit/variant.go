package emit

import (
	"strconv"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// loadVariant is the function that lifts the variant t from memory.
func (g *glue) loadVariant(t *model.Type) string {
	return g.helper("Load", t, func(name string) {
		p, v := g.id("p"), g.id("v")
		g.line("func %s(%s %s) (%s %s) {", name, p, g.pointer(), v, g.typ(t))
		g.liftCase(t, place{ptr: p}, v)
		g.line("return %s\n}\n", v)
	})
}

// liftCase assigns the case of the variant t at p to target. It does not when the
// case has an array that is refused.
func (g *glue) liftCase(t *model.Type, p place, target string) {
	tag := convert(g.pre("uint32"), g.pre(tagGo(t)), g.word(tagGo(t), p.ptr, p.offset))
	if p.flat != nil {
		tag = p.flat[0]
	}
	n := g.temp()
	g.line("switch %s := %s; %s {", n, tag, n)
	for i, c := range t.Cases {
		g.line("case %d:", i)
		typ, of := g.expand(c.Go), ""
		if c.Pointer {
			of = "&"
		}
		if c.Type == nil {
			g.line("%s = %s%s{}", target, of, typ)
			continue
		}
		v := g.temp()
		g.declare(c.Type, g.payload(t, c, p), v)
		if c.Type.Any(refusable) {
			// Nothing may be allocated, as it is here, while something is refused.
			g.line("if !%s {\n%s = %s%s\n}", g.sdk("Refused", strconv.Quote("."+c.Name)), target, of, v)
		} else {
			g.line("%s = %s%s", target, of, v)
		}
	}
	g.line("default:\n%s\n}", g.sdk("NoCase", strconv.Quote(t.Shown()), n))
}

// payload is the place of the value of the case c, where the variant t lies at p to
// be lifted.
func (g *glue) payload(t *model.Type, c model.Case, p place) place {
	if p.flat == nil {
		return p.tail(1, t.Payload())
	}
	joined := t.Flat()[1:]
	var own place
	for i, core := range c.Type.Flat() {
		own.flat = append(own.flat, g.recast(core, joined[i], p.flat[1+i]))
	}
	return own
}

// recast is the core value x of type from as one of type to: one of them is what the
// cases of a variant share, and the other what one of them has there.
func (g *glue) recast(to, from model.Core, x string) string {
	if to == from {
		return x
	}
	math := func(name, x string) string { return g.pkg("math", "math") + "." + name + "(" + x + ")" }
	switch {
	case to == model.F64C:
		return math("Float64frombits", x)
	case from == model.F64C:
		return math("Float64bits", x)
	case to == model.F32C:
		return math("Float32frombits", g.recast(model.U32C, from, x))
	case from == model.F32C:
		return g.recast(to, model.U32C, math("Float32bits", x))
	case from == model.I32 && to.Bytes() == 8:
		// The upper half is zero.
		return g.core(to) + "(" + g.core(model.U32C) + "(" + x + "))"
	}
	return g.core(to) + "(" + x + ")"
}

// storeVariant is the function that lays the variant t out in memory.
func (g *glue) storeVariant(t *model.Type) string {
	return g.helper("Store", t, func(name string) {
		p, v, out := g.id("p"), g.id("v"), ""
		if t.Any(needsOut) {
			out = g.id("out") + " *" + g.sdkName("Out") + ", "
		}
		g.line("func %s(%s%s %s, %s %s) {", name, out, p, g.pointer(), v, g.typ(t))
		g.lowerCase(t, place{ptr: p}, v, g.id("out"))
		g.line("}\n")
	})
}

// lowerCase lays value, of the variant t, out at p. A type with the interface's
// methods is a case whether the interface holds it or a pointer to it.
func (g *glue) lowerCase(t *model.Type, p place, value, out string) {
	setTag := func(x string) { g.line("%s = %s", p.flat[0], x) }
	if p.flat == nil {
		setTag = func(x string) {
			g.line("%s = %s", g.word(tagGo(t), p.ptr, p.offset), x)
		}
	}
	v := g.temp()
	refuse := func() {
		bad := "BadCase"
		if t.Full() {
			bad = "BadFullCase"
		}
		x := g.sdk(bad, strconv.Quote(t.Shown()), v)
		if p.flat == nil {
			x = convert(g.pre(tagGo(t)), g.pre("uint32"), x)
		}
		setTag(x)
	}
	if value[0] == '*' {
		value = "(" + value + ")"
	}
	g.line("switch %s := %s.(type) {", v, value)
	for i, c := range t.Cases {
		carry := func(value string) {
			setTag(strconv.Itoa(i))
			if c.Type != nil {
				g.lowerPayload(t, c, p, value, out)
			}
		}
		typ := g.expand(c.Go)
		if c.Type != nil && c.Type.Kind == model.Handle {
			g.line("case *%s:", typ)
			carry(v)
			continue
		}
		if !c.Pointer {
			g.line("case %s:", typ)
			carry(v)
		}
		g.line("case *%s:", typ)
		g.line("if %s {", g.some(v))
		carry("*" + v)
		g.line("} else {")
		refuse()
		g.line("}")
	}
	g.line("default:")
	refuse()
	g.line("}")
}

// lowerPayload lays the value of the case c out, where the variant t lies at p.
func (g *glue) lowerPayload(t *model.Type, c model.Case, p place, value, out string) {
	if p.flat == nil {
		g.lower(c.Type, p.tail(1, t.Payload()), value, out)
		return
	}
	joined := t.Flat()[1:]
	var own place
	var widen []func()
	for i, core := range c.Type.Flat() {
		shared := p.flat[1+i]
		if core == joined[i] {
			own.flat = append(own.flat, shared)
			continue
		}
		name := g.temp()
		g.line("var %s %s", name, g.core(core))
		own.flat = append(own.flat, name)
		widen = append(widen, func() { g.line("%s = %s", shared, g.recast(joined[i], core, name)) })
	}
	g.lower(c.Type, own, value, out)
	for _, w := range widen {
		w()
	}
}
