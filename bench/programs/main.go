// Programs that compute, one after the other or those that are named: for each its name,
// microseconds, and a result.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand"
	"os"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"
	"github.com/yuin/goldmark"
)

//go:noinline
func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func bFib() string { return fmt.Sprint(fib(32)) }

func bSieve() string {
	n := 5_000_000
	c := 0
	for r := 0; r < 3; r++ {
		s := make([]bool, n+1)
		c = 0
		for i := 2; i <= n; i++ {
			if !s[i] {
				c++
				for j := i * 2; j <= n; j += i {
					s[j] = true
				}
			}
		}
	}
	return fmt.Sprint(c)
}

type Inner struct {
	A int               `json:"a"`
	B string            `json:"b"`
	C []float64         `json:"c"`
	D map[string]string `json:"d"`
}
type Outer struct {
	Name  string  `json:"name"`
	Items []Inner `json:"items"`
	Ok    bool    `json:"ok"`
	P     *Inner  `json:"p,omitempty"`
}

func bJSON() string {
	v := Outer{Name: "hello", Ok: true, P: &Inner{A: 1, B: "x", C: []float64{1.5, 2.25}, D: map[string]string{"k": "v"}}}
	for i := 0; i < 4; i++ {
		v.Items = append(v.Items, Inner{A: i, B: "str" + strconv.Itoa(i), C: []float64{float64(i), 3.14159, 1e10}, D: map[string]string{"one": "1", "two": "2"}})
	}
	h := 0
	for i := 0; i < 20000; i++ {
		b, err := json.Marshal(&v)
		if err != nil {
			panic(err)
		}
		var w Outer
		if err := json.Unmarshal(b, &w); err != nil {
			panic(err)
		}
		v = w
		h += len(b)
	}
	return fmt.Sprint(h)
}

func bSort() string {
	r := rand.New(rand.NewSource(1))
	a := make([]int, 1_000_000)
	for i := range a {
		a[i] = r.Int()
	}
	sort.Slice(a, func(i, j int) bool { return a[i] < a[j] })
	return fmt.Sprint(a[0], a[500000], sort.IntsAreSorted(a))
}

func bSHA() string {
	b := make([]byte, 64<<20)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

func bRegexp() string {
	re := regexp.MustCompile(`(\w+)@(\w+)\.(com|org)|\d{3}-\d{4}`)
	txt := strings.Repeat("the quick brown fox john@example.com jumps over 555-1234 the lazy dog ", 2000)
	n := 0
	for i := 0; i < 5; i++ {
		n += len(re.FindAllStringSubmatchIndex(txt, -1))
	}
	return fmt.Sprint(n)
}

func bStr() string {
	h := fnv.New64a()
	for r := 0; r < 20; r++ {
		var sb strings.Builder
		for i := 0; i < 100000; i++ {
			sb.WriteString("item ")
			sb.WriteString(strconv.Itoa(i))
			sb.WriteByte(' ')
			sb.WriteString(strings.ToUpper("abc"))
		}
		s := sb.String()
		f := strings.Fields(s)
		s = strings.Join(f, ",")
		s = strings.ReplaceAll(s, "item", "it")
		h.Write([]byte(s))
	}
	return fmt.Sprint(h.Sum64())
}

func bMap() string {
	m := map[string]int{}
	for i := 0; i < 1_000_000; i++ {
		m["key"+strconv.Itoa(i)] = i
	}
	s := 0
	for i := 0; i < 1_000_000; i++ {
		s += m["key"+strconv.Itoa(i)]
	}
	return fmt.Sprint(len(m), s)
}

func bMarkdown() string {
	var sb strings.Builder
	for i := 0; i < 60; i++ {
		fmt.Fprintf(&sb, "# Title %d\n\nSome *emph* and **strong** text with `code` and a [link](http://example.com/%d \"t\").\n\n- item one\n- item two\n  - nested\n\n> quote here\n\n```go\nfunc main() {}\n```\n\n1. a\n2. b\n\nAnother paragraph, line one\nline two <b>html</b> &amp; entity.\n\n", i, i)
	}
	src := []byte(sb.String())
	n := 0
	for i := 0; i < 200; i++ {
		var buf bytes.Buffer
		if err := goldmark.Convert(src, &buf); err != nil {
			panic(err)
		}
		n += buf.Len()
	}
	return fmt.Sprint(n)
}

func bGojq() string {
	q, err := gojq.Parse(`[.items[] | select(.price > 50) | {name, total: (.price * .qty), tags: (.tags | map(ascii_upcase) | join("-"))}] | group_by(.name) | map({name: .[0].name, sum: (map(.total) | add)}) | sort_by(.sum) | length`)
	if err != nil {
		panic(err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		panic(err)
	}
	var items []any
	for i := 0; i < 2000; i++ {
		items = append(items, map[string]any{"name": "n" + strconv.Itoa(i%37), "price": i % 100, "qty": i % 7, "tags": []any{"a", "b", "c" + strconv.Itoa(i%5)}})
	}
	doc := map[string]any{"items": items}
	out := ""
	for i := 0; i < 20; i++ {
		it := code.Run(doc)
		for {
			v, ok := it.Next()
			if !ok {
				break
			}
			out = fmt.Sprint(v)
		}
	}
	return out
}

type tree struct{ l, r *tree }

func mk(d int) *tree {
	if d == 0 {
		return &tree{}
	}
	return &tree{mk(d - 1), mk(d - 1)}
}
func (t *tree) check() int {
	if t.l == nil {
		return 1
	}
	return 1 + t.l.check() + t.r.check()
}
func bTrees() string {
	n := 16
	long := mk(n)
	s := 0
	for d := 4; d <= n; d += 4 {
		it := 1 << (n - d + 4)
		for i := 0; i < it; i++ {
			s += mk(d).check()
		}
	}
	return fmt.Sprint(s, long.check())
}

func bPing() string {
	a, b := make(chan int), make(chan int)
	go func() {
		for v := range a {
			b <- v + 1
		}
		close(b)
	}()
	v := 0
	for i := 0; i < 300000; i++ {
		a <- v
		v = <-b
	}
	close(a)
	return fmt.Sprint(v)
}

func bPanic() string {
	s := 0
	f := func(i int) (r int) {
		defer func() {
			if e := recover(); e != nil {
				r = len(fmt.Sprint(e))
			}
		}()
		var a []int
		var p *Inner
		if i%3 == 0 {
			return a[i]
		} else if i%3 == 1 {
			return p.A
		}
		return 1000 / (i - i)
	}
	for i := 0; i < 20000; i++ {
		s += f(i)
	}
	return fmt.Sprint(s)
}

type mat [][]float64

func bMatmul() string {
	n := 300
	a, b, c := make(mat, n), make(mat, n), make(mat, n)
	for i := 0; i < n; i++ {
		a[i], b[i], c[i] = make([]float64, n), make([]float64, n), make([]float64, n)
		for j := 0; j < n; j++ {
			a[i][j] = float64(i*j%7) + 0.5
			b[i][j] = float64(i+j) / 3
		}
	}
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			s := 0.0
			for k := 0; k < n; k++ {
				s += a[i][k] * b[k][j]
			}
			c[i][j] = s
		}
	}
	return fmt.Sprintf("%.6g", c[17][33])
}

var list = []struct {
	n string
	f func() string
}{
	{"fib", bFib}, {"sieve", bSieve}, {"json", bJSON}, {"sort", bSort}, {"sha256", bSHA}, {"regexp", bRegexp}, {"strings", bStr}, {"map", bMap}, {"goldmark", bMarkdown}, {"gojq", bGojq}, {"trees", bTrees}, {"pingpong", bPing}, {"panic", bPanic}, {"matmul", bMatmul},
}

func main() {
	want := map[string]bool{}
	for _, a := range os.Args[1:] {
		want[a] = true
	}
	if want["stack"] {
		defer func() {
			fmt.Println("recovered:", recover())
			buf := make([]byte, 4096)
			fmt.Println(string(buf[:runtime.Stack(buf, false)]))
			var m map[string]int
			m["x"] = 1
		}()
		var p *Inner
		fmt.Println(p.B)
	}
	for _, b := range list {
		if len(want) > 0 && !want[b.n] {
			continue
		}
		t := time.Now()
		r := b.f()
		d := time.Since(t)
		if os.Getenv("NOTIME") != "" {
			d = 0
		}
		fmt.Printf("%s\t%d\t%s\n", b.n, d.Microseconds(), r)
		runtime.GC()
	}
}
