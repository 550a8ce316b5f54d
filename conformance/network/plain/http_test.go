package plain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func hello(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello %s", r.URL.Query().Get("name"))
}

func get(client *http.Client, url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(b), err
}

func TestHTTP(t *testing.T) {
	url := serve(t, http.HandlerFunc(hello))
	for _, name := range []string{"Ada", "Grace"} {
		if text, err := get(http.DefaultClient, url+"/?name="+name); err != nil || text != "hello "+name {
			t.Errorf("%q, %v", text, err)
		}
	}
}

func TestBodies(t *testing.T) {
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%d %x %v", n, sum.Sum(nil), err)
	}))
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	resp, err := http.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if want := fmt.Sprintf("%d %x <nil>", len(body), sha256.Sum256(body)); err != nil || string(said) != want {
		t.Errorf("%s, %v", said, err)
	}
}

func TestChunks(t *testing.T) {
	next := make(chan bool)
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "%d", i)
			w.(http.Flusher).Flush()
			<-next
		}
	}))
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for i := range 3 {
		// The server waits until it has arrived.
		expect(t, resp.Body, fmt.Sprint(i))
		next <- true
	}
}

func TestManyRequestsAtOnce(t *testing.T) {
	const many = 1000
	var running, most atomic.Int32
	all := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := running.Add(1)
		defer running.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		if now == many/4 {
			close(all)
		}
		// So that many are there at once.
		select {
		case <-all:
		case <-time.After(soon):
		}
		hello(w, r)
	}))
	client := &http.Client{Timeout: 2 * soon, Transport: &http.Transport{MaxIdleConnsPerHost: many / 4}}
	defer client.CloseIdleConnections()
	slots := make(chan struct{}, many/4)
	var lost atomic.Int32
	var wg sync.WaitGroup
	for i := range many {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() { <-slots; wg.Done() }()
			if text, err := get(client, fmt.Sprintf("%s/?name=%d", url, i)); err != nil || text != fmt.Sprintf("hello %d", i) {
				if lost.Add(1) <= 3 {
					t.Errorf("%q, %v", text, err)
				}
			}
		}()
	}
	wg.Wait()
	if n := lost.Load(); n > 0 {
		t.Errorf("%d of %d were lost", n, many)
	}
	if most.Load() < many/4 {
		t.Errorf("at most %d were there at once", most.Load())
	}
}

func TestTimeoutOfAClient(t *testing.T) {
	over := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// It is told when the client has gone.
		<-r.Context().Done()
		close(over)
	}))
	client := &http.Client{Timeout: 50 * time.Millisecond}
	if _, err := get(client, url); !isTimeout(err) {
		t.Errorf("%v", err)
	}
	select {
	case <-over:
	case <-time.After(soon):
		t.Error("the server was not told")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	if _, err := http.DefaultClient.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestShutdownWaitsForRequests(t *testing.T) {
	begun, end := make(chan bool), make(chan bool)
	ln := listen(t, "tcp", "127.0.0.1:0")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-end
		hello(w, r)
	})}
	go server.Serve(ln)
	answer := make(chan string, 1)
	go func() {
		text, err := get(http.DefaultClient, "http://"+ln.Addr().String()+"/?name=late")
		answer <- fmt.Sprint(text, err)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- server.Shutdown(context.Background()) }()
	time.AfterFunc(20*time.Millisecond, func() { close(end) })
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if text := <-answer; text != "hello late<nil>" {
		t.Error(text)
	}
}

func TestTLSAndHTTP2(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s over TLS: %t", r.Proto, r.TLS != nil)
		}))
		server.EnableHTTP2 = version == "HTTP/2.0"
		server.StartTLS()
		defer server.Close()
		if text, err := get(server.Client(), server.URL); err != nil || text != version+" over TLS: true" {
			t.Errorf("%q, %v", text, err)
		}
		// Another client does not know who signed the certificate.
		if _, err := get(&http.Client{Transport: &http.Transport{}}, server.URL); err == nil || !strings.Contains(err.Error(), "x509") {
			t.Errorf("a stranger's certificate: %v", err)
		}
	}
}
