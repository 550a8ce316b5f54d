// Package check finds what is wrong with a plugin as a whole: names that collide,
// and limits of the toolchain.
package check

import (
	"go/token"
	"slices"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// Plugin reports all problems of p.
func Plugin(p *model.Plugin) error {
	var c checker
	c.world(p)
	c.interfaces(p)
	c.types(p)
	c.exports(p)
	c.imports(p)
	c.resources(p)
	c.handles(p)
	return c.Err()
}

type checker struct{ model.Problems }

// A scope maps WIT names to the Go names that became them.
type scope map[string]string

// add reports a name that is taken.
func (c *checker) add(s scope, pos token.Position, what, wit, goName, remedy string) {
	if prev, ok := s[wit]; ok {
		c.Add(pos, "%s: %s and %s are both %s in WIT; %s", what, prev, goName, wit, remedy)
		return
	}
	s[wit] = goName
}

func (c *checker) world(p *model.Plugin) {
	if !model.IsKebab(p.World) {
		c.Add(token.Position{}, "%q is no name for a world: words of lower-case letters and digits, joined by hyphens; choose one with -world", p.World)
		return
	}
	for _, i := range append(p.Interfaces(), model.Types) {
		if p.World == i.Name {
			c.Add(token.Position{}, "a world can't be named %s, as an interface of the plugin is; choose another name with -world", i.Name)
			return
		}
	}
}

// interfaces checks that packages have names of their own.
func (c *checker) interfaces(p *model.Plugin) {
	names := map[string]*model.Interface{}
	for _, i := range p.Interfaces() {
		if i.Shared {
			continue
		}
		prev, ok := names[i.Name]
		switch {
		case !ok:
		case i.Package == "":
			c.Add(prev.Pos, "package %s: the plugin has an interface %s of its own; give the package another name", prev.Package, i.Name)
		case prev.Package == "":
			c.Add(i.Pos, "package %s: the plugin has an interface %s of its own; give the package another name", i.Package, i.Name)
		default:
			c.Add(i.Pos, "packages %s and %s are both interface %s in WIT; rename one", prev.Package, i.Package, i.Name)
		}
		names[i.Name] = i
	}
}

func (c *checker) types(p *model.Plugin) {
	names, scopes := scope{}, map[*model.Interface]scope{}
	for _, i := range p.Foreign() {
		scopes[i] = scope{}
	}
	// Those of another package of WIT have a scope for each interface.
	in := func(i *model.Interface) scope {
		if own, ok := scopes[i]; ok {
			return own
		}
		return names
	}
	for _, r := range p.Resources {
		if r.Interface.Shared {
			continue
		}
		what, name := "type "+r.Shown(), r.Shown()
		switch {
		case r.Callback:
			what, name = "function "+r.Methods[0].Go, r.Methods[0].Go
		case r.Carrier != nil:
			what, name = "type "+r.Name, r.Name
		}
		c.add(in(r.Interface), r.Pos, what, r.Name, name, "rename one")
	}
	for _, t := range p.Types {
		c.add(in(t.Interface), t.Pos, "type "+t.Shown(), t.Name, t.Shown(), "rename one")
		fields := scope{}
		for _, f := range t.Fields {
			c.add(fields, f.Pos, "type "+t.Shown()+": field "+f.Go, f.Name, f.Go, "rename one, or give it a tag `undergo:\"...\"`")
		}
	}
	for _, t := range p.Arrays {
		c.add(names, t.Pos, "type "+t.Shown(), t.Name, t.Shown(), "rename one")
	}
	shared := []string{"time", "duration", "json"}
	for _, r := range p.Resources {
		switch {
		case r.Interface.Shared:
			shared = append(shared, r.Interface.Local(r.Name))
		case r.Carrier != nil:
			shared = append(shared, "batch")
		}
	}
	for _, shared := range shared {
		if _, ok := names[shared]; ok {
			if goName, ok := names["go-"+shared]; ok {
				c.Add(token.Position{}, "types %s and %s: the name go-%s is needed for Go's own %s; rename one", names[shared], goName, shared, shared)
			}
		}
	}
	if p.Errors != nil {
		if goName, ok := names[p.Errors.Name]; ok {
			c.Add(token.Position{}, "types %s and %s: the name %s is needed for the errors of the plugin; rename one", names["error"], goName, p.Errors.Name)
		}
	}
}

func (c *checker) function(f *model.Func) {
	params := scope{}
	for _, p := range f.Params {
		c.add(params, p.Pos, f.Go+": parameter "+p.Go, p.Name, p.Go, "rename one")
	}
}

func (c *checker) exports(p *model.Plugin) {
	names := scope{}
	for _, f := range p.Exports {
		c.function(f)
		if f.Resource == nil {
			c.add(names, f.Pos, "export "+f.Go, f.Name, f.Go, "rename one, or name it with //undergo:export NAME")
		}
		if f.Name == "memory" && f.Interface == nil {
			c.Add(f.Pos, "export %s: the name memory is that of the module's memory; name it with //undergo:export NAME", f.Go)
		}
		// The compiler passes the parameters of an exported function through 128
		// bytes of stack, result included.
		flat, _ := f.FlatParams()
		size := 0
		for _, core := range flat {
			size = model.Round(size, core.Bytes()) + core.Bytes()
		}
		size = model.Round(size, 8)
		if _, scalar := f.FlatResult(); scalar || f.ResultLayout().Size > 0 {
			size += 8
		}
		if size > 128 {
			c.Add(f.Pos, "export %s: the Go compiler has no room for 16 parameters of 8 bytes and a result; pass some of them as a slice", f.Go)
		}
	}
}

func (c *checker) imports(p *model.Plugin) {
	world := typeNames(p, p.Used(model.In(p.Exports, nil)))
	for _, i := range p.Foreign() {
		c.foreign(p, i)
	}
	for _, module := range p.Modules() {
		var fns []*model.Func
		for _, f := range p.Imports {
			if f.Resource == nil && f.Interface == nil && f.Module == module {
				fns = append(fns, f)
			}
		}
		if slices.ContainsFunc(append(p.Interfaces(), model.Types), func(i *model.Interface) bool { return i.Name == module }) {
			c.Add(fns[0].Pos, "module %s has the name of an interface of the plugin's own; give the module another name", module)
		} else if world[module] {
			c.Add(fns[0].Pos, "module %s has the name of a type that exports use; give the module another name", module)
		}
		used, names := typeNames(p, p.Used(fns)), scope{}
		for _, f := range fns {
			c.function(f)
			c.add(names, f.Pos, "import "+f.Go, f.Name, f.Go, "rename one, or name it with //undergo:import MODULE NAME")
			if used[f.Name] {
				c.Add(f.Pos, "import %s: module %s uses a type %s, too; name the function with //undergo:import MODULE NAME", f.Go, module, f.Name)
			}
		}
	}
}

// foreign checks the functions of an interface of another package of WIT.
func (c *checker) foreign(p *model.Plugin, i *model.Interface) {
	for _, other := range p.Foreign() {
		if other != i && other.Foreign == i.Foreign && other.Rank < i.Rank {
			c.Add(i.Pos, "packages %s and %s are both the interface %s; leave one", other.Package, i.Package, i.Foreign)
		}
	}
	names := scope{}
	for _, f := range model.In(p.Imports, i) {
		c.function(f)
		c.add(names, f.Pos, "import "+f.Go, f.Name, f.Go, "rename one, or name it with //undergo:import NAME")
	}
}

// typeNames are the names that ts bring into scope.
func typeNames(p *model.Plugin, ts []*model.Type) map[string]bool {
	names := map[string]bool{}
	own, shared := model.Uses(ts)
	for _, use := range own {
		for _, n := range use.Names {
			if use.Interface.Shared {
				shared = append(shared, use.Interface.Local(n))
				continue
			}
			names[n] = true
		}
	}
	for _, n := range shared {
		names[p.Rename(n)] = true
	}
	return names
}
