package undergo

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// Pool has instances of one plugin that stand in for each other. Any number of goroutines may call
// it: a call takes an instance that is free, or makes one, or waits its turn, first come, first
// served, without a thread. An instance that a call has ended is replaced. Which instance answers
// is not defined.
type Pool struct {
	callee *callee
}

// PoolOptions say how many instances a pool has, and for how long.
type PoolOptions struct {
	// Size is the most instances that there are at once, at least 1; they are made when calls need
	// them.
	Size int
	// MaxCalls is after how many calls an instance is replaced; 1 is a fresh instance for each
	// call. 0: it serves as long as it lives.
	MaxCalls uint64
	// Idle is after how long an instance that was not called is dropped. 0: it is kept.
	Idle time.Duration
	// Warm is how many instances are made at once.
	Warm int
}

// cPoolOptions is undergo_pool_options_t.
type cPoolOptions struct {
	size, maxCalls, idle, warm uint64
}

// Pool makes a pool. Host functions are shared by all instances, and called on the goroutines of
// the calls: several at once.
func (p *Plugin) Pool(ctx context.Context, of PoolOptions, options ...Option) (*Pool, error) {
	if of.Size < 1 || of.Warm < 0 || of.Idle < 0 {
		return nil, fault(KindTypeMismatch, "a pool of size %d, with %d warm ones and %v idle, can't be made", of.Size, of.Warm, of.Idle)
	}
	made, err := p.make(ctx, options, theLibrary.pool_delete, theLibrary.pool_enter, func(plugin uintptr, c *config, _ *cCallOptions, out unsafe.Pointer) uintptr {
		wanted := &cPoolOptions{uint64(of.Size), of.MaxCalls, uint64(of.Idle), uint64(of.Warm)}
		failed, _ := theLibrary.plugin_pool.call(plugin, uintptr(unsafe.Pointer(wanted)), c.imports, c.sandbox, uintptr(unsafe.Pointer(&c.limits)), uintptr(out))
		return failed
	})
	if err != nil {
		return nil, err
	}
	made.size = int64(of.Size)
	pool := &Pool{made}
	runtime.AddCleanup(pool, (*callee).close, made)
	return pool, nil
}

func (p *Pool) of() *callee                         { return p.callee }
func (p *Pool) find(name string) (*function, error) { return p.Plugin().export(name) }
func (p *Pool) giver() *Instance                    { return nil }
func (p *Pool) object() *Object                     { return nil }

// Plugin is the plugin whose instances these are.
func (p *Pool) Plugin() *Plugin { return p.callee.plugin }

// Do calls an export without a result, or whose result is not wanted, by its name in WIT or in Go.
func (p *Pool) Do(ctx context.Context, name string, arguments ...any) error {
	return invoke(ctx, p, name, arguments, nil, false)
}

// Take lends an instance to one caller, for as long as its state or handles of its objects are
// needed: calls of a pool can't give handles. [Instance.Close] gives it back, which closes the
// handles. It waits its turn as calls do, and counts as one. A goroutine that has one may wait in
// vain for another one, or for a call of the pool.
func (p *Pool) Take(ctx context.Context) (*Instance, error) {
	if _, err := begun(ctx); err != nil {
		return nil, err
	}
	of := p.callee
	if err := of.acquire(ctx); err != nil {
		return nil, err
	}
	call, end := within(ctx)
	defer end()
	out := new(uintptr)
	leave := of.home.enter(ctx)
	failed, _ := theLibrary.pool_lend.call(of.handle, uintptr(unsafe.Pointer(call)), uintptr(unsafe.Pointer(out)))
	leave()
	runtime.KeepAlive(p)
	if failed != 0 {
		of.release()
		return nil, asked(ctx, taken(failed))
	}
	handles.Add(1)
	lent := &callee{
		plugin: of.plugin, handle: *out, enter: uintptr(theLibrary.instance_enter), free: theLibrary.instance_delete, size: 1, limit: of.limit, home: of.home,
		// The pool is not freed before.
		cleanup: []func(){of.release},
	}
	instance := &Instance{lent}
	runtime.AddCleanup(instance, (*callee).close, lent)
	return instance, nil
}

// Close ends the pool: further calls fail, those that wait, too. Calls that are under way go on,
// and then all is freed. It may be called in a host function, and more than once.
func (p *Pool) Close() error {
	p.callee.close()
	return nil
}

// Size is the most instances that there are at once.
func (p *Pool) Size() int { return int(p.callee.size) }

// PoolStats is what a pool did so far, and what it has now.
type PoolStats struct {
	// Busy are instances that a call has, or that are being made for one; Idle are those that wait
	// for a call.
	Busy, Idle int
	// Waiting are callers that wait for an instance.
	Waiting int
	// Calls are those that were given an instance.
	Calls uint64
	// Made are the instances that were made; Died those that a call ended; Retired those that were
	// dropped after MaxCalls; Shrunk those that were dropped because nobody called them.
	Made, Died, Retired, Shrunk uint64
}

// Stats is what the pool did so far, and what it has now.
func (p *Pool) Stats() (PoolStats, error) {
	if err := p.callee.join(); err != nil {
		return PoolStats{}, err
	}
	stats := new([8]uint64)
	failed, _ := theLibrary.pool_stats.call(p.callee.handle, uintptr(unsafe.Pointer(stats)))
	p.callee.mutex.Lock()
	waiting := len(p.callee.waiters)
	p.callee.mutex.Unlock()
	p.callee.release()
	found := poolStats(*stats)
	found.Waiting += waiting
	return found, taken(failed)
}

// poolStats reads undergo_pool_stats_t.
func poolStats(stats [8]uint64) PoolStats {
	return PoolStats{
		Busy: int(stats[0]), Idle: int(stats[1]), Waiting: int(stats[2]), Calls: stats[3], Made: stats[4], Died: stats[5], Retired: stats[6], Shrunk: stats[7],
	}
}
