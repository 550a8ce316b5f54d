// Command load sends requests to an HTTP server, many at once, and writes what became of them as
// JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	url := flag.String("url", "", "the server's `URL`")
	requests := flag.Int("requests", 10_000, "how many requests are sent")
	clients := flag.Int("clients", 1_000, "how many of them at once, each on a connection of its own")
	flag.Parse()
	if *url == "" {
		log.Fatal("which server? -url http://127.0.0.1:8080")
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: *clients, MaxIdleConnsPerHost: *clients}}
	var next, lost atomic.Int64
	var why atomic.Value
	var wg sync.WaitGroup
	began := time.Now()
	for range *clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				i := next.Add(1)
				if i > int64(*requests) {
					return
				}
				if err := ask(client, *url, fmt.Sprint(i)); err != nil {
					lost.Add(1)
					why.CompareAndSwap(nil, err.Error())
				}
			}
		}()
	}
	wg.Wait()
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests": *requests, "clients": *clients, "lost": lost.Load(), "why": why.Load(), "seconds": time.Since(began).Seconds(),
	})
}

func ask(client *http.Client, url, name string) error {
	resp, err := client.Get(url + "/hello/" + name)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(b)) != "hello "+name {
		return fmt.Errorf("%s: %s", resp.Status, b)
	}
	return nil
}
