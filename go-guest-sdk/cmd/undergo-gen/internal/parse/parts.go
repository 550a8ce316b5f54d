package parse

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// firstPart is the rank of the interface of the first package beside main. Each package
// refers to earlier ones only, as packages of Go do.
const firstPart = 100

// readParts makes an interface for each package beside main, with the package's name.
func (r *reader) readParts() {
	for i, part := range r.parts {
		name := part.pkg.Name()
		at := part.files[0].Name.Pos()
		if foreign := r.foreign(part); foreign != nil {
			foreign.Rank = firstPart + i
			r.parted[part.pkg] = foreign
			continue
		}
		r.asciiName(at, "package", name, "another name")
		r.parted[part.pkg] = &model.Interface{
			Name: model.Kebab(name), Doc: packageDoc(part), Rank: firstPart + i, Exported: true,
			Package: part.pkg.Path(), Pos: r.fset.Position(at),
		}
	}
}

// foreign is the interface of another package of WIT that the package declares, if its
// comment says that it does.
func (r *reader) foreign(p *part) *model.Interface {
	var found *model.Interface
	for _, f := range p.files {
		if f.Doc == nil {
			continue
		}
		for _, c := range f.Doc.List {
			words := strings.Fields(strings.TrimPrefix(c.Text, prefix))
			if !strings.HasPrefix(c.Text, prefix) || len(words) == 0 || words[0] != "interface" {
				continue
			}
			_, name, ok := "", "", false
			if len(words) == 2 {
				_, name, ok = model.Foreign(words[1])
			}
			switch {
			case !ok:
				r.problem(c.Pos(), "//undergo:interface needs the whole name of an interface in WIT, such as wasi:keyvalue/store@0.2.0")
			case found != nil:
				r.problem(c.Pos(), "package %s is an interface already; leave one directive", p.pkg.Name())
				continue
			}
			found = &model.Interface{
				Name: name, Doc: packageDoc(p), Foreign: strings.Join(words[1:], " "),
				Package: p.pkg.Path(), Pos: r.fset.Position(c.Pos()),
			}
		}
	}
	return found
}

// foreignHome is the interface of another package of WIT that obj is declared in, or nil.
func (r *reader) foreignHome(obj types.Object) *model.Interface {
	if home := r.home(obj); home != nil && home.Foreign != "" {
		return home
	}
	return nil
}

func packageDoc(p *part) []string {
	for _, f := range p.files {
		if doc := lines(f.Doc); doc != nil {
			return doc
		}
	}
	return []string{"Functions of the package " + p.pkg.Name() + "."}
}

// all are the files of all packages that are read.
func (s *source) all() []*ast.File {
	files := s.files
	for _, p := range s.parts {
		files = append(files[:len(files):len(files)], p.files...)
	}
	return files
}

// own says that the plugin's author has the package in hand: it is main, or read beside it.
func (r *reader) own(pkg *types.Package) bool {
	_, ok := r.parted[pkg]
	return ok || pkg == r.pkg
}

// reaches reports what of a package beside main the glue, which is in main, can't name.
func (r *reader) reaches(obj types.Object, what string) bool {
	if obj == nil || obj.Exported() || obj.Pkg() == r.pkg {
		return true
	}
	r.problem(obj.Pos(), "%s %s is not exported by package %s, and the glue in package main has to name it; begin its name with a capital", what, obj.Name(), obj.Pkg().Name())
	return false
}

// home is the interface of what stands in the package: nil for main.
func (r *reader) home(obj types.Object) *model.Interface { return r.parted[obj.Pkg()] }

// qualified is how the glue names obj, a function or constant, and how people do.
func (r *reader) qualified(obj types.Object) (expr, shown string) {
	if obj.Pkg() == r.pkg {
		return obj.Name(), obj.Name()
	}
	return model.Ref(obj.Pkg().Path(), obj.Pkg().Name()) + "." + obj.Name(), obj.Pkg().Name() + "." + obj.Name()
}
