package emit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// imported writes the function that f, a variable, is set to.
//
// All memory that the host reads or writes is on the heap: the host may call
// back, which can move the stack, and another goroutine may call the same
// import meanwhile.
func (g *glue) imported(f *model.Func) {
	g.counter = 0
	host, name := g.of(f, "Host"), g.of(f, "Import")
	layout := f.ResultLayout()
	core, spilled := f.FlatParams()
	result, scalar := f.FlatResult()
	hostParams := g.flatParams(core)
	if layout.Size > 0 {
		hostParams = strings.TrimPrefix(hostParams+", "+g.id("ret")+" "+g.core(model.U32C), ", ")
	}
	module, member := g.CoreImport(f)
	g.line("//go:wasmimport %s %s", module, member)
	returns := ""
	if scalar {
		returns = g.core(result)
	}
	g.line("func %s(%s) %s\n", host, hostParams, returns)

	var params, results []string
	if f.Context {
		params = append(params, g.id("ctx")+" "+g.pkg("context", "context")+".Context")
	}
	for i, p := range f.Params {
		params = append(params, g.id(fmt.Sprintf("a%d", i))+" "+g.parameter(f, i, p.Type))
	}
	for i, t := range f.Results {
		results = append(results, g.id(fmt.Sprintf("r%d", i))+" "+g.typ(t))
	}
	if f.Error {
		results = append(results, g.id("err")+" "+g.pre("error"))
	}
	g.line("func %s(%s) (%s) {", name, strings.Join(params, ", "), strings.Join(results, ", "))
	if f.Context && f.Error {
		g.line("if %s = %s.Err(); %s {\nreturn\n}", g.id("err"), g.id("ctx"), g.failed(g.id("err")))
	}
	out, ret := g.id("out"), g.id("ret")
	needs := spilled || layout.Size > 0 || anyOf(f.ParamTypes(), needsOut)
	if needs {
		g.line("var %s %s", out, g.sdkName("Out"))
	}
	if layout.Size > 0 {
		g.line("%s := %s.Alloc(%d)", ret, out, layout.Size)
	}
	args := g.hostArguments(f, core, spilled)
	if layout.Size > 0 {
		args = append(args, g.sdk("Addr", ret))
	}
	call, h := g.id("call"), g.id("h0")
	g.line("%s := %s", call, g.sdk("Begin"))
	if scalar {
		g.line("%s := %s(%s)", h, host, strings.Join(args, ", "))
	} else {
		g.line("%s(%s)", host, strings.Join(args, ", "))
	}
	takes := f.Error || anyOf(f.Results, placed)
	if takes {
		g.line("%s := %s.End()", g.id("args"), call)
	} else {
		g.line("%s.End()", call)
	}
	for i, p := range f.Params {
		if p.Type.Any(refers) || p.Type.Hosted() {
			g.line("%s.KeepAlive(%s)", g.pkg("runtime", "runtime"), g.id(fmt.Sprintf("a%d", i)))
		}
	}
	if needs {
		g.line("%s.KeepAlive(&%s)", g.pkg("runtime", "runtime"), out)
	}
	g.hostResult(f, layout, place{ptr: ret, flat: flatName(scalar, h)})
	if takes {
		g.line("%s.Release()", g.id("args"))
	}
	if len(results) > 0 {
		g.line("return")
	}
	g.line("}\n")
}

// parameter is the type of the i-th parameter of the function that calls the host. That of
// the receiver is not what the plugin sees of it.
func (g *glue) parameter(f *model.Func, i int, t *model.Type) string {
	if receives(f, i) {
		return "*" + g.sdkName("Ref")
	}
	return g.typ(t)
}

// receives says that the i-th parameter of f is the object whose method f is.
func receives(f *model.Func, i int) bool { return i == 0 && f.Resource != nil && !f.Constructor }

// argument is the i-th argument of f, as it is lowered: an object of the host's is a
// reference.
func (g *glue) argument(f *model.Func, i int) string {
	value, t := g.id(fmt.Sprintf("a%d", i)), f.Params[i].Type
	if t.Hosted() && !receives(f, i) {
		return g.reference(t.Resource) + "(" + value + ")"
	}
	return value
}

func flatName(scalar bool, name string) []string {
	if scalar {
		return []string{name}
	}
	return nil
}

// hostArguments lowers the arguments of an import and returns the core values.
func (g *glue) hostArguments(f *model.Func, core []model.Core, spilled bool) []string {
	out := g.id("out")
	types := f.ParamTypes()
	if spilled {
		params := g.id("params")
		layout := model.Place(types...)
		g.line("%s := %s.Alloc(%d)", params, out, layout.Size)
		for i, t := range types {
			g.lower(t, place{ptr: params, offset: layout.Offsets[i]}, g.argument(f, i), "&"+out)
		}
		return []string{g.sdk("Addr", params)}
	}
	var args []string
	for i, t := range types {
		value := g.argument(f, i)
		if t.Scalar() {
			args = append(args, g.scalar(t, core[len(args)], value))
			continue
		}
		var p place
		for range t.Flat() {
			n := len(args)
			name := g.id(fmt.Sprintf("f%d", n))
			g.line("var %s %s", name, g.core(core[n]))
			args = append(args, name)
			p.flat = append(p.flat, name)
		}
		g.lower(t, p, value, "&"+out)
	}
	return args
}

// hostResult lifts the result of an import into the named results.
func (g *glue) hostResult(f *model.Func, layout model.ResultLayout, p place) {
	read := func() {
		for i, t := range f.Results {
			at := p
			if p.flat == nil {
				at.offset = layout.Offsets[i]
			}
			g.lift(t, at, g.id(fmt.Sprintf("r%d", i)))
			if t.Any(refusable) {
				step := " -> result"
				if len(f.Results) > 1 {
					step += fmt.Sprintf("[%d]", i)
				}
				g.line("%s", g.sdk("CheckAnswer", strconv.Quote(f.Answering()), strconv.Quote(step)))
			}
		}
	}
	if !f.Error {
		read()
		return
	}
	g.line("if %s != 0 {", g.word("uint8", p.ptr, 0))
	at := g.at(p.ptr, layout.Error)
	switch {
	case f.Fails != nil:
		v := g.temp()
		g.declare(f.Fails, place{ptr: p.ptr, offset: layout.Error}, v)
		if f.Fails.Any(refusable) {
			g.line("%s", g.sdk("CheckAnswer", strconv.Quote(f.Answering()), strconv.Quote(" -> result")))
		}
		g.line("%s = %s", g.id("err"), v)
	case g.Chained(f):
		g.line("%s = %s(%s)", g.id("err"), g.liftErrors(), g.sdk("LoadPair", at))
		if g.Errors.Any(refusable) {
			g.line("%s", g.sdk("CheckAnswer", strconv.Quote(f.Answering()), strconv.Quote(" -> result")))
		}
	default:
		g.line("%s = %s", g.id("err"), g.sdk("HostError", g.sdk("LoadString", at)))
	}
	if len(f.Results) > 0 {
		g.line("} else {")
		read()
	}
	g.line("}")
}
