package emit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// A place is where a value lies as the host sees it: in core values, or in memory.
type place struct {
	flat   []string // names of core values
	ptr    string   // name of a pointer, when flat is nil
	offset int
}

// tail is the place of what comes behind the first n core values, or at offset n.
func (p place) tail(n, offset int) place {
	if p.flat != nil {
		return place{flat: p.flat[n:]}
	}
	return place{ptr: p.ptr, offset: p.offset + offset}
}

// fields are the places of the fields of the record t, which lies at p.
func (p place) fields(t *model.Type) []place {
	layout := model.Place(t.FieldTypes()...)
	var ps []place
	next := 0
	for i, f := range t.Fields {
		q := p.tail(next, layout.Offsets[i])
		n := len(f.Type.Flat())
		if q.flat != nil {
			q.flat = q.flat[:n]
		}
		next += n
		ps = append(ps, q)
	}
	return ps
}

// lifted is the expression for a value of type t at p, if there is one.
func (g *glue) lifted(t *model.Type, p place) (string, bool) {
	if p.flat != nil {
		return g.liftedFlat(t, p.flat)
	}
	at := g.at(p.ptr, p.offset)
	switch {
	case t.Alike:
		return g.load(g.typ(t), p.ptr, p.offset), true
	case t.Kind == model.Enum:
		return g.liftEnum(t) + "(" + convert(g.pre("uint32"), g.pre(tagGo(t)), g.word(tagGo(t), p.ptr, p.offset)) + ")", true
	case t.Kind == model.Handle:
		return g.held(t, g.word("uint32", p.ptr, p.offset)), true
	case t.Kind == model.String:
		return convert(g.typ(t), g.pre("string"), g.sdk("LoadString", at)), true
	case t.Kind == model.Time:
		return g.time(t, g.sdk("LoadTime", at)), true
	case t.Kind == model.CaseName:
		name := g.sdk("CaseNamed", strconv.Quote(t.Shown()), g.caseNames(t.Elem), g.sdk("LoadString", at))
		return g.liftEnum(t.Elem) + "(" + name + ")", true
	case t.Kind == model.Marshaled:
		return g.liftedText(t, g.sdkName("LoadSlice")+"["+g.pre("byte")+"]("+at+")"), true
	case t.Kind == model.JSON:
		return g.liftedJSON(t, g.sdkName("LoadSlice")+"["+g.pre("byte")+"]("+at+")"), true
	case t.Kind == model.List && t.Elem.Alike:
		return convert(g.typ(t), "[]"+g.typ(t.Elem), g.sdkName("LoadSlice")+"["+g.typ(t.Elem)+"]("+at+")"), true
	case t.Kind == model.List || t.Kind == model.Array || t.Kind == model.Map:
		return g.liftList(t) + "(" + g.sdk("LoadPair", at) + ")", true
	case t.Kind == model.Record:
		return g.loadRecord(t) + "(" + at + ")", true
	case t.Kind == model.Variant:
		return g.loadVariant(t) + "(" + at + ")", true
	}
	return "", false
}

func (g *glue) liftedFlat(t *model.Type, flat []string) (string, bool) {
	switch t.Kind {
	case model.Bool:
		return convert(g.typ(t), g.pre("bool"), flat[0]+" != 0"), true
	case model.Enum:
		return g.liftEnum(t) + "(" + flat[0] + ")", true
	case model.Handle:
		return g.held(t, flat[0]), true
	case model.String:
		return convert(g.typ(t), g.pre("string"), g.sdk("String", flat...)), true
	case model.Time:
		return g.time(t, g.sdk("Time", flat...)), true
	case model.Marshaled:
		return g.liftedText(t, fmt.Sprintf("%s[%s](%s, %s)", g.sdkName("Slice"), g.pre("byte"), flat[0], flat[1])), true
	case model.Tuple:
		_, typ := complexes(t)
		return convert(g.typ(t), g.pre(strings.ToLower(typ)), g.sdk(typ, flat...)), true
	case model.JSON:
		return g.liftedJSON(t, fmt.Sprintf("%s[%s](%s, %s)", g.sdkName("Slice"), g.pre("byte"), flat[0], flat[1])), true
	case model.List, model.Array, model.Map:
		if t.Kind == model.List && t.Elem.Alike {
			return convert(g.typ(t), "[]"+g.typ(t.Elem), fmt.Sprintf("%s[%s](%s, %s)", g.sdkName("Slice"), g.typ(t.Elem), flat[0], flat[1])), true
		}
		return fmt.Sprintf("%s(%s, %s)", g.liftList(t), flat[0], flat[1]), true
	case model.Option, model.Record, model.Variant:
		return "", false
	}
	return convert(g.typ(t), g.core(t.Flat()[0]), flat[0]), true
}

// time is x, a time.Time, as one of type t.
func (g *glue) time(t *model.Type, x string) string {
	if t.Go == model.Ref("time", "time")+".Time" {
		return x
	}
	return g.typ(t) + "(" + x + ")"
}

// complexes are the names of the SDK's functions for the tuple t, a complex number:
// that which takes it apart, and that which puts it together.
func complexes(t *model.Type) (parts, whole string) {
	if t.Size() == 8 {
		return "Parts64", "Complex64"
	}
	return "Parts128", "Complex128"
}

func (g *glue) liftedText(t *model.Type, bytes string) string {
	typ := strconv.Quote(t.Shown())
	if t.URL {
		return g.textValue("DecodeURL") + "(" + typ + ", " + bytes + ")"
	}
	return g.textValue("Decode") + "[" + g.typ(t) + "](" + typ + ", " + bytes + ")"
}

func (g *glue) liftedJSON(t *model.Type, bytes string) string {
	switch {
	case t.Raw:
		return g.typ(t) + "(" + bytes + ")"
	case t.Typed:
		return g.jsonValue("DecodeAs") + "[" + g.typ(t) + "](" + strconv.Quote(t.Shown()) + ", " + bytes + ")"
	}
	return g.jsonValue("Decode") + "(" + bytes + ")"
}

// lift assigns the value of type t at p to target, which is zero before.
func (g *glue) lift(t *model.Type, p place, target string) {
	if x, ok := g.lifted(t, p); ok {
		g.line("%s = %s", target, x)
		return
	}
	switch t.Kind {
	case model.Record:
		g.liftFields(t, p, target)
		return
	case model.Variant:
		g.liftCase(t, p, target)
		return
	}
	some, payload := g.word("uint8", p.ptr, p.offset), p.tail(1, model.Payload(t.Elem.Align()))
	if p.flat != nil {
		some = p.flat[0]
	}
	if t.Bare {
		g.line("if %s != 0 {", some)
		g.lift(t.Elem, payload, target)
		g.line("}")
		return
	}
	v := g.temp()
	g.line("if %s != 0 {", some)
	g.declare(t.Elem, payload, v)
	g.line("%s = &%s", target, v)
	g.line("}")
}

// liftFields assigns the fields of the record t at p to those of target. It goes
// no further when one has something that is refused.
func (g *glue) liftFields(t *model.Type, p place, target string) {
	open := 0
	for i, q := range p.fields(t) {
		f := t.Fields[i]
		g.lift(f.Type, q, target+"."+f.Go)
		if f.Type.Any(refusable) {
			step := "." + f.Name
			if !t.Named() {
				step = fmt.Sprintf("[%d]", i)
			}
			g.line("if !%s {", g.sdk("Refused", strconv.Quote(step)))
			open++
		}
	}
	g.body.WriteString(strings.Repeat("}\n", open))
}

// declare declares name as the value of type t at p.
func (g *glue) declare(t *model.Type, p place, name string) {
	// Anything else that has an expression has one of exactly its type.
	if x, ok := g.lifted(t, p); ok && (t.Kind != model.JSON || t.Raw || t.Typed || t.Go == model.Ref("", "any")) {
		g.line("%s := %s", name, x)
		return
	}
	g.line("var %s %s", name, g.typ(t))
	g.lift(t, p, name)
}

// tagGo is the Go type of the discriminant of the enum or variant t.
func tagGo(t *model.Type) string {
	return map[int]string{1: "uint8", 2: "uint16", 4: "uint32"}[t.Tag()]
}
