// A plugin that uses the network, as a client and as a server.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"example.com/network/site"
)

// Get fetches a page.
//
//undergo:export
func Get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", url, resp.Status)
	}
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// Exchange has a server and that many clients within one call. It gives how many had their answer.
//
//undergo:export
func Exchange(clients int32) (int32, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	})}
	go server.Serve(ln)
	defer server.Close()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var answered int32
	for i := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if text, err := Get(fmt.Sprintf("http://%s/%d", ln.Addr(), i)); err == nil && text == fmt.Sprintf("/%d", i) {
				mu.Lock()
				answered++
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	return answered, nil
}

// Serve answers requests until it is asked to stop, and gives how many it has answered. It prints
// where it listens.
//
//undergo:export
func Serve(address string) (int64, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return 0, err
	}
	fmt.Println(ln.Addr())
	return site.Serve(ln)
}

// What has become of the server of Start.
var ended struct {
	sync.Mutex
	answered *int64
	err      error
}

// Start begins to answer requests, as Serve does, and gives where it listens. The
// requests are answered while the plugin is called, or polled, again.
//
//undergo:export
func Start(address string) (string, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	go func() {
		answered, err := site.Serve(ln)
		ended.Lock()
		defer ended.Unlock()
		ended.answered, ended.err = &answered, err
	}()
	return ln.Addr().String(), nil
}

// Ended gives how many requests were answered, once the server of Start was asked to
// stop.
//
//undergo:export
func Ended() (*int64, error) {
	ended.Lock()
	defer ended.Unlock()
	return ended.answered, ended.err
}

// Rest does nothing for that long, in which requests are answered.
//
//undergo:export
func Rest(d time.Duration) {
	time.Sleep(d)
}

func main() {}
