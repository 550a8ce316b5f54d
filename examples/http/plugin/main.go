// A server, as a component: a mux of net/http that answers with JSON.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/undergo-dev/undergo/go-guest-sdk/wasihttp"
)

// Counts says how often each word is in a text.
type Counts struct {
	Words map[string]int `json:"words"`
	Total int            `json:"total"`
}

func init() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", hello)
	mux.HandleFunc("POST /words", words)
	mux.HandleFunc("GET /countdown", countdown)
	wasihttp.Serve(mux)
}

func hello(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, map[string]string{"greeting": "Hello " + r.PathValue("name")})
}

// words reads the text as it comes: it is never in memory as a whole.
func words(w http.ResponseWriter, r *http.Request) {
	counts := Counts{Words: map[string]int{}}
	scanner := bufio.NewScanner(http.MaxBytesReader(w, r.Body, 1<<20))
	scanner.Split(bufio.ScanWords)
	for scanner.Scan() {
		counts.Words[strings.ToLower(scanner.Text())]++
		counts.Total++
	}
	var tooLarge *http.MaxBytesError
	switch err := scanner.Err(); {
	case errors.As(err, &tooLarge):
		answer(w, http.StatusRequestEntityTooLarge, map[string]string{"error": err.Error()})
	case err != nil:
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
	default:
		answer(w, http.StatusOK, counts)
	}
}

// countdown sends a line at a time.
func countdown(w http.ResponseWriter, r *http.Request) {
	lines := http.NewResponseController(w)
	for n := 3; n > 0; n-- {
		fmt.Fprintln(w, n)
		if lines.Flush() != nil {
			return // nobody reads on
		}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func main() {}
