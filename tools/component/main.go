// Component is the plugin that is built as a component: each shape of a value, imports, and work
// for Go's collector while the host places arguments.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Color is an enum.
//
//undergo:enum
type Color int

// The colors.
const (
	ColorRed Color = iota
	ColorBlue
)

// A Shape is a variant.
//
//undergo:variant Circle Square
type Shape interface{ Area() float64 }

// A Circle is round.
type Circle struct{ Radius float64 }

// A Square is not.
type Square struct{ Side float64 }

// Area is that of c.
func (c Circle) Area() float64 { return 3 * c.Radius * c.Radius }

// Area is that of s.
func (s Square) Area() float64 { return s.Side * s.Side }

// A Person has a name.
type Person struct {
	Name  string
	Email *string
	Tags  []string
	Color Color
	Born  time.Time
	Wait  time.Duration
}

// Greet says hello.
//
//undergo:export
func Greet(name string) string { return "hello " + name }

// EchoPerson returns p.
//
//undergo:export
func EchoPerson(p Person) (Person, error) {
	if p.Name == "" {
		return Person{}, errors.New("nobody")
	}
	return p, nil
}

// Count counts the words.
//
//undergo:export
func Count(words []string) map[string]uint32 {
	counts := map[string]uint32{}
	for _, w := range words {
		counts[w]++
	}
	return counts
}

// Total adds what Count counted.
//
//undergo:export
func Total(counts map[string]uint32) (sum uint32) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// Turn reverses three numbers.
//
//undergo:export
func Turn(v [3]float64) [3]float64 { return [3]float64{v[2], v[1], v[0]} }

// Areas gives the area of each shape.
//
//undergo:export
func Areas(shapes []Shape) []float64 {
	areas := make([]float64, len(shapes))
	for i, s := range shapes {
		areas[i] = s.Area()
	}
	return areas
}

// Lookup asks the host.
//
//undergo:import directory
var Lookup func(name string) ([]string, error)

// Ask asks the host, and changes what it says.
//
//undergo:export
func Ask(names []string) ([]string, error) {
	var all []string
	for _, n := range names {
		found, err := Lookup(n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// Environment is what WASI gives.
//
//undergo:export
func Environment(name string) string { return os.Getenv(name) }

var (
	kept   []string
	bytes  [][]byte
	timers []*time.Timer
	ticks  int
)

// Press keeps parts of its arguments, and checks those of earlier calls. Meanwhile there
// are timers, goroutines, garbage, and a collection that is under way when it returns.
//
//undergo:export
func Press(round uint32, data []byte, text string, words []string) (uint64, error) {
	const most = 40
	kept = append(kept, text[:min(len(text), 200)], words[len(words)/2])
	bytes = append(bytes, data[:len(data)/3])
	if len(bytes) > most {
		kept, bytes = slices.Clone(kept[most:]), slices.Clone(bytes[most/2:])
	}
	timers = append(timers, time.AfterFunc(time.Duration(round%7)*10*time.Microsecond, func() {
		ticks++
		_ = strings.Repeat("x", 10_000)
	}))
	if len(timers) > 100 {
		timers = timers[50:]
	}
	go func() {
		garbage := make([][]byte, 20)
		for i := range garbage {
			garbage[i] = make([]byte, 10_000)
		}
		time.Sleep(50 * time.Microsecond)
		runtime.KeepAlive(garbage)
	}()
	if round%5 == 0 {
		go runtime.GC()
	}
	if round%11 == 0 {
		runtime.GC()
	}
	for _, k := range kept {
		if strings.Trim(k, k[:1]) != "" {
			return 0, errors.New("a text was damaged")
		}
	}
	for _, b := range bytes {
		if i := slices.IndexFunc(b, func(c byte) bool { return c != b[0] }); i >= 0 {
			return 0, errors.New("bytes were damaged")
		}
	}
	var sum uint64
	for _, b := range data {
		sum += uint64(b)
	}
	return sum + uint64(len(text)) + uint64(len(words)), nil
}

func main() {}
