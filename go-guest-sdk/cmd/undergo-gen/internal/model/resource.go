package model

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// A Resource is what handles are of: a type of the guest whose objects the host
// holds, or one of the host's whose objects the guest holds.
type Resource struct {
	Go        string // expression of the Go type: a struct, an interface, or a function
	Name      string // WIT name
	Doc       []string
	Pos       token.Position
	Interface *Interface
	Host      bool     // the host implements it
	Callback  bool     // it is a function of the host's
	Carrier   *Carrier // what the SDK has for it, if it is an iterator or a stream
	Closes    bool     // objects of the guest's have a method Close
	New       *Func    // the constructor, if there is one
	Methods   []*Func
}

// A Carrier is what the SDK has for a resource that is an iterator or a stream. The
// resource's Go type is a type of the SDK then.
type Carrier struct {
	Go  string // what the plugin has: iter.Seq[string], io.Reader
	New string // what makes the one of the other; of the host's, of functions for its methods
	// Then is what makes the plugin's of the SDK's, behind that.
	Then string
	End  string // what is called when the host's handle ends
}

// Given says that t is a handle of the guest's own that the host gets.
func (t *Type) Given() bool { return t.Kind == Handle && !t.Resource.Host && t.Own }

// Hosted says that t is a handle of what the host implements.
func (t *Type) Hosted() bool { return t.Kind == Handle && t.Resource.Host }

// An Interface is an interface of the plugin's package.
type Interface struct {
	Name string
	Doc  []string
	// Rank orders the interfaces: each refers to those of lower rank only, since WIT
	// allows no circles.
	Rank     int
	Exported bool
	Shared   bool // it is of the package undergo:go
	// Foreign is its whole name, such as wasi:keyvalue/store@0.2.0-draft, if it is one of
	// another package of WIT.
	Foreign string
	// Package is the import path of the Go package whose name it has, if it has one.
	Package string
	Pos     token.Position // where that is
}

// The interfaces that have the same names in all plugins.
var (
	Types     = &Interface{Name: "types", Doc: []string{"Types of this plugin."}}
	Objects   = &Interface{Name: "objects", Doc: []string{"Objects of the host that this plugin takes."}, Rank: 1}
	Callbacks = &Interface{Name: "callbacks", Doc: []string{"Functions of the host that this plugin takes."}, Rank: 2}
	// The streams of all plugins.
	HostStreams  = &Interface{Name: "host-streams", Rank: 3, Shared: true}
	GuestStreams = &Interface{Name: "guest-streams", Rank: 1 << 29, Exported: true, Shared: true}
	API          = &Interface{Name: "api", Doc: []string{"Resources of this plugin, and what takes and gives them."}, Rank: 1 << 30, Exported: true}
)

// Home is the interface that the type t is declared in, if WIT declares it: that of
// the plugin's types, or the one of the highest rank of what it has handles of.
func (t *Type) Home() *Interface {
	if t.home == nil {
		t.home = Types
		switch {
		case t.Interface != nil:
			t.home = t.Interface
			return t.home
		case t.Kind == Handle:
			t.home = t.Resource.Interface
		}
		parts := t.Parts()
		for _, part := range []*Type{t.Key, t.Elem} {
			if part != nil {
				parts = append(parts, part)
			}
		}
		for _, part := range parts {
			// Any interface may refer to another package.
			if part.Home().Foreign == "" {
				t.home = higher(t.home, part.Home())
			}
		}
	}
	return t.home
}

func higher(a, b *Interface) *Interface {
	if b.Rank > a.Rank {
		return b
	}
	return a
}

// HomeOf is the exported interface of the highest rank that ts have handles of, or nil.
func HomeOf(ts []*Type) *Interface {
	home := Types
	for _, t := range ts {
		if t.Home().Foreign == "" {
			home = higher(home, t.Home())
		}
	}
	if home.Exported {
		return home
	}
	return nil
}

// ID is the name of the interface i of p in core modules.
func (p *Plugin) ID(i *Interface) string {
	switch {
	case i.Foreign != "":
		return i.Foreign
	case i.Shared:
		return "undergo:go/" + i.Name
	}
	return fmt.Sprintf("undergo:%s/%s", p.World, i.Name)
}

// Local is what the resource of that name in the shared interface i is called
// elsewhere. A function may have streams of both sides.
func (i *Interface) Local(name string) string {
	if i.Exported {
		return "guest-" + name
	}
	return name
}

// CoreName is the name of the export f in the core module.
func (p *Plugin) CoreName(f *Func) string {
	if f.Interface == nil {
		return f.Name
	}
	return p.ID(f.Interface) + "#" + f.InInterface()
}

// CoreImport are the names of the import f and of its module in the core module.
func (p *Plugin) CoreImport(f *Func) (module, name string) {
	if f.Resource == nil {
		return f.Module, f.Name
	}
	return p.ID(f.Resource.Interface), f.InInterface()
}

// Static takes apart the name of a function that stands in a resource of the host's, as core
// modules have it: [static]cas.new or [constructor]cas, of which the second has no name of its
// own.
func Static(id string) (resource, name string, ok bool) {
	if of, ok := strings.CutPrefix(id, "[constructor]"); ok {
		return of, "", IsKebab(of)
	}
	of, ok := strings.CutPrefix(id, "[static]")
	if !ok {
		return "", "", false
	}
	resource, name, _ = strings.Cut(of, ".")
	return resource, name, IsKebab(resource) && IsKebab(name)
}

// Member is the name of a static function within its resource.
func (f *Func) Member() string {
	_, name, _ := Static(f.Name)
	return name
}

// InInterface is the name of f within its interface.
func (f *Func) InInterface() string {
	switch {
	case f.Constructor:
		return "[constructor]" + f.Resource.Name
	case f.Resource != nil:
		return "[method]" + f.Resource.Name + "." + f.Name
	}
	return f.Name
}

// Foreign says that f is of an interface of another package of WIT.
func (f *Func) Foreign() bool {
	in := f.Interface
	if f.Resource != nil {
		in = f.Resource.Interface
	}
	return in != nil && in.Foreign != ""
}

// Answering is what the import f is called in messages.
func (f *Func) Answering() string {
	switch {
	case f.Resource == nil:
		return f.Module + "." + f.Name
	case f.Resource.Callback:
		return f.Resource.Name
	}
	return f.Resource.Name + "." + f.Name
}

// Interfaces are the interfaces of p's own package that are not empty, by their rank.
func (p *Plugin) Interfaces() []*Interface {
	var all []*Interface
	add := func(i *Interface) {
		if i != nil && !i.Shared && i.Foreign == "" && !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	for _, t := range slices.Concat(p.Types, p.Arrays) {
		add(t.Home())
	}
	if p.Errors != nil {
		add(p.Errors.Home())
	}
	for _, r := range p.Resources {
		add(r.Interface)
	}
	for _, f := range p.Exports {
		add(f.Interface)
	}
	slices.SortFunc(all, func(a, b *Interface) int { return cmp.Compare(a.Rank, b.Rank) })
	return all
}

// Foreign are the interfaces of other packages of WIT that p imports, by their rank.
func (p *Plugin) Foreign() []*Interface {
	var all []*Interface
	add := func(i *Interface) {
		if i != nil && i.Foreign != "" && !slices.Contains(all, i) {
			all = append(all, i)
		}
	}
	for _, t := range p.Types {
		add(t.Interface)
	}
	for _, r := range p.Resources {
		add(r.Interface)
	}
	for _, f := range p.Imports {
		add(f.Interface)
	}
	slices.SortFunc(all, func(a, b *Interface) int { return cmp.Compare(a.Rank, b.Rank) })
	return all
}

// Handles says that p has handles or exported interfaces, for which it needs version 4
// of the contract.
func (p *Plugin) Handles() bool {
	return len(p.Resources) > 0 || slices.ContainsFunc(p.Exports, func(f *Func) bool { return f.Interface != nil })
}

// In are the functions of fs that stand in the interface i, or, if that is nil, in the
// world, without those of resources.
func In(fs []*Func, i *Interface) []*Func {
	var found []*Func
	for _, f := range fs {
		if f.Interface == i && f.Resource == nil {
			found = append(found, f)
		}
	}
	return found
}

// A Use is what a scope takes from an interface.
type Use struct {
	Interface *Interface
	Names     []string // sorted
}

// Uses are the declared types that ts refer to directly: the plugin's own, by the rank
// of their interface, and the names of those of undergo:go/types, sorted.
func Uses(ts []*Type) (own []Use, shared []string) {
	names := map[*Interface][]string{}
	var visit func(t *Type)
	visit = func(t *Type) {
		if t.Named() || t.Kind == Array {
			names[t.Home()] = append(names[t.Home()], t.Name)
			return // its parts are its own business
		}
		switch t.Kind {
		case Handle:
			names[t.Home()] = append(names[t.Home()], t.Resource.Name)
			return
		case CaseName:
			return // a string
		case Time:
			shared = append(shared, "time")
		case Duration:
			shared = append(shared, "duration")
		case Batch:
			shared = append(shared, "batch")
		case JSON:
			shared = append(shared, "json")
		}
		if t.Key != nil {
			visit(t.Key)
		}
		if t.Elem != nil {
			visit(t.Elem)
		}
		for _, f := range t.Fields {
			visit(f.Type)
		}
	}
	for _, t := range ts {
		visit(t)
	}
	for i, of := range names {
		slices.Sort(of)
		own = append(own, Use{i, slices.Compact(of)})
	}
	slices.SortFunc(own, func(a, b Use) int { return cmp.Compare(a.Interface.Rank, b.Interface.Rank) })
	slices.Sort(shared)
	return own, slices.Compact(shared)
}

// SharedInterfaces are the interfaces of undergo:go with resources that p has.
func (p *Plugin) SharedInterfaces() []*Interface {
	var all []*Interface
	for _, r := range p.Resources {
		if r.Interface.Shared && !slices.Contains(all, r.Interface) {
			all = append(all, r.Interface)
		}
	}
	slices.SortFunc(all, func(a, b *Interface) int { return cmp.Compare(a.Rank, b.Rank) })
	return all
}

// Declared says that p declares a type of that WIT name.
func (p *Plugin) Declared(name string) bool {
	return slices.ContainsFunc(p.Types, func(t *Type) bool { return t.Name == name }) ||
		slices.ContainsFunc(p.Resources, func(r *Resource) bool { return r.Name == name && !r.Interface.Shared })
}

// Rename is what p calls the type of that name of the package undergo:go.
func (p *Plugin) Rename(name string) string {
	if p.Declared(name) {
		return "go-" + name
	}
	return name
}
