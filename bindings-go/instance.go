package undergo

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Instance is a running copy of a plugin: its own memory, goroutines and globals. Goroutines may
// share it: one call runs at a time, and others wait, without a thread each. A host function may
// call back into the instance that called it. After anything but a return or a returned Go error it
// has ended, and each later call fails with [ErrDeadInstance].
type Instance struct {
	callee *callee
}

// Instantiate makes an instance, and runs the initialisation of its packages within the context.
func (p *Plugin) Instantiate(ctx context.Context, options ...Option) (*Instance, error) {
	made, err := p.make(ctx, options, theLibrary.instance_delete, theLibrary.instance_enter, func(plugin uintptr, c *config, call *cCallOptions, out unsafe.Pointer) uintptr {
		failed, _ := theLibrary.plugin_instantiate_with.call(plugin, c.imports, c.sandbox, uintptr(unsafe.Pointer(&c.limits)), uintptr(unsafe.Pointer(call)), uintptr(out))
		return failed
	})
	if err != nil {
		return nil, err
	}
	made.size = 1
	instance := &Instance{made}
	runtime.AddCleanup(instance, (*callee).close, made)
	return instance, nil
}

// cCallOptions is undergo_call_options_t.
type cCallOptions struct {
	timeout uint64
	cancel  uintptr
}

// within are the options of what has to end with that context; end is called after it.
func within(ctx context.Context) (call *cCallOptions, end func()) {
	if ctx.Done() == nil {
		return &cCallOptions{}, func() {}
	}
	bound := bind(ctx)
	return &cCallOptions{bound.timeout, bound.token.at}, bound.end
}

// make makes an instance or a pool.
func (p *Plugin) make(
	ctx context.Context, options []Option, free, enter symbol, make func(plugin uintptr, c *config, call *cCallOptions, out unsafe.Pointer) uintptr,
) (*callee, error) {
	if ctx.Err() != nil {
		return nil, asked(ctx, fault(KindCancelled, "the instance was cancelled before it began"))
	}
	c := &config{plugin: p, home: &home{}}
	defer c.free()
	if err := c.apply(options); err != nil {
		c.undo()
		return nil, err
	}
	call, end := within(ctx)
	defer end()
	out := new(uintptr)
	leave := c.home.enter(ctx)
	err := p.handle.use(func(handle uintptr) error {
		return taken(make(handle, c, call, unsafe.Pointer(out)))
	})
	leave()
	runtime.KeepAlive(c)
	if err != nil {
		c.undo()
		return nil, asked(ctx, err)
	}
	handles.Add(1)
	return &callee{plugin: p, handle: *out, enter: uintptr(enter), free: free, home: c.home, limit: time.Duration(c.limits.timeout), cleanup: c.cleanup}, nil
}

func (i *Instance) of() *callee                         { return i.callee }
func (i *Instance) find(name string) (*function, error) { return i.Plugin().export(name) }
func (i *Instance) giver() *Instance                    { return i }
func (i *Instance) object() *Object                     { return nil }

// Plugin is the plugin that it is a copy of.
func (i *Instance) Plugin() *Plugin { return i.callee.plugin }

// Do calls an export without a result, or whose result is not wanted, by its name in WIT or in Go.
func (i *Instance) Do(ctx context.Context, name string, arguments ...any) error {
	return invoke(ctx, i, name, arguments, nil, false)
}

// Close ends the instance: further calls fail, those that wait, too. One that is under way goes on,
// and then all is freed. One that a pool has lent returns to it. It may be called in a host
// function, and more than once.
func (i *Instance) Close() error {
	i.callee.close()
	return nil
}

// use runs code with the handle beside calls, in a way that does not wait for them.
func (i *Instance) use(code func(handle uintptr) error) error {
	if err := i.callee.join(); err != nil {
		return err
	}
	err := code(i.callee.handle)
	i.callee.release()
	runtime.KeepAlive(i)
	return err
}

// turn runs code with the handle when its turn has come.
func (i *Instance) turn(ctx context.Context, code func(handle uintptr) error) error {
	if err := i.callee.acquire(ctx); err != nil {
		return err
	}
	err := code(i.callee.handle)
	i.callee.release()
	runtime.KeepAlive(i)
	return err
}

// bounded is turn for what runs code of the guest.
func (i *Instance) bounded(ctx context.Context, what symbol) error {
	return i.turn(ctx, func(handle uintptr) error {
		call, end := within(ctx)
		defer end()
		leave := i.callee.home.enter(ctx)
		failed, _ := what.call(handle, uintptr(unsafe.Pointer(call)))
		leave()
		return asked(ctx, taken(failed))
	})
}

// Reset makes the guest anew: memory, goroutines and globals are as after the first initialisation,
// and an instance that has ended lives again. Nothing is compiled, and host functions, sandbox and
// limits stay.
func (i *Instance) Reset(ctx context.Context) error {
	return i.bounded(ctx, theLibrary.instance_reset)
}

// Poll gives the guest's background goroutines a turn: they run only while a call does.
func (i *Instance) Poll(ctx context.Context) error {
	return i.bounded(ctx, theLibrary.instance_poll)
}

// Alive says whether the instance answers calls.
func (i *Instance) Alive() bool { return i.is(theLibrary.instance_is_alive) }

// is asks the library what is true or false of the handle. A closed one has nothing.
func (i *Instance) is(question symbol) bool {
	answer := false
	_ = i.use(func(handle uintptr) error {
		is, _ := question.call(handle)
		answer = is&0xff != 0
		return nil
	})
	return answer
}

// End is what calls of an instance that has ended get: [ErrDeadInstance], with the first cause. nil
// while it lives.
func (i *Instance) End() error {
	return i.use(func(handle uintptr) error {
		end, _ := theLibrary.instance_end.call(handle)
		return taken(end)
	})
}

// IsBest says whether its code is that of the better compiler.
func (i *Instance) IsBest() bool { return i.is(theLibrary.instance_is_best) }

// Usage is what an instance used.
type Usage struct {
	// Time is what the last call took, or the initialisation before the first: host functions
	// included.
	Time time.Duration
	// Memory is the bytes of guest memory after it, which never shrinks.
	Memory uint64
	// Fuel is what the last call used, where HasFuel says that it is limited, and so counted.
	Fuel    uint64
	HasFuel bool
}

// cUsage is undergo_usage_t.
type cUsage struct {
	time, memory, fuel uint64
	hasFuel            bool
}

func (u *cUsage) usage() Usage { return Usage{time.Duration(u.time), u.memory, u.fuel, u.hasFuel} }

// Usage is what the last call used. It can be read while a call is under way, and once the instance
// has ended.
func (i *Instance) Usage() (Usage, error) {
	usage := new(cUsage)
	err := i.use(func(handle uintptr) error {
		failed, _ := theLibrary.instance_usage.call(handle, uintptr(unsafe.Pointer(usage)))
		return taken(failed)
	})
	return usage.usage(), err
}

// Denied is what the sandbox has denied this instance so far of the network, each thing once with
// the rule that would allow it.
func (i *Instance) Denied() []string {
	var denied []string
	_ = i.use(func(handle uintptr) error {
		list, _ := theLibrary.instance_denied.call(handle)
		denied = texts(list)
		return nil
	})
	return denied
}

// texts reads a list of strings of the library, and frees it.
func texts(list uintptr) []string {
	defer theLibrary.value_delete.call(list)
	count, _ := theLibrary.value_len.call(list)
	found := make([]string, 0, count)
	for i := range count {
		item, _ := theLibrary.value_at.call(list, i)
		text := new(cList)
		if is, _ := theLibrary.value_get_string.call(item, uintptr(unsafe.Pointer(text))); is&0xff != 0 {
			found = append(found, text.text())
		}
	}
	return found
}

// TakeStdout takes what the guest wrote to its standard output, where that is captured: see
// [WithCapturedStdout].
func (i *Instance) TakeStdout() []byte { return i.take(theLibrary.instance_take_stdout) }

// TakeStderr does the same for its standard error.
func (i *Instance) TakeStderr() []byte { return i.take(theLibrary.instance_take_stderr) }

func (i *Instance) take(what symbol) []byte {
	var found []byte
	_ = i.use(func(handle uintptr) error {
		value, _ := what.call(handle)
		defer theLibrary.value_delete.call(value)
		bytes := new(cList)
		theLibrary.value_get_bytes.call(value, uintptr(unsafe.Pointer(bytes)))
		found = content(bytes.at, bytes.length)
		return nil
	})
	return found
}

// ReadMemory copies guest memory. Addresses are the guest's, and every access is checked.
func (i *Instance) ReadMemory(ctx context.Context, address, length uint32) ([]byte, error) {
	size, err := i.MemorySize(ctx)
	if err != nil {
		return nil, err
	}
	if uint64(address)+uint64(length) > size {
		return nil, fault(KindTypeMismatch, "%d bytes at %d do not lie within the %d bytes of guest memory", length, address, size)
	}
	found := make([]byte, length)
	err = i.turn(ctx, func(handle uintptr) error {
		failed, _ := theLibrary.instance_read_memory.call(handle, uintptr(address), uintptr(unsafe.Pointer(unsafe.SliceData(found))), uintptr(length))
		return taken(failed)
	})
	return found, err
}

// WriteMemory copies to guest memory.
func (i *Instance) WriteMemory(ctx context.Context, address uint32, data []byte) error {
	return i.turn(ctx, func(handle uintptr) error {
		failed, _ := theLibrary.instance_write_memory.call(handle, uintptr(address), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
		return taken(failed)
	})
}

// MemorySize is the bytes of guest memory, which only grow.
func (i *Instance) MemorySize(ctx context.Context) (uint64, error) {
	size := new(uint64)
	err := i.turn(ctx, func(handle uintptr) error {
		failed, _ := theLibrary.instance_memory_size.call(handle, uintptr(unsafe.Pointer(size)))
		return taken(failed)
	})
	return *size, err
}

func (i *Instance) String() string {
	return fmt.Sprintf("Instance(%s)", i.Plugin().Name())
}
