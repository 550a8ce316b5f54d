package undergo

import (
	"context"
	"runtime"
	"unsafe"
)

// Completed is what became of a command.
type Completed struct {
	// Code is its exit code: that of os.Exit, 0 when main returned, 2 after a panic, whose text is
	// on its standard error.
	Code int
	// Stdout and Stderr are what it wrote, where that is captured, as it is unless an option says
	// something else: up to 1 MiB each.
	Stdout, Stderr []byte
	// Truncated says whether it wrote more than that.
	Truncated bool
	// Denied is what the sandbox denied it of the network, each thing once with the rule that would
	// allow it.
	Denied []string
	// Usage is what it used.
	Usage Usage
}

// Run runs a command from its beginning to its end. An exit code is no error, whichever it is: an
// error is what else ends it.
func (p *Plugin) Run(ctx context.Context, options ...Option) (*Completed, error) {
	made, err := p.make(ctx, options, theLibrary.completed_delete, 0, func(plugin uintptr, c *config, call *cCallOptions, out unsafe.Pointer) uintptr {
		failed, _ := theLibrary.plugin_run.call(plugin, c.imports, c.sandbox, uintptr(unsafe.Pointer(&c.limits)), uintptr(unsafe.Pointer(call)), uintptr(out))
		runtime.KeepAlive(call)
		return failed
	})
	if err != nil {
		return nil, err
	}
	defer made.close()
	code, _ := theLibrary.completed_code.call(made.handle)
	truncated, _ := theLibrary.completed_is_truncated.call(made.handle)
	denied, _ := theLibrary.completed_denied.call(made.handle)
	usage := new(cUsage)
	theLibrary.completed_used.call(made.handle, uintptr(unsafe.Pointer(usage)))
	return &Completed{
		Code:      int(int32(code)),
		Stdout:    content(theLibrary.completed_stdout.call(made.handle)),
		Stderr:    content(theLibrary.completed_stderr.call(made.handle)),
		Truncated: truncated&0xff != 0,
		Denied:    texts(denied),
		Usage:     usage.usage(),
	}, nil
}
