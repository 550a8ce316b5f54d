package undergo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// callee is an instance or a pool of the library: who calls it, and when it is freed.
//
// Calls that have to wait do so here and not in the library, where each would hold a thread. A
// goroutine that is in a host function holds its thread anyway, and may be the one that the library
// has to let in: it goes on at once.
type callee struct {
	plugin *Plugin
	handle uintptr
	// enter is the library's function for a call.
	enter uintptr
	// free deletes the handle.
	free symbol
	// size is how many calls run at once.
	size int64
	// limit is the time that calls may take; 0 for no limit.
	limit time.Duration
	home  *home
	// cleanup is called when the handle is gone.
	cleanup []func()

	// state is the number of calls that are inside, and the flags below.
	state   atomic.Int64
	mutex   sync.Mutex
	waiters []chan struct{}
}

const (
	flagWaiting = 1 << 40
	flagClosed  = 1 << 41
	insideMask  = flagWaiting - 1
)

func (c *callee) errClosed() error {
	return fault(KindDeadInstance, "the %s is closed", c.noun())
}

func (c *callee) noun() string {
	if c.enter == uintptr(theLibrary.pool_enter) {
		return "pool"
	}
	return "instance"
}

// alone gives a turn, if nobody else has one nor waits: what belongs to the callee is the caller's
// until it releases the turn. Others may still come in beside it, who know that they are not alone.
func (c *callee) alone() bool { return c.state.CompareAndSwap(0, 1) }

// acquire waits for a turn. Each that was given is to be released.
func (c *callee) acquire(ctx context.Context) error {
	if state := c.state.Load(); state < c.size && c.state.CompareAndSwap(state, state+1) {
		return nil
	}
	return c.acquireSlowly(ctx)
}

func (c *callee) acquireSlowly(ctx context.Context) error {
	if inHost() {
		return c.join()
	}
	turn, err := c.line()
	if turn == nil {
		return err
	}
	var expired <-chan time.Time
	if c.limit > 0 {
		timer := time.NewTimer(c.limit)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-turn:
		if c.state.Load()&flagClosed != 0 {
			c.release()
			return c.errClosed()
		}
		return nil
	case <-ctx.Done():
		err = asked(ctx, fault(KindCancelled, "the call was cancelled before it began"))
	case <-expired:
		err = fault(KindTimeout, "the call waited for the %s as long as it may take, %v", c.noun(), c.limit)
	}
	c.leave(turn)
	return err
}

// join lets a call in beside those that are inside.
func (c *callee) join() error {
	for {
		state := c.state.Load()
		if state&flagClosed != 0 {
			return c.errClosed()
		}
		if c.state.CompareAndSwap(state, state+1) {
			return nil
		}
	}
}

// line has the caller wait: the channel is closed when it is inside. nil when it is inside at once.
func (c *callee) line() (chan struct{}, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for {
		state := c.state.Load()
		if state&flagClosed != 0 {
			return nil, c.errClosed()
		}
		if state < c.size {
			if c.state.CompareAndSwap(state, state+1) {
				return nil, nil
			}
			continue
		}
		if c.home.isProducer() {
			return nil, fault(KindBusy, "the %s waits for an item of the iterator from whose function this call comes", c.noun())
		}
		// From here on nobody passes by, and whoever releases a turn sees that somebody waits.
		if c.state.CompareAndSwap(state, state|flagWaiting) {
			turn := make(chan struct{})
			c.waiters = append(c.waiters, turn)
			return turn, nil
		}
	}
}

// leave ends a wait. A turn that was given meanwhile is released.
func (c *callee) leave(turn chan struct{}) {
	c.mutex.Lock()
	for i, waiter := range c.waiters {
		if waiter == turn {
			c.waiters = append(c.waiters[:i], c.waiters[i+1:]...)
			if len(c.waiters) == 0 {
				c.state.And(^int64(flagWaiting))
			}
			c.mutex.Unlock()
			return
		}
	}
	c.mutex.Unlock()
	c.release()
}

// release ends a turn.
func (c *callee) release() {
	if state := c.state.Add(-1); state&^insideMask != 0 {
		c.released()
	}
}

// released gives turns to those who wait, and frees what is closed.
func (c *callee) released() {
	c.mutex.Lock()
	for len(c.waiters) > 0 {
		state := c.state.Load()
		if state&insideMask >= c.size && state&flagClosed == 0 {
			break
		}
		turn := c.waiters[0]
		c.waiters[0] = nil
		c.waiters = c.waiters[1:]
		c.state.Add(1)
		close(turn)
	}
	if len(c.waiters) == 0 {
		c.state.And(^int64(flagWaiting))
	}
	c.mutex.Unlock()
	c.reap()
}

// close refuses further calls. The handle is freed when nobody is inside any more.
func (c *callee) close() {
	if before := c.state.Or(flagClosed); before&flagClosed != 0 {
		return
	}
	c.released()
}

// reap frees the handle, once, when it is closed and nobody is inside.
func (c *callee) reap() {
	c.mutex.Lock()
	handle := c.handle
	if c.state.Load() != flagClosed || handle == 0 {
		c.mutex.Unlock()
		return
	}
	c.handle = 0
	c.mutex.Unlock()
	c.free.call(handle)
	handles.Add(-1)
	for _, each := range c.cleanup {
		each()
	}
}

// inHost says whether this goroutine is in a host function, and so bound to its thread.
func inHost() bool {
	depth := new(uint32)
	cgocall(uintptr(theLibrary.dispatch_depth), unsafe.Pointer(depth))
	return *depth > 0
}
