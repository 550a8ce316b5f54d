package check

import (
	"slices"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// reserved are the names that each language has for something of its own on objects of
// the guest, and on those of the host.
var (
	reservedByGuest = []string{"close", "constructor", "dispose", "drop"}
	reservedByHost  = []string{"constructor", "drop"}
)

// resources checks the names within resources, and within the interfaces of functions
// with handles, where types and functions have one scope.
func (c *checker) resources(p *model.Plugin) {
	for _, r := range p.Resources {
		if r.Callback {
			c.function(r.Methods[0])
			continue
		}
		if r.Carrier != nil {
			continue // its methods are the same for all
		}
		reserved, remedy := reservedByGuest, "rename one, or name it with //undergo:export NAME"
		if r.Host {
			reserved, remedy = reservedByHost, "rename one"
		}
		names := scope{}
		for _, f := range r.Methods {
			if r.Host {
				c.function(f)
			}
			c.add(names, f.Pos, "resource "+r.Shown(), f.Name, f.Method, remedy)
			if slices.Contains(reserved, f.Name) {
				c.Add(f.Pos, "method %s: in many languages objects have a %s of their own; give it another name", f.Go, f.Name)
			}
		}
	}
	for _, i := range p.Interfaces() {
		if !i.Exported {
			continue
		}
		used := map[string]bool{}
		var refers []*model.Type
		for _, f := range p.Exports {
			if f.Interface == i {
				refers = append(refers, p.Used([]*model.Func{f})...)
			}
		}
		for _, t := range p.Types {
			if t.Home() == i {
				refers = append(refers, t.Parts()...)
				used[t.Name] = true
			}
		}
		for _, t := range p.Arrays {
			if t.Home() == i {
				refers = append(refers, t.Elem)
				used[t.Name] = true
			}
		}
		for _, r := range p.Resources {
			if r.Interface == i {
				used[r.Name] = true
			}
		}
		for n := range typeNames(p, refers) {
			used[n] = true
		}
		for _, f := range model.In(p.Exports, i) {
			if used[f.Name] {
				c.Add(f.Pos, "export %s: interface %s has a type %s, too; name the function with //undergo:export NAME", f.Go, i.Name, f.Name)
			}
		}
	}
}

// handles checks that handles cross in the directions that they can.
func (c *checker) handles(p *model.Plugin) {
	for _, f := range p.Exports {
		for _, t := range f.Results {
			if h := within(t, (*model.Type).Hosted); h != nil {
				c.Add(f.Pos, "export %s: its result has %s, which the host implements and does not take back; leave it out", f.Go, h.Shown())
			}
		}
	}
	for _, f := range p.Imports {
		params := f.Params
		if f.Resource != nil {
			params = params[1:]
		}
		for _, param := range params {
			// What the host implements can go back to it by itself.
			if param.Type.Hosted() && f.Foreign() {
				continue
			}
			if h := within(param.Type, isHandle); h != nil {
				c.Add(param.Pos, "parameter %s: %s is known by a handle, which functions of the host don't take; pass what it is about as a value", param.Go, h.Shown())
			}
		}
		for _, t := range f.Results {
			h := within(t, func(t *model.Type) bool { return isHandle(t) && !t.Hosted() })
			switch {
			case h == nil:
			case f.Resource != nil && f.Resource.Carrier != nil:
				c.Add(f.Pos, "iterable %s: its items have %s, which is the plugin's own and comes back in arguments only; take a slice", f.Resource.Name, h.Shown())
			default:
				c.Add(f.Pos, "%s: its result has %s, which is the plugin's own and comes back in arguments only; leave it out", f.Go, h.Shown())
			}
		}
	}
	if p.Errors == nil {
		return
	}
	for _, e := range p.Errors.Cases[1:] {
		if h := within(e.Type, isHandle); h != nil {
			c.Add(e.Pos, "error %s: it has %s, which is known by a handle and can't be in an error; leave it out with `undergo:\"-\"`", e.Name, h.Shown())
		}
	}
}

func isHandle(t *model.Type) bool { return t.Kind == model.Handle }

// within is the first type in t that satisfies f, or nil.
func within(t *model.Type, f func(*model.Type) bool) (found *model.Type) {
	t.Walk(func(t *model.Type) {
		if found == nil && f(t) {
			found = t
		}
	})
	return found
}
