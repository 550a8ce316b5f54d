package parse

import (
	"cmp"
	"fmt"
	"go/types"
	"slices"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// sequence is what t is an iterator of, if it is one: the types of its items, one or two.
func (r *reader) sequence(t types.Type) (items []types.Type, is bool) {
	n, ok := r.origin(types.Unalias(t)).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "iter" {
		return nil, false
	}
	for i := range n.TypeArgs().Len() {
		items = append(items, n.TypeArgs().At(i))
	}
	return items, len(items) > 0
}

// A streamType is a type of package io that is a stream, and what becomes of it.
type streamType struct {
	name   string // of the resource
	method string // beside Close
	host   string // the SDK's type for one of the host, which is made by New and this
	guest  string // the same for one of the guest
	as     string // the type of package io that the SDK takes
}

var streams = map[string]streamType{
	"Reader":      {"reader", "Read", "Reader", "Source", "Reader"},
	"ReadCloser":  {"reader", "Read", "Reader", "Source", "Reader"},
	"Writer":      {"writer", "Write", "Writer", "Sink", "Writer"},
	"WriteCloser": {"writer", "Write", "Writer", "Sink", "Writer"},
}

// stream is the stream that t is, if it is one.
func (r *reader) stream(t types.Type) (streamType, bool) {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "io" {
		return streamType{}, false
	}
	s, ok := streams[n.Obj().Name()]
	return s, ok
}

// carried is the model of t where that is an iterator or a stream, as a parameter of
// that name of the export f, or as its result, if name is empty. It says whether it is;
// if so and there is no model, that is reported.
func (r *reader) carried(f *model.Func, t types.Type, name string, at place) (carried *model.Type, is bool) {
	host := name != ""
	if s, ok := r.stream(t); ok {
		return r.streamOf(s, r.goType(t), host, at), true
	}
	items, ok := r.sequence(t)
	if !ok {
		return nil, false
	}
	item := r.item(items, t, at)
	if item == nil {
		return nil, true
	}
	res := &model.Resource{Name: r.carriedName(f, name), Pos: r.fset.Position(at.pos), Interface: cmp.Or(f.Interface, model.API), Host: host, Carrier: &model.Carrier{}}
	next := "New"
	if len(items) == 2 {
		next = "New2"
	}
	iterator := model.SDK("iterator")
	res.Carrier.Go = model.Ref("iter", "iter") + ".Seq[" + item.Go + "]"
	if len(items) == 2 {
		res.Carrier.Go = model.Ref("iter", "iter") + ".Seq2[" + item.Fields[0].Type.Go + ", " + item.Fields[1].Type.Go + "]"
	}
	if host {
		res.Interface = model.Objects
		res.Go, res.Carrier.New, res.Carrier.Then = res.Carrier.Go, iterator+".NewSource", ".All"
		if len(items) == 2 {
			res.Carrier.New, res.Carrier.Then = iterator+".NewSource2", ".All"
		}
	} else {
		res.Go, res.Carrier.New, res.Carrier.End = iterator+".Producer["+item.Go+"]", iterator+"."+next, "Stop"
	}
	most := model.Param{Go: "most", Name: "most", Pos: res.Pos, Type: &model.Type{Kind: model.Batch, Go: model.Ref("", "uint32"), Alike: true}}
	list := &model.Type{Kind: model.List, Go: "[]" + item.Go, Elem: item}
	end := &model.Type{Kind: model.Bool, Go: model.Ref("", "bool"), Alike: true}
	r.method(res, &model.Func{Name: "next", Method: "Next", Params: []model.Param{most}, Results: []*model.Type{list, end}})
	r.use(res)
	return &model.Type{Kind: model.Handle, Go: r.goType(t), Resource: res, Own: at.own}, true
}

// item is the model of an item of the iterator t.
func (r *reader) item(items []types.Type, t types.Type, at place) *model.Type {
	if isError(items[len(items)-1]) {
		return r.refuse(at, t, "has items that are errors, which cross as the last result of a function only; use items of a struct type with a text for what went wrong, or collect them and return an error, or panic, which is the error of the caller's next item")
	}
	item := r.typ(items[0], at.in("item").owning())
	if item == nil || len(items) == 1 {
		return item
	}
	value := r.typ(items[1], at.in("item").owning())
	if value == nil {
		return nil
	}
	return &model.Type{
		Kind: model.Record, Go: model.SDK("iterator") + ".Pair[" + item.Go + ", " + value.Go + "]", Alike: item.Alike && value.Alike,
		Fields: []model.Field{{Go: "Key", Name: "key", Type: item}, {Go: "Value", Name: "value", Type: value}},
	}
}

// carriedName is the WIT name of an iterator: it is named after the function, and after
// the parameter or, as a result, what it has.
func (r *reader) carriedName(f *model.Func, param string) string {
	name := f.Name
	if f.Resource != nil {
		name = f.Resource.Name + "-" + name
	}
	if param != "" {
		return name + "-" + param
	}
	name += "-items"
	for n := 2; slices.ContainsFunc(f.Results, func(t *model.Type) bool { return t != nil && t.Given() && t.Resource.Name == name }); n++ {
		name = fmt.Sprintf("%s%d", name, n)
	}
	return name
}

// streamOf is the model of a stream of the host or the guest, of which each plugin has one
// resource at most.
func (r *reader) streamOf(s streamType, expr string, host bool, at place) *model.Type {
	iface := model.GuestStreams
	if host {
		iface = model.HostStreams
	}
	i := slices.IndexFunc(r.plugin.Resources, func(res *model.Resource) bool { return res.Interface == iface && res.Name == s.name })
	if i >= 0 {
		return &model.Type{Kind: model.Handle, Go: expr, Resource: r.plugin.Resources[i], Own: at.own}
	}
	sdk := model.SDK("stream")
	res := &model.Resource{Name: s.name, Pos: r.fset.Position(at.pos), Interface: iface, Host: host, Carrier: &model.Carrier{Go: model.Ref("io", "io") + "." + s.as}}
	if host {
		res.Go, res.Carrier.New = "*"+sdk+"."+s.host, sdk+".New"+s.host
	} else {
		res.Go, res.Carrier.New, res.Carrier.End = sdk+"."+s.guest, sdk+".New"+s.guest, "Close"
	}
	bytes := &model.Type{Kind: model.List, Go: "[]" + model.Ref("", "byte"), Elem: &model.Type{Kind: model.U8, Go: model.Ref("", "byte"), Alike: true}}
	first := &model.Func{Name: model.Kebab(s.method), Method: s.method}
	if s.method == "Read" {
		first.Params = []model.Param{{Go: "most", Name: "most", Pos: res.Pos, Type: &model.Type{Kind: model.U32, Go: model.Ref("", "uint32"), Alike: true}}}
		first.Results = []*model.Type{bytes}
	} else {
		first.Params = []model.Param{{Go: "data", Name: "data", Pos: res.Pos, Type: bytes}}
	}
	for _, f := range []*model.Func{first, {Name: "close", Method: "Close"}} {
		f.Error, f.Text = true, true
		r.method(res, f)
	}
	r.use(res)
	return &model.Type{Kind: model.Handle, Go: expr, Resource: res, Own: at.own}
}

// method completes f as a method of an iterator or a stream.
func (r *reader) method(res *model.Resource, f *model.Func) {
	self := &model.Type{Kind: model.Handle, Go: "*" + res.Go, Resource: res}
	f.Go, f.Pos, f.Resource = res.Name+"."+f.Method, res.Pos, res
	if res.Interface.Shared {
		f.Go = res.Interface.Local(f.Go)
	}
	f.Params = append([]model.Param{{Go: "self", Name: "self", Pos: res.Pos, Type: self}}, f.Params...)
	if res.Host {
		res.Methods = append(res.Methods, f)
		r.plugin.Imports = append(r.plugin.Imports, f)
		return
	}
	f.Interface = res.Interface
	r.plugin.Exports = append(r.plugin.Exports, f)
}

// elsewhere refuses iterators and streams where they are neither a parameter nor a result
// of an export, and what could be one.
func (r *reader) elsewhere(t types.Type, at place) bool {
	_, isStream := r.stream(t)
	_, isSequence := r.sequence(t)
	shown := r.shown(t)
	switch {
	case isSequence:
		r.refuse(at, t, "is an iterator, which crosses as a parameter or a result of an exported function, by itself; use a slice here")
	case isStream:
		r.refuse(at, t, "is a stream, which crosses as a parameter or a result of an exported function, by itself; use []byte here")
	case shown == "io.ReadWriter", shown == "io.ReadWriteCloser":
		r.refuse(at, t, "is two streams in one; use an io.Reader and an io.Writer")
	case shown == "io.ReadSeeker", shown == "io.ReadSeekCloser", shown == "io.ReadWriteSeeker", shown == "io.WriteSeeker", shown == "io.Seeker", shown == "io.ReaderAt", shown == "io.WriterAt":
		r.refuse(at, t, "reads or writes at any place, and streams go from their beginning to their end; use an io.Reader or io.Writer, or []byte")
	case shown == "*os.File":
		r.refuse(at, t, "is a file of the plugin's own system; use io.ReadCloser or io.WriteCloser, which it is, too")
	default:
		return false
	}
	return true
}
