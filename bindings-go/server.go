package undergo

import (
	"context"
	"errors"
	"fmt"
	"log"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// Server is a plugin that serves HTTP, on threads of the library's. It serves until it is closed,
// also when nobody has it any more.
type Server struct {
	callee  *callee
	address string
	// ended is what it had done when it was freed.
	ended atomic.Pointer[ServerStats]
}

// ServeOptions say how a plugin serves HTTP. Zeros are the defaults.
type ServeOptions struct {
	// Instances are the most that there are at once, each of which answers one request at a time.
	// 0: four for each processor.
	Instances int
	// MaxCalls is after how many requests an instance is replaced; 1 is a fresh instance for each
	// request. 0: it serves as long as it lives.
	MaxCalls uint64
	// Idle is after how long an instance that was not used is dropped. 0: it is kept.
	Idle time.Duration
	// Queue is how many requests may wait for an instance; others are refused with status 503. 0:
	// 256; a negative number: none.
	Queue int
	// Connections are the most that there are at a time. 0: 1024.
	Connections int
	// Body is the most bytes of a request's body; a longer one is refused with status 413. 0: 32
	// MiB; a negative number: none.
	Body int64
	// OnError is told of requests that failed, each an [*Error], by several goroutines at once.
	// nil: they are logged by the package log.
	OnError func(err error)
}

// cServeOptions is undergo_serve_options_t.
type cServeOptions struct {
	address                   uintptr
	instances, maxCalls, idle uint64
	queue                     uint64
	noQueue                   bool
	connections, body         uint64
	noBody                    bool
	failed, userData, destroy uintptr
	dispatcher                uintptr
	id                        uintptr
}

func (of ServeOptions) check() error {
	if of.Instances < 0 || of.Connections < 0 || of.Idle < 0 {
		return fault(KindTypeMismatch, "a server with %d instances, %d connections and %v idle can't be made", of.Instances, of.Connections, of.Idle)
	}
	return nil
}

// Serve serves HTTP/1.1 at an address such as "127.0.0.1:8080", by a component that exports
// wasi:http/incoming-handler; port 0 is one that the system chooses. Each request is answered by an
// instance of a pool, which keeps its state for the next one unless MaxCalls says otherwise.
//
// Host functions are shared by all instances, and called on goroutines of the server, several at
// once, with the context's values; its end does not end the server. The timeout of the options is
// that of a request, 30 seconds if there is none.
//
// [ErrInvalidPlugin] is the error for a plugin that does not serve HTTP, [ErrTypeMismatch] for an
// address that is none, and [ErrDenied] when the system refuses to listen there.
func (p *Plugin) Serve(ctx context.Context, address string, of ServeOptions, options ...Option) (*Server, error) {
	if err := of.check(); err != nil {
		return nil, err
	}
	made, err := p.make(ctx, options, theLibrary.server_delete, 0, func(plugin uintptr, c *config, _ *cCallOptions, out unsafe.Pointer) uintptr {
		kept := &keeper{}
		wanted := &cServeOptions{
			address: kept.text(address), instances: uint64(of.Instances), maxCalls: of.MaxCalls, idle: uint64(of.Idle),
			queue: uint64(max(of.Queue, 0)), noQueue: of.Queue < 0, connections: uint64(of.Connections),
			body: uint64(max(of.Body, 0)), noBody: of.Body < 0,
			dispatcher: uintptr(unsafe.Pointer(theDispatcher)), id: hold(&object{failure: of.failure()}),
		}
		failed, _ := theLibrary.plugin_serve.call(plugin, uintptr(unsafe.Pointer(wanted)), c.imports, c.sandbox, uintptr(unsafe.Pointer(&c.limits)), uintptr(out))
		runtime.KeepAlive(kept)
		return failed
	})
	if err != nil {
		return nil, err
	}
	made.home.enter(context.WithoutCancel(ctx))
	at, _ := theLibrary.server_address.call(made.handle)
	return &Server{callee: made, address: text(at)}, nil
}

// failure gives what is told of requests that failed.
func (of ServeOptions) failure() func(err error) {
	if of.OnError != nil {
		return of.OnError
	}
	return func(err error) { log.Printf("undergo: a request failed: %v", err) }
}

// Plugin is the plugin that serves.
func (s *Server) Plugin() *Plugin { return s.callee.plugin }

// Address is where it listens, with the port that the system chose for 0.
func (s *Server) Address() string { return s.address }

// ServerStats is what a server did so far, and what it has now.
type ServerStats struct {
	// Connections are those that are open.
	Connections int
	// Requests are those that were read; Refused those that no instance was free for: status 503.
	Requests, Refused uint64
	// Failed are those whose instance failed, or did not answer in time: status 500 or 504, or an
	// answer that ended early.
	Failed uint64
	// Pool is what its instances did.
	Pool PoolStats
}

// Stats is what the server did so far, and what it has now; what it had done at its end, once it
// has ended.
func (s *Server) Stats() (ServerStats, error) {
	if s.callee.join() != nil {
		return *s.ended.Load(), nil
	}
	stats := new([12]uint64)
	failed, _ := theLibrary.server_stats.call(s.callee.handle, uintptr(unsafe.Pointer(stats)))
	s.callee.release()
	return ServerStats{
		Connections: int(stats[0]), Requests: stats[1], Refused: stats[2], Failed: stats[3],
		Pool: poolStats([8]uint64(stats[4:])),
	}, taken(failed)
}

// IsClosed says whether it is closed, or about to end.
func (s *Server) IsClosed() bool {
	if s.callee.join() != nil {
		return true
	}
	is, _ := theLibrary.server_is_closed.call(s.callee.handle)
	s.callee.release()
	return is&0xff != 0
}

// Shutdown accepts no more connections, and waits for requests that are under way, as long as the
// context says. Those that are left then are cut off, and the error is [ErrTimeout] or
// [ErrCancelled]. Shutting it down again waits again.
//
// In a host function that a request of this server has called, it can't wait, and fails with
// [ErrBusy]: the server ends behind the requests that are under way all the same.
func (s *Server) Shutdown(ctx context.Context) error {
	timeout := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		// At least 1: 0 is no bound.
		timeout = max(time.Until(deadline), 1)
	}
	cut := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { cut <- s.end(1) })
	err := s.end(timeout)
	if !stop() {
		// It has ended because it was cut off.
		err = errors.Join(err, <-cut)
	}
	return shutDown(ctx, err)
}

// shutDown gives the error of a server whose time was over.
func shutDown(ctx context.Context, err error) error {
	var found *Error
	if !errors.As(err, &found) {
		return err
	}
	if found.Kind == KindTimeout && errors.Is(ctx.Err(), context.Canceled) {
		found.Kind = KindCancelled
	}
	return asked(ctx, found)
}

// Close ends the server at once: connections are cut off. It may be called in a host function that
// a request of this server has called, and ends it behind the requests that are under way then; and
// more than once.
func (s *Server) Close() error {
	err := s.end(1)
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrBusy) {
		// It takes no more requests.
		return nil
	}
	return err
}

// end closes the server, waits for its requests, and frees it.
func (s *Server) end(timeout time.Duration) error {
	if s.callee.join() != nil {
		return nil
	}
	failed, _ := theLibrary.server_close.call(s.callee.handle, uintptr(timeout))
	s.callee.release()
	err := taken(failed)
	if errors.Is(err, ErrBusy) {
		// Somebody has to free it behind its requests.
		go s.end(0)
		return err
	}
	if stats, failed := s.Stats(); failed == nil {
		s.ended.CompareAndSwap(nil, &stats)
	}
	s.callee.close()
	return err
}

func (s *Server) String() string {
	return fmt.Sprintf("Server(%s at %s)", s.Plugin().Name(), s.address)
}
