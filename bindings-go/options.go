package undergo

import (
	"time"
)

// keeper holds what C knows the addresses of.
type keeper struct {
	kept []any
}

func (k *keeper) text(text string) uintptr {
	c := cText(text)
	k.kept = append(k.kept, c)
	return address(c)
}

// OpenOption says how a plugin is compiled.
type OpenOption func(options *cPluginOptions, kept *keeper)

// cPluginOptions is undergo_plugin_options_t.
type cPluginOptions struct {
	compile    uint32
	noCache    bool
	cache      uintptr
	bounds     uint32
	timeout    uint64
	cancel     uintptr
	compiler   uintptr
	noOptimize bool
}

// Compile is how a plugin is compiled.
type Compile uint32

const (
	// CompileTiered compiles quickly at first, and better in the background, for the instances that
	// are made after that. The default.
	CompileTiered Compile = iota
	// CompileFast compiles quickly, to code that takes two to three times as long.
	CompileFast
	// CompileBest compiles well, and waits for it.
	CompileBest
)

// WithCompile chooses the compilers.
func WithCompile(how Compile) OpenOption {
	return func(options *cPluginOptions, _ *keeper) { options.compile = uint32(how) }
}

// WithCache names the folder where compiled code is kept for the next process, in place of the
// user's own for caches.
func WithCache(folder string) OpenOption {
	return func(options *cPluginOptions, kept *keeper) { options.cache = kept.text(folder) }
}

// WithoutCache keeps compiled code nowhere.
func WithoutCache() OpenOption {
	return func(options *cPluginOptions, _ *keeper) { options.noCache = true }
}

// WithBounds says how many times as much as usual the module may ask of the compilers: no
// compilation can be stopped, so what asks for more is refused.
func WithBounds(times uint32) OpenOption {
	return func(options *cPluginOptions, _ *keeper) { options.bounds = times }
}

// WithCompiler is the path of the program undergo, of this version, that compiles in a process of
// its own, whose time and memory are limited: for modules of strangers.
func WithCompiler(path string) OpenOption {
	return func(options *cPluginOptions, kept *keeper) { options.compiler = kept.text(path) }
}

// WithoutOptimizer has Go's code compiled as its compiler wrote it. By default its jumps are
// written as nested blocks and loops before, which makes it faster.
func WithoutOptimizer() OpenOption {
	return func(options *cPluginOptions, _ *keeper) { options.noOptimize = true }
}

// Option says what an instance, the instances of a pool, or a command may reach and use, and which
// functions the host gives them.
type Option func(c *config) error

// cLimits is undergo_limits_t.
type cLimits struct {
	memory, timeout, value, output, stack, fuel uint64
	table, descriptors, handles                 uint32
}

// config is what instances are made with.
type config struct {
	plugin           *Plugin
	home             *home
	limits           cLimits
	imports, sandbox uintptr
	// cleanup is for when the instances are gone.
	cleanup []func()
}

func (c *config) apply(options []Option) error {
	c.imports, _ = theLibrary.imports_new.call()
	c.sandbox, _ = theLibrary.sandbox_new.call()
	for _, option := range options {
		if err := option(c); err != nil {
			return err
		}
	}
	return nil
}

// free frees what only makes instances.
func (c *config) free() {
	theLibrary.imports_delete.call(c.imports)
	theLibrary.sandbox_delete.call(c.sandbox)
}

// undo cleans up where no instance was made.
func (c *config) undo() {
	for _, each := range c.cleanup {
		each()
	}
}

// Options are several as one.
func Options(options ...Option) Option {
	return func(c *config) error {
		for _, option := range options {
			if err := option(c); err != nil {
				return err
			}
		}
		return nil
	}
}

func limit(set func(limits *cLimits)) Option {
	return func(c *config) error {
		set(&c.limits)
		return nil
	}
}

// WithMemory limits the bytes of guest memory. 0, here and below, is the default.
func WithMemory(bytes uint64) Option { return limit(func(l *cLimits) { l.memory = bytes }) }

// WithTimeout limits how long each call may take, and the initialisation: computing, sleeping, host
// functions and waiting for the instance. The deadline of a call's context is another limit: the
// earlier one counts.
func WithTimeout(timeout time.Duration) Option {
	return func(c *config) error {
		if timeout < 0 {
			return fault(KindTypeMismatch, "a timeout of %v is none", timeout)
		}
		c.limits.timeout = uint64(timeout)
		return nil
	}
}

// WithValue limits the bytes that one value from the guest may take on this side; 1 GiB by default.
func WithValue(bytes uint64) Option { return limit(func(l *cLimits) { l.value = bytes }) }

// WithOutput limits the bytes that the guest may write to each of its two outputs over its life;
// what is beyond is dropped.
func WithOutput(bytes uint64) Option { return limit(func(l *cLimits) { l.output = bytes }) }

// WithStack limits the bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a
// power of two; 4 MiB by default.
func WithStack(bytes uint64) Option { return limit(func(l *cLimits) { l.stack = bytes }) }

// WithFuel limits how much each call, and the initialisation, may compute, in units of about one
// WebAssembly instruction. It costs about a tenth of the speed.
func WithFuel(fuel uint64) Option { return limit(func(l *cLimits) { l.fuel = fuel }) }

// WithTable limits the elements of the guest's tables, all together; 4,194,304 by default.
func WithTable(elements uint32) Option { return limit(func(l *cLimits) { l.table = elements }) }

// WithDescriptors limits the descriptors of this process that the guest may hold at once; 128 by
// default.
func WithDescriptors(count uint32) Option { return limit(func(l *cLimits) { l.descriptors = count }) }

// WithHandles limits the handles that the guest may hold at once, of objects of the host and of its
// own; 10,000 by default.
func WithHandles(count uint32) Option { return limit(func(l *cLimits) { l.handles = count }) }
