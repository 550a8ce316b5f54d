package wasihttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// A recorder is a sink that keeps what comes.
type recorder struct {
	status  int
	header  http.Header
	body    bytes.Buffer
	flushes int
	trailer http.Header
	ended   string
	broken  error
}

func (r *recorder) begin(status int, header http.Header) error {
	r.status, r.header = status, header
	return r.broken
}

func (r *recorder) write(p []byte) error { r.body.Write(p); return r.broken }
func (r *recorder) flush() error         { r.flushes++; return r.broken }
func (r *recorder) finish(trailer http.Header) error {
	r.trailer, r.ended = trailer, r.ended+"finished"
	return r.broken
}
func (r *recorder) abort() { r.ended += "aborted" }

// logged gives what f logs.
func logged(t *testing.T, f func()) string {
	t.Helper()
	var text bytes.Buffer
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	f()
	return text.String()
}

// run has h answer a request.
func run(method string, h http.HandlerFunc) (*recorder, *response) {
	sink := &recorder{}
	w := newResponse(sink, method)
	done := make(chan struct{})
	go func() {
		defer close(done)
		answer(h, w, httptest.NewRequest(method, "/path", nil))
	}()
	<-done
	return sink, w
}

func TestResponses(t *testing.T) {
	long := strings.Repeat("x", mostHeld+1)
	for name, c := range map[string]struct {
		method  string
		handler http.HandlerFunc
		status  int
		header  map[string]string
		body    string
		trailer http.Header
	}{
		"nothing": {"GET", func(http.ResponseWriter, *http.Request) {}, 200, map[string]string{"Content-Length": "0", "Content-Type": ""}, "", nil},
		"short":   {"GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<p>") }, 200, map[string]string{"Content-Length": "3", "Content-Type": "text/html; charset=utf-8"}, "<p>", nil},
		"long":    {"GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long) }, 200, map[string]string{"Content-Length": "", "Content-Type": "text/plain; charset=utf-8"}, long, nil},
		"parts": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				io.WriteString(w, long[:mostHeld/2])
			}
		}, 200, map[string]string{"Content-Length": ""}, strings.Repeat("x", mostHeld/2*3), nil},
		"head": {"HEAD", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long); io.WriteString(w, "abc") }, 200, map[string]string{"Content-Length": fmt.Sprint(len(long) + 3), "Content-Type": "text/plain; charset=utf-8"}, "", nil},
		"declared": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "ab")
		}, 200, map[string]string{"Content-Length": "2"}, "ab", nil},
		"no content": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
				panic(err)
			}
		}, 204, map[string]string{"Content-Length": ""}, "", nil},
		"connection": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }, 200, map[string]string{"Connection": ""}, "", nil},
		"late header": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			w.Header().Set("X-Late", "1")
		}, 404, map[string]string{"X-Late": ""}, "", nil},
		"informational": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(201) }, 201, nil, "", nil},
		"trailers": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "x-sum, Content-Length")
			io.WriteString(w, "a")
			w.Header().Set("X-Sum", "7")
			w.Header().Set(http.TrailerPrefix+"x-more", "8")
		}, 200, map[string]string{"Content-Length": "", "X-Sum": ""}, "a", http.Header{"X-Sum": {"7"}, "X-More": {"8"}}},
		"flushed": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			io.WriteString(w, "b")
		}, 200, map[string]string{"Content-Length": ""}, "ab", nil},
		"a length that is none": {"GET", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "many") }, 200, map[string]string{"Content-Length": "0"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var sink *recorder
			logged(t, func() { sink, _ = run(c.method, c.handler) })
			if sink.status != c.status || sink.body.String() != c.body || sink.ended != "finished" {
				t.Errorf("%d %q, %s", sink.status, sink.body.String(), sink.ended)
			}
			for name, want := range c.header {
				if got := sink.header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if len(c.trailer)+len(sink.trailer) > 0 && !reflect.DeepEqual(sink.trailer, c.trailer) {
				t.Errorf("trailers %v, want %v", sink.trailer, c.trailer)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		handler   http.HandlerFunc
		status    int
		ended     string
		log, body string
	}{
		"panic":              {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", "1"); panic("boom") }, 500, "finished", "panic: boom\n", "Internal Server Error\n"},
		"panic after a part": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "part"); panic("boom") }, 500, "finished", "boom", "Internal Server Error\n"},
		"panic after a flush": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			panic("boom")
		}, 200, "aborted", "response_test.go", "part"},
		"abort":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "aborted", "", ""},
		"goexit": {func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, 500, "finished", "ended its goroutine", "Internal Server Error\n"},
		"status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(7) }, 500, "finished", "7 is no status", "Internal Server Error\n"},
		"twice":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); w.WriteHeader(202) }, 201, "finished", "202 was set in vain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var sink *recorder
			text := logged(t, func() { sink, _ = run("GET", c.handler) })
			if sink.status != c.status || sink.ended != c.ended || sink.body.String() != c.body {
				t.Errorf("%d %s %q", sink.status, sink.ended, sink.body.String())
			}
			if !strings.Contains(text, c.log) || c.log == "" && text != "" {
				t.Errorf("logged %q", text)
			}
			if sink.header.Get("X") != "" {
				t.Error("the header of what failed is sent")
			}
		})
	}
}

func TestMoreThanDeclared(t *testing.T) {
	var err error
	run("GET", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1")
		_, err = io.WriteString(w, "ab")
	})
	if err != http.ErrContentLength {
		t.Error(err)
	}
}

func TestAfterTheHandler(t *testing.T) {
	sink, w := run("GET", func(http.ResponseWriter, *http.Request) {})
	if _, err := io.WriteString(w, "late"); !errors.Is(err, errFinished) {
		t.Error(err)
	}
	if err := http.NewResponseController(w).Flush(); !errors.Is(err, errFinished) {
		t.Error(err)
	}
	if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
		t.Error(err)
	}
	if sink.body.Len() > 0 || sink.ended != "finished" {
		t.Errorf("%q %s", sink.body.String(), sink.ended)
	}
	if text := logged(t, func() { w.WriteHeader(500) }); !strings.Contains(text, "after the handler") {
		t.Error(text)
	}
}

// The error of a broken connection comes back from whatever writes.
func TestBroken(t *testing.T) {
	sink := &recorder{broken: errors.New("gone")}
	w := newResponse(sink, "GET")
	var first, second error
	text := logged(t, func() {
		answer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			first = http.NewResponseController(w).Flush()
			_, second = io.WriteString(w, "x")
		}), w, httptest.NewRequest("GET", "/", nil))
	})
	if first != sink.broken || second != sink.broken || sink.ended != "aborted" || !strings.Contains(text, "gone") {
		t.Error(first, second, sink.ended, text)
	}
}

func TestRequests(t *testing.T) {
	header := http.Header{
		"Host": {"a.example"}, "Cookie": {"a=1", "b=2"}, "Content-Length": {"7"}, "Trailer": {"x-sum"},
	}
	r, err := newRequest(target{method: "POST", path: "/a%2Fb/c?q=1&q=2"}, header)
	if err != nil {
		t.Fatal(err)
	}
	if r.Host != "a.example" || r.URL.Path != "/a/b/c" || r.URL.RawPath != "/a%2Fb/c" || r.URL.RawQuery != "q=1&q=2" || r.ContentLength != 7 {
		t.Errorf("%+v %+v", r, r.URL)
	}
	if _, has := r.Trailer["X-Sum"]; !has || len(r.Cookies()) != 2 || r.Header.Get("Host") != "" {
		t.Errorf("%v %v", r.Trailer, r.Header)
	}
	for _, c := range []struct {
		method, path, authority, length string
		want                            string
	}{
		{"GET", "", "h:1", "", "h:1 / 0"},
		{"POST", "/", "h", "", "h / -1"},
		{"OPTIONS", "*", "h", "", "h * -1"},
		{"CONNECT", "h:443", "h:443", "", "h:443 //h:443 -1"},
		{"GET", "no slash", "", "", "parse"},
		{"GET", "/", "", "-1", "invalid"},
	} {
		header := http.Header{}
		if c.length != "" {
			header.Set("Content-Length", c.length)
		}
		r, err := newRequest(target{method: c.method, path: c.path, authority: c.authority}, header)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(r.Host, " ", r.URL, " ", r.ContentLength)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
}

func TestServe(t *testing.T) {
	defer func() {
		handler = nil
		if recover() == nil {
			t.Error("Serve was called twice without a panic")
		}
	}()
	Serve(nil)
	if handler != http.DefaultServeMux {
		t.Error("nil is not the default mux")
	}
	Serve(nil)
}
