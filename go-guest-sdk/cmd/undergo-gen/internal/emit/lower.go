package emit

import (
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// scalar is the core value of a value of the scalar type t.
func (g *glue) scalar(t *model.Type, c model.Core, value string) string {
	switch t.Kind {
	case model.Bool:
		return g.sdk("Bool", convert(g.pre("bool"), g.typ(t), value))
	case model.Enum:
		return g.lowerEnum(t) + "(" + value + ")"
	case model.Handle:
		return g.handle(t, value)
	}
	return convert(g.core(c), g.typ(t), value)
}

// lower lays value, of type t, out at p. It must be addressable, and core values
// must be zero before. out is a pointer to the Out for what needs memory.
func (g *glue) lower(t *model.Type, p place, value, out string) {
	if p.flat != nil {
		g.lowerFlat(t, p, value, out)
		return
	}
	at := g.at(p.ptr, p.offset)
	switch t.Kind {
	case model.Enum:
		g.line("%s = %s", g.word(tagGo(t), p.ptr, p.offset), convert(g.pre(tagGo(t)), g.pre("uint32"), g.lowerEnum(t)+"("+value+")"))
	case model.Handle:
		g.line("%s = %s", g.word("uint32", p.ptr, p.offset), g.handle(t, value))
	case model.String:
		g.line("%s", g.sdk("StoreString", at, convert(g.pre("string"), g.typ(t), value)))
	case model.CaseName:
		g.line("%s", g.sdk("StoreString", at, g.sdk("CaseName", g.caseNames(t.Elem), g.lowerEnum(t.Elem)+"("+value+")")))
	case model.Time:
		g.line("%s", g.sdk("StoreTime", at, g.plainTime(t, value)))
	case model.Option:
		inner := g.ifSome(t, value)
		g.line("%s = 1", g.word("uint8", p.ptr, p.offset))
		g.lower(t.Elem, p.tail(1, model.Payload(t.Elem.Align())), inner, out)
		g.line("} else {\n%s = 0\n}", g.word("uint8", p.ptr, p.offset))
	case model.Record:
		if t.Alike {
			g.line("%s = %s", g.load(g.typ(t), p.ptr, p.offset), value)
		} else if t.Any(needsOut) {
			g.line("%s(%s, %s, %s)", g.storeRecord(t), out, at, address(value))
		} else {
			g.line("%s(%s, %s)", g.storeRecord(t), at, address(value))
		}
	case model.Variant:
		if t.Any(needsOut) {
			g.line("%s(%s, %s, %s)", g.storeVariant(t), out, at, value)
		} else {
			g.line("%s(%s, %s)", g.storeVariant(t), at, value)
		}
	case model.Marshaled, model.JSON, model.List, model.Array, model.Map:
		switch {
		case t.Raw:
			g.line("%s", g.sdk("StoreSlice", at, g.jsonValue("Raw")+"("+value+")"))
		case t.Kind == model.List && t.Elem.Alike:
			g.line("%s", g.sdk("StoreSlice", at, value))
		default:
			v, n := g.temp(), g.temp()
			g.line("%s, %s := %s", v, n, g.lowered(t, value, out))
			g.line("%s", g.sdk("StorePair", at, v, n))
		}
	default:
		g.line("%s = %s", g.load(g.typ(t), p.ptr, p.offset), value)
	}
}

// ifSome begins what is done when the option value is not none, and gives what is
// in it.
func (g *glue) ifSome(t *model.Type, value string) string {
	v := g.temp()
	if t.Bare && t.Elem.Kind == model.Handle {
		g.line("if %s := %s; %s {", v, value, g.some(v))
		return v
	}
	if t.Bare {
		g.line("if %s := %s; %s {", v, value, g.sdk("Present", v))
		return v
	}
	g.line("if %s := %s; %s {", v, value, g.some(v))
	return "*" + v
}

// lowered is the call that lays a list out anew; it gives pointer and length.
func (g *glue) lowered(t *model.Type, value, out string) string {
	switch t.Kind {
	case model.Marshaled:
		encode := "Encode"
		if t.URL {
			encode = "EncodeURL"
		}
		text := g.textValue(encode) + "(" + strconv.Quote(t.Shown()) + ", " + address(value) + ")"
		return strings.TrimPrefix(out, "&") + ".Copy(" + text + ")"
	case model.JSON:
		return strings.TrimPrefix(out, "&") + ".Copy(" + g.jsonValue("Encode") + "(" + value + "))"
	}
	return g.lowerList(t) + "(" + out + ", " + value + ")"
}

// plainTime is value, of the time type t, as a time.Time.
func (g *glue) plainTime(t *model.Type, value string) string {
	if t.Go == model.Ref("time", "time")+".Time" {
		return value
	}
	return g.pkg("time", "time") + ".Time(" + value + ")"
}

// address is a pointer to value.
func address(value string) string {
	if p, ok := strings.CutPrefix(value, "*"); ok {
		return p
	}
	return "&" + value
}

func (g *glue) lowerFlat(t *model.Type, p place, value, out string) {
	switch t.Kind {
	case model.String:
		g.line("%s, %s = %s, %s", p.flat[0], p.flat[1], g.sdk("StringAddr", convert(g.pre("string"), g.typ(t), value)), g.length32(t, value))
	case model.Time:
		g.line("%s, %s, %s = %s", p.flat[0], p.flat[1], p.flat[2], g.sdk("SplitTime", g.plainTime(t, value)))
	case model.Tuple:
		parts, whole := complexes(t)
		g.line("%s, %s = %s", p.flat[0], p.flat[1], g.sdk(parts, convert(g.pre(strings.ToLower(whole)), g.typ(t), value)))
	case model.Option:
		inner := g.ifSome(t, value)
		g.line("%s = 1", p.flat[0])
		g.lower(t.Elem, p.tail(1, 0), inner, out)
		g.line("}")
	case model.Record:
		for i, q := range p.fields(t) {
			g.lower(t.Fields[i].Type, q, strings.TrimPrefix(value, "*")+"."+t.Fields[i].Go, out)
		}
	case model.Variant:
		g.lowerCase(t, p, value, out)
	case model.Marshaled, model.JSON, model.List, model.Array, model.Map:
		switch {
		case t.Raw:
			v := g.temp()
			g.line("%s := %s(%s)", v, g.jsonValue("Raw"), value)
			g.line("%s, %s = %s, %s", p.flat[0], p.flat[1], g.sdk("SliceAddr", v), g.length32(t, v))
		case t.Kind == model.List && t.Elem.Alike:
			g.line("%s, %s = %s, %s", p.flat[0], p.flat[1], g.sdk("SliceAddr", value), g.length32(t, value))
		default:
			g.line("%s, %s = %s", p.flat[0], p.flat[1], g.lowered(t, value, out))
		}
	default:
		g.line("%s = %s", p.flat[0], g.scalar(t, t.Flat()[0], value))
	}
}
