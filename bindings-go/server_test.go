package undergo

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const local = "127.0.0.1:0"

// client has no connections that outlive their requests.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// get gives the status of an answer; 0 if there was none.
func get(t testing.TB, server *Server, path string) int {
	t.Helper()
	answer, err := client.Get("http://" + server.Address() + path)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func served(t testing.TB, name string) *Plugin {
	t.Helper()
	plugin, err := Open(context.Background(), filepath.Join("..", "conformance", "http", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plugin.Close() })
	return plugin
}

func serve(t testing.TB, plugin *Plugin, of ServeOptions, options ...Option) *Server {
	t.Helper()
	server, err := plugin.Serve(context.Background(), local, of, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// asking serves what asks a host function, which gets the character of the path.
func asking(t testing.TB, of ServeOptions, ask func(ctx context.Context, what rune) (uint32, error)) *Server {
	t.Helper()
	return serve(t, served(t, "asking"), of, WithImport("test:host/ask", "ask", func(ctx context.Context, what uint32) (uint32, error) {
		return ask(ctx, rune(what))
	}))
}

func noneListens(t *testing.T, server *Server) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		connection, err := net.Dial("tcp", server.Address())
		if err != nil {
			return
		}
		_ = connection.Close()
		if time.Now().After(deadline) {
			t.Fatal("it listens still")
		}
	}
}

func TestServing(t *testing.T) {
	told := make(chan error, 10)
	plugin := served(t, "server")
	server := serve(t, plugin, ServeOptions{Instances: 2, OnError: func(err error) { told <- err }}, WithTimeout(500*time.Millisecond))
	// It needs the plugin no more.
	if err := plugin.Close(); err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"/": 200, "/trap": 500, "/spin": 504} {
		if got := get(t, server, path); got != status {
			t.Error(path, got)
		}
	}
	for range 2 {
		if err := <-told; !errors.Is(err, ErrTrap) && !errors.Is(err, ErrTimeout) {
			t.Error(err)
		}
	}
	stats, err := server.Stats()
	if err != nil || stats.Requests != 3 || stats.Failed != 2 || stats.Refused != 0 || stats.Pool.Calls != 3 || stats.Pool.Died != 2 {
		t.Error(stats, err)
	}
	if server.IsClosed() || server.Plugin() != plugin || !strings.Contains(server.String(), server.Address()) {
		t.Error(server)
	}
	if err := server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if !server.IsClosed() || get(t, server, "/") != 0 {
		t.Error("it serves still")
	}
	if err := errors.Join(server.Shutdown(context.Background()), server.Close()); err != nil {
		t.Error(err)
	}
	if last, err := server.Stats(); err != nil || last.Requests != 3 {
		t.Error(last, err)
	}
}

func TestHostFunctionsOfServers(t *testing.T) {
	type key struct{}
	var asked atomic.Int64
	told := make(chan error, 10)
	failure := errors.New("the host has failed")
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
	ask := func(ctx context.Context, what uint32) (uint32, error) {
		asked.Add(1)
		if ctx.Value(key{}) != "value" || ctx.Err() != nil {
			t.Error(ctx)
		}
		switch what {
		case 'e':
			return 0, failure
		case 'p':
			panic("on purpose")
		case 'w':
			time.Sleep(50 * time.Millisecond)
		}
		return 203, nil
	}
	server, err := served(t, "asking").Serve(ctx, local, ServeOptions{Instances: 32, OnError: func(err error) { told <- err }}, WithImport("test:host/ask", "ask", ask))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	// The end of the context is not that of the server.
	cancel()
	if one, two := get(t, server, "/a1"), get(t, server, "/ae"); one != 203 || two != 500 {
		t.Error(one, two)
	}
	if err := <-told; !errors.Is(err, failure) {
		t.Error(err)
	}
	var panicked *HostPanic
	if got := get(t, server, "/ap"); got != 500 || !errors.As(<-told, &panicked) {
		t.Error(got)
	}
	var group sync.WaitGroup
	for range 32 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 5 {
				if got := get(t, server, "/aw"); got != 203 {
					t.Error(got)
				}
			}
		}()
	}
	group.Wait()
	if got := asked.Load(); got != 3+32*5 {
		t.Error(got)
	}
}

func TestServersThatTheirRequestsEnd(t *testing.T) {
	for _, path := range []string{"/as", "/ac"} {
		own, ended := make(chan *Server, 1), make(chan error, 1)
		server := asking(t, ServeOptions{Instances: 1}, func(ctx context.Context, what rune) (uint32, error) {
			server := <-own
			if what == 's' {
				ended <- server.Shutdown(ctx)
			} else {
				ended <- server.Close()
			}
			if stats, err := server.Stats(); err != nil || stats.Requests != 1 || !server.IsClosed() {
				t.Error(stats, err)
			}
			return 203, nil
		})
		own <- server
		if got := get(t, server, path); got != 203 {
			t.Error(got)
		}
		if err := <-ended; path == "/as" && !errors.Is(err, ErrBusy) || path == "/ac" && err != nil {
			t.Error(path, err)
		}
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		noneListens(t, server)
	}
}

func TestServersAreEndedDuringRequests(t *testing.T) {
	begin := func(server *Server) <-chan int {
		got := make(chan int, 1)
		go func() { got <- get(t, server, "/spin") }()
		for {
			if stats, err := server.Stats(); err != nil || stats.Pool.Busy > 0 {
				return got
			}
		}
	}
	short, done := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer done()
	cancelled, cancel := context.WithCancelCause(context.Background())
	because := errors.New("because")
	time.AfterFunc(50*time.Millisecond, func() { cancel(because) })
	plugin := served(t, "server")
	for _, each := range []struct {
		ctx   context.Context
		kind  error
		cause error
	}{{short, ErrTimeout, context.DeadlineExceeded}, {cancelled, ErrCancelled, because}} {
		server := serve(t, plugin, ServeOptions{Instances: 1})
		got := begin(server)
		if err := server.Shutdown(each.ctx); !errors.Is(err, each.kind) || !errors.Is(err, each.cause) {
			t.Error(err)
		}
		if status := <-got; status != 0 {
			t.Error(status)
		}
	}
	// From several goroutines at once, one of which does not wait.
	server := serve(t, plugin, ServeOptions{Instances: 1})
	got := begin(server)
	waited := make(chan error, 4)
	for range 4 {
		go func() { waited <- server.Shutdown(context.Background()) }()
	}
	for !server.IsClosed() {
		time.Sleep(time.Millisecond)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	for range 4 {
		if err := <-waited; err != nil {
			t.Error(err)
		}
	}
	<-got
}

func TestRequestsAreLogged(t *testing.T) {
	var logged strings.Builder
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	server := serve(t, served(t, "server"), ServeOptions{Instances: 1})
	if got := get(t, server, "/trap"); got != 500 {
		t.Error(got)
	}
	if err := server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), "undergo: a request failed: ") {
		t.Error(logged.String())
	}
}

func TestWhatCanNotServe(t *testing.T) {
	ctx, plugin := context.Background(), served(t, "server")
	taken := serve(t, plugin, ServeOptions{Queue: -1, Body: -1, Connections: 10, MaxCalls: 1, Idle: time.Second})
	if answer, err := client.Post("http://"+taken.Address()+"/x", "text/plain", strings.NewReader("a")); err != nil || answer.StatusCode != 413 {
		t.Error(answer, err)
	} else {
		_ = answer.Body.Close()
	}
	for name, each := range map[string]struct {
		plugin  *Plugin
		address string
		of      ServeOptions
		kind    error
	}{
		"no server":       {conformance(t), local, ServeOptions{}, ErrInvalidPlugin},
		"no address":      {plugin, "localhost", ServeOptions{}, ErrTypeMismatch},
		"no port":         {plugin, "127.0.0.1:99999", ServeOptions{}, ErrTypeMismatch},
		"in use":          {plugin, taken.Address(), ServeOptions{}, ErrDenied},
		"no instances":    {plugin, local, ServeOptions{Instances: -1}, ErrTypeMismatch},
		"no connections":  {plugin, local, ServeOptions{Connections: -1}, ErrTypeMismatch},
		"no time":         {plugin, local, ServeOptions{Idle: -1}, ErrTypeMismatch},
		"missing imports": {served(t, "asking"), local, ServeOptions{}, ErrMissingImport},
	} {
		options := []Option{}
		if each.kind == ErrInvalidPlugin {
			options = append(options, (&conformanceRunner{}).options())
		}
		if server, err := each.plugin.Serve(ctx, each.address, each.of, options...); !errors.Is(err, each.kind) {
			t.Error(name, server, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := plugin.Serve(ended, local, ServeOptions{}); !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
}

// A process ends with a server that answers.
func TestProcessesEndWithServers(t *testing.T) {
	if os.Getenv("UNDERGO_TEST_SERVER") != "" {
		asked := make(chan struct{}, 1)
		server := asking(t, ServeOptions{Instances: 2}, func(context.Context, rune) (uint32, error) {
			asked <- struct{}{}
			select {}
		})
		go get(t, server, "/a1")
		go get(t, server, "/spin")
		<-asked
		fmt.Println("over")
		os.Exit(0)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestProcessesEndWithServers$")
	command.Env = append(os.Environ(), "UNDERGO_TEST_SERVER=1")
	if output, err := command.CombinedOutput(); err != nil || !strings.Contains(string(output), "over") {
		t.Errorf("%v\n%s", err, output)
	}
}
