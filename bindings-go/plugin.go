package undergo

import (
	"context"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Plugin is a compiled plugin: open it once, instantiate it as often as needed, from any goroutine.
// It is freed by [Plugin.Close], or when nobody has it any more; its instances and pools live on.
type Plugin struct {
	handle *handle
	description
	byName sync.Map
}

// handle is one of the library, which is freed once, when nobody uses it.
type handle struct {
	mutex  sync.RWMutex
	at     uintptr
	delete symbol
}

// handles counts those of plugins, instances, pools and finished commands that were not freed.
var handles atomic.Int64

// use runs code with the handle, which is not freed meanwhile.
func (h *handle) use(code func(at uintptr) error) error {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	if h.at == 0 {
		return fault(KindDeadInstance, "the plugin is closed")
	}
	return code(h.at)
}

func (h *handle) free() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.at != 0 {
		h.delete.call(h.at)
		h.at = 0
		handles.Add(-1)
	}
}

// Open loads a .wasm file. The context bounds how long that may take: a compilation that has begun
// goes on behind it.
func Open(ctx context.Context, file string, options ...OpenOption) (*Plugin, error) {
	return opened(ctx, options, func(given, out unsafe.Pointer) uintptr {
		path := cText(file)
		failed, _ := theLibrary.plugin_load.call(address(path), uintptr(given), uintptr(out))
		runtime.KeepAlive(path)
		return failed
	})
}

// OpenBytes loads the content of a .wasm file, which is not needed afterwards. The name is what its
// os.Args[0] will be.
func OpenBytes(ctx context.Context, name string, content []byte, options ...OpenOption) (*Plugin, error) {
	return opened(ctx, options, func(given, out unsafe.Pointer) uintptr {
		named := cText(name)
		failed, _ := theLibrary.plugin_from_bytes.call(address(content), uintptr(len(content)), address(named), uintptr(given), uintptr(out))
		runtime.KeepAlive(named)
		runtime.KeepAlive(content)
		return failed
	})
}

// OpenFS loads a .wasm file of a file system: one that is embedded in the program, say.
func OpenFS(ctx context.Context, fsys fs.FS, name string, options ...OpenOption) (*Plugin, error) {
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return OpenBytes(ctx, name, content, options...)
}

// OpenCompiled loads a compiled plugin, which 'undergo compile' made. That is native code, which is
// run as it is, outside the sandbox: load only what comes from there through hands that you trust.
// Damage is noticed, malice is not.
func OpenCompiled(ctx context.Context, file string) (*Plugin, error) {
	return opened(ctx, nil, func(_, out unsafe.Pointer) uintptr {
		path := cText(file)
		failed, _ := theLibrary.plugin_load_compiled.call(address(path), one(true), uintptr(out))
		runtime.KeepAlive(path)
		return failed
	})
}

func opened(ctx context.Context, options []OpenOption, open func(options, out unsafe.Pointer) uintptr) (*Plugin, error) {
	if err := library(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, asked(ctx, fault(KindCancelled, "the loading was cancelled before it began"))
	}
	given := &cPluginOptions{}
	kept := &keeper{}
	for _, option := range options {
		option(given, kept)
	}
	if ctx.Done() != nil {
		bound := bind(ctx)
		defer bound.end()
		given.timeout, given.cancel = bound.timeout, bound.token.at
	}
	out := new(uintptr)
	err := taken(open(unsafe.Pointer(given), unsafe.Pointer(out)))
	runtime.KeepAlive(kept)
	if err != nil {
		return nil, asked(ctx, err)
	}
	handles.Add(1)
	plugin := &Plugin{handle: &handle{at: *out, delete: theLibrary.plugin_delete}}
	plugin.describe()
	runtime.AddCleanup(plugin, (*handle).free, plugin.handle)
	return plugin, nil
}

// describe reads what functions there are.
func (p *Plugin) describe() {
	at, _ := theLibrary.plugin_describe.call(p.handle.at)
	p.description = described(text(at))
	p.name(theLibrary.plugin_export, p.exports)
	p.name(theLibrary.plugin_import, p.imports)
	for _, export := range p.exports {
		p.byName.Store(export.Name, export)
	}
}

func (p *Plugin) name(from symbol, functions []*function) {
	for i, found := range functions {
		texts := new([4]uintptr)
		from.call(p.handle.at, uintptr(i), uintptr(unsafe.Pointer(texts)))
		found.Function = Function{Interface: text(texts[0]), Name: text(texts[1]), Signature: text(texts[2]), Docs: text(texts[3])}
	}
}

// export finds an export by its name in WIT, or as Go writes it.
func (p *Plugin) export(name string) (*function, error) {
	if found, ok := p.byName.Load(name); ok {
		return found.(*function), nil
	}
	number := new(uintptr)
	err := p.handle.use(func(handle uintptr) error {
		named := cText(name)
		failed, _ := theLibrary.plugin_find.call(handle, address(named), uintptr(unsafe.Pointer(number)))
		runtime.KeepAlive(named)
		return taken(failed)
	})
	if err != nil {
		return nil, err
	}
	p.byName.Store(name, p.exports[*number])
	return p.exports[*number], nil
}

// Function is an export or an import of a plugin.
type Function struct {
	// Interface is that of an import; empty for an export.
	Interface string
	// Name is the name in WIT.
	Name string
	// Signature is that in WIT: "greet(p: person, shout: bool) -> result<string, string>".
	Signature string
	// Docs is the doc comment of the Go source; may be empty.
	Docs string
}

// Close frees the plugin. Its instances and pools live on.
func (p *Plugin) Close() error {
	p.handle.free()
	return nil
}

func (p *Plugin) read(from symbol) string {
	found := ""
	_ = p.handle.use(func(handle uintptr) error {
		at, _ := from.call(handle)
		found = text(at)
		return nil
	})
	return found
}

// Name is the name of its file. This, like all texts, is empty once the plugin is closed.
func (p *Plugin) Name() string { return p.read(theLibrary.plugin_name) }

// Kind is "reactor", whose exports are called, or "command", which is run.
func (p *Plugin) Kind() string { return p.read(theLibrary.plugin_kind) }

// Interface is its interface as WIT text; empty for a module without one.
func (p *Plugin) Interface() string { return p.read(theLibrary.plugin_interface) }

// GoVersion is the version of Go that compiled it; empty where the module does not say so.
func (p *Plugin) GoVersion() string { return p.read(theLibrary.plugin_go_version) }

// Exports are the functions that it has.
func (p *Plugin) Exports() []Function { return functions(p.exports) }

// Imports are the functions that it needs.
func (p *Plugin) Imports() []Function { return functions(p.imports) }

func functions(of []*function) []Function {
	found := make([]Function, len(of))
	for i, function := range of {
		found[i] = function.Function
	}
	return found
}

// Diagnostics are what went wrong when it was loaded, or was given to its instances in vain, and
// did no harm, as sentences.
func (p *Plugin) Diagnostics() []string {
	var found []string
	_ = p.handle.use(func(handle uintptr) error {
		for i := uintptr(0); ; i++ {
			at, _ := theLibrary.plugin_diagnostic.call(handle, i)
			if at == 0 {
				return nil
			}
			found = append(found, text(at))
		}
	})
	return found
}

// WaitCompiled waits until nothing of it is being compiled in the background, so that new instances
// have the best code.
func (p *Plugin) WaitCompiled() error {
	return p.handle.use(func(handle uintptr) error {
		failed, _ := theLibrary.plugin_wait_compiled.call(handle)
		return taken(failed)
	})
}

// IsBest says whether the next instance will have the code of the better compiler.
func (p *Plugin) IsBest() (bool, error) {
	best := new(bool)
	err := p.handle.use(func(handle uintptr) error {
		failed, _ := theLibrary.plugin_is_best.call(handle, uintptr(unsafe.Pointer(best)))
		return taken(failed)
	})
	return *best, err
}
