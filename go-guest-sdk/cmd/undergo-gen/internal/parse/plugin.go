package parse

import (
	"go/types"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen/internal/model"
)

// Plugin reads the plugin in dir. glue is the name of the generated file, which
// is left out of what is read; world is the name of its world, or "". The error
// holds all problems.
func Plugin(dir, glue, world string) (*model.Plugin, error) {
	var problems model.Problems
	src, err := load(dir, glue, &problems)
	if err != nil {
		return nil, err
	}
	r := &reader{
		source:    src,
		Problems:  &problems,
		plugin:    &model.Plugin{World: world, Taken: map[string]bool{}},
		docs:      map[types.Object][]string{},
		enums:     map[types.Object]bool{},
		variants:  map[types.Object][]*types.TypeName{},
		resources: map[types.Object]*resource{},
		callbacks: map[string]*model.Resource{},
		origins:   map[types.Object]types.Type{},
		named:     map[string]*model.Type{},
		parted:    map[*types.Package]*model.Interface{},
		shapes:    map[types.Object]string{},
		fails:     map[types.Object]directive{},
	}
	for _, name := range src.pkg.Scope().Names() {
		r.plugin.Taken[name] = true
	}
	// What one file of a package declares must not be what another imports something as:
	// what the glue declares begins in this way.
	for _, file := range src.files {
		for _, spec := range file.Imports {
			if spec.Name != nil && strings.HasPrefix(spec.Name.Name, "undergo") && spec.Name.Name != "undergo" {
				r.plugin.Taken[spec.Name.Name] = true
			}
		}
	}
	r.readParts()
	for _, d := range r.directives() {
		r.function(d)
	}
	r.readObjects()
	r.readErrors()
	r.plugin.NameArrays()
	if world == "" {
		r.plugin.World = r.world()
	}
	return r.plugin, problems.Err()
}

// world is the default name of the world, which none of the interfaces has.
func (r *reader) world() string {
	name := r.source.world()
	for _, i := range append(r.plugin.Interfaces(), model.Types) {
		if i.Name == name {
			return name + "-plugin"
		}
	}
	return name
}

// A reader turns the checked source into the model.
type reader struct {
	*source
	*model.Problems
	plugin    *model.Plugin
	docs      map[types.Object][]string           // doc comments of types, fields, constants, methods of interfaces
	enums     map[types.Object]bool               // types with //undergo:enum
	variants  map[types.Object][]*types.TypeName  // types with //undergo:variant, and their cases
	failures  []*types.TypeName                   // types with //undergo:error
	resources map[types.Object]*resource          // types with //undergo:resource
	callbacks map[string]*model.Resource          // the function types of parameters, by what identifies them
	objects   []*resource                         // of the host's, whose methods have still to be read
	origins   map[types.Object]types.Type         // what a type is declared as
	named     map[string]*model.Type              // by what identifies the type
	parted    map[*types.Package]*model.Interface // of the packages that are read beside main
	open      []*types.Named                      // the structs and variants that are being read
	shapes    map[types.Object]string             // structs with //undergo:tuple and //undergo:value
	fails     map[types.Object]directive          // what a function of the host's has as its error
}
