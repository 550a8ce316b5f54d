package emit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// export writes the function that the host calls for f.
//
// Its return area is static. That is safe, although an export can be entered
// again while it runs, and goroutines run meanwhile: it is written as a whole,
// without an allocation (at which goroutines switch), right before the function
// returns, and the host lifts a result before it calls anything. Results that
// need memory of their own are laid out on the stack first, and then copied.
// What the result refers to is kept in another static variable, until the host
// says that it has read it, or the next call.
//
// Nor does it return while a call of the host is under way that began later: that is
// what it awaits before the last things that it does, none of which lets others run.
func (g *glue) export(f *model.Func) {
	g.counter = 0
	name, area, kept := g.of(f, "Export"), g.of(f, "Area"), g.of(f, "Kept")
	layout := f.ResultLayout()
	words := (layout.Size + 7) / 8
	keeps := g.keeps(f)
	if layout.Size > 0 {
		g.line("// %s is the return area of %s.", area, f.Go)
		g.line("var %s [%d]%s\n", area, words, g.pre("uint64"))
	}
	if len(keeps) > 0 {
		g.line("// %s is what the last result of %s refers to.", kept, f.Go)
		g.line("var %s struct {\n%s\n}\n", kept, strings.Join(keeps, "\n"))
	}

	flat, spilled := f.FlatParams()
	result, scalar := f.FlatResult()
	returns := ""
	if layout.Size > 0 {
		returns = g.core(model.U32C)
	} else if scalar {
		returns = g.core(result)
	}
	g.line("//go:wasmexport %s", g.CoreName(f))
	g.line("func %s(%s) %s {", name, g.flatParams(flat), returns)
	g.now()
	args, taken := g.arguments(f, flat, spilled, returns != "")
	if f.Context {
		ctx, cancel := g.id("ctx"), g.id("cancel")
		g.line("%s, %s := %s", ctx, cancel, g.sdk("Context"))
		args = append([]string{ctx}, args...)
	}
	call := g.callee(f, args)
	results := make([]string, len(f.Results))
	for i := range results {
		results[i] = g.id(fmt.Sprintf("r%d", i))
	}
	names := results
	if f.Error {
		names = append(names[:len(names):len(names)], g.id("err"))
	}
	if len(names) > 0 {
		g.line("%s := %s", strings.Join(names, ", "), call)
	} else {
		g.line("%s", call)
	}
	if f.Context {
		g.line("%s()", g.id("cancel"))
	}
	leave := func() {
		if anyOf(f.ParamTypes(), passed) {
			g.line("%s.Leave()", g.id("scope"))
		}
	}
	done := func() {
		if taken {
			g.line("%s", g.sdk("Done"))
		}
	}
	if anyOf(f.Results, given) {
		g.line("%s", g.sdk("Giving"))
	}
	switch {
	case layout.Size > 0:
		g.returnArea(f, layout, results, area, kept, leave, done)
	case scalar:
		g.returnFlat(f.Results[0], result, results[0], func() {
			g.await()
			leave()
			done()
		})
	default:
		g.await()
		leave()
		done()
	}
	g.line("}\n")

	if len(keeps) > 0 {
		g.line("//go:wasmexport cabi_post_%s", g.CoreName(f))
		g.line("func %s(%s) { %s }\n", g.of(f, "Post"), g.core(model.U32C), g.sdk("Clear", "&"+kept))
	}
}

// callee is the call of the function or method that f exports. A context may come before
// the receiver.
func (g *glue) callee(f *model.Func, args []string) string {
	if f.Method == "" {
		return g.expand(f.Call) + "(" + strings.Join(args, ", ") + ")"
	}
	i := len(args) - len(f.Params)
	receiver := args[i]
	return receiver + "." + f.Method + "(" + strings.Join(slices.Delete(args, i, i+1), ", ") + ")"
}

// keeps are the fields of the variable that keeps the result of f alive.
func (g *glue) keeps(f *model.Func) []string {
	var fields []string
	for i, t := range f.Results {
		if t.Any(refers) {
			fields = append(fields, fmt.Sprintf("r%d %s", i, g.typ(t)))
		}
	}
	chain := g.Chained(f)
	if chain || anyOf(f.Results, needsOut) {
		fields = append(fields, "out "+g.sdkName("Out"))
	}
	switch {
	case chain:
		fields = append(fields, "links "+g.typ(g.links()))
	case f.Error:
		fields = append(fields, "text "+g.pre("string"))
	}
	return fields
}

// refers says that the host gets addresses of what a value of type t refers to.
func refers(t *model.Type) bool {
	return t.Kind == model.String || t.Kind == model.JSON && t.Raw || t.Kind == model.List && t.Elem.Alike
}

// needsOut says that t is laid out anew for the host, in memory of its own.
func needsOut(t *model.Type) bool {
	switch t.Kind {
	case model.Array, model.Map, model.Marshaled:
		return true
	case model.List:
		return !t.Elem.Alike
	case model.JSON:
		return !t.Raw
	}
	return false
}

// refusable says that the host may give what t can't be.
func refusable(t *model.Type) bool { return t.Refusable() }

// placed says that the host places values of type t in memory.
func placed(t *model.Type) bool {
	switch t.Kind {
	case model.String, model.Marshaled, model.CaseName, model.JSON, model.List, model.Array, model.Map:
		return true
	}
	return false
}

func anyOf(ts []*model.Type, f func(*model.Type) bool) bool {
	for _, t := range ts {
		if t.Any(f) {
			return true
		}
	}
	return false
}

func (g *glue) flatParams(flat []model.Core) string {
	var b strings.Builder
	for i, c := range flat {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(g.id(fmt.Sprintf("p%d", i)))
		if i == len(flat)-1 || flat[i+1] != c {
			b.WriteString(" " + g.core(c))
		}
	}
	return b.String()
}

// arguments lifts the arguments of f and returns their names, and whether the
// host places some of them in memory. returns says whether the export gives a
// core value, which it does when it refuses an argument, too.
func (g *glue) arguments(f *model.Func, flat []model.Core, spilled, returns bool) (names []string, taken bool) {
	types := f.ParamTypes()
	taken = spilled || anyOf(types, placed)
	block := g.id("args")
	if taken {
		g.line("%s := %s", block, g.sdk("Take"))
	}
	scope := anyOf(types, passed)
	switch {
	case scope:
		g.line("%s := %s", g.id("scope"), g.sdk("Enter"))
	case g.abandons:
		g.line("%s", g.sdk("Settle"))
	}
	var params string
	var layout model.Layout
	if spilled {
		params = g.id("params")
		g.line("%s := %s", params, g.sdk("Pointer", g.id("p0")))
		layout = model.Place(types...)
	}
	next := 0
	for i, t := range types {
		var s place
		if spilled {
			s = place{ptr: params, offset: layout.Offsets[i]}
		} else {
			n := len(t.Flat())
			for range n {
				s.flat = append(s.flat, g.id(fmt.Sprintf("p%d", next)))
				next++
			}
		}
		name := g.id(fmt.Sprintf("a%d", i))
		names = append(names, name)
		if t.Any(borrowed) {
			g.line("%s", g.sdk("Lend", strconv.Quote(f.Go), strconv.Quote(f.Params[i].Go)))
		}
		g.declare(t, s, name)
		if t.Any(refusable) {
			g.line("if %s {", g.sdk("RefusedArgument", g.turn(), strconv.Quote(f.Params[i].Name)))
			if scope {
				g.line("%s.Abandon()", g.id("scope"))
			}
			if returns {
				g.line("return 0\n}")
			} else {
				g.line("return\n}")
			}
		}
	}
	if taken {
		g.line("%s.Release()", block)
	}
	return names, taken
}

// returnFlat returns a result of one core value. done ends the call.
func (g *glue) returnFlat(t *model.Type, c model.Core, value string, done func()) {
	gives := t.Any(given)
	if !gives {
		done()
		if t.Scalar() {
			g.line("return %s", g.scalar(t, c, value))
			return
		}
	}
	flat := g.id("f0")
	if t.Scalar() {
		g.line("%s := %s", flat, g.scalar(t, c, value))
	} else {
		g.line("var %s %s", flat, g.core(c))
		g.lower(t, place{flat: []string{flat}}, value, "")
	}
	if gives {
		// A handle that ends with the call may be of the same object, which must not end.
		done()
	}
	g.line("return %s", flat)
}

// returnArea lays the results out in the return area. leave ends the handles of the
// arguments, during which the export may be called again. done ends the call, right
// before the last stores of what is kept.
func (g *glue) returnArea(f *model.Func, layout model.ResultLayout, results []string, area, kept string, leave, done func()) {
	needs := anyOf(f.Results, needsOut)
	// The host's part in making and ending handles may let others run.
	apart := needs || anyOf(f.Results, given) || anyOf(f.ParamTypes(), taken)
	out, ret, tmp, err := g.id("out"), g.id("ret"), g.id("tmp"), g.id("err")
	if needs {
		g.line("var %s %s", out, g.sdkName("Out"))
	}
	if apart {
		g.line("var %s [%d]%s", tmp, (layout.Size+7)/8, g.pre("uint64"))
		g.line("%s := %s(&%s)", ret, g.pointer(), tmp)
	} else {
		g.line("%s := %s(&%s)", ret, g.pointer(), area)
	}
	end := func() {
		leave()
		if !apart {
			done()
		}
	}
	write := func() {
		if !apart {
			g.await()
		}
		if f.Error {
			g.line("%s = 0", g.word("uint8", ret, 0))
		}
		for i, t := range f.Results {
			g.lower(t, place{ptr: ret, offset: layout.Offsets[i]}, results[i], "&"+out)
		}
		if apart {
			g.await()
		}
		end()
		for i, t := range f.Results {
			if t.Any(refers) {
				g.line("%s.r%d = %s", kept, i, results[i])
			}
		}
	}
	if f.Error {
		g.line("if %s {", g.failed(err))
		if g.Chained(f) {
			g.returnChain(place{ptr: ret, offset: layout.Error}, err, kept, needs, end)
		} else {
			text := g.id("text")
			g.line("%s := %s", text, g.sdk("ErrorText", err))
			g.await()
			g.line("%s = 1", g.word("uint8", ret, 0))
			g.line("%s", g.sdk("StoreString", g.at(ret, layout.Error), text))
			end()
			g.line("%s.text = %s", kept, text)
		}
		g.line("} else {")
		write()
		g.line("}")
	} else {
		write()
	}
	if apart {
		done()
	}
	if needs {
		g.line("%s.out = %s", kept, out)
	}
	if apart {
		g.line("%s = %s", area, tmp)
	}
	g.line("return %s", g.sdk("Addr", g.pointer()+"(&"+area+")"))
}
