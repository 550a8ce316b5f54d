package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// The functions of the module host. ../README.md says what each one does.
var (
	// HostEchoString returns s.
	//
	//undergo:import host echo-string
	HostEchoString func(s string) string

	// HostEchoBytes returns v.
	//
	//undergo:import host echo-bytes
	HostEchoBytes func(v []byte) []byte

	// HostEchoInt returns v.
	//
	//undergo:import host echo-int
	HostEchoInt func(v int64) int64

	// HostEchoStrings returns v.
	//
	//undergo:import host echo-strings
	HostEchoStrings func(v []string) []string

	// HostEchoFloats returns v.
	//
	//undergo:import host echo-floats
	HostEchoFloats func(v []float64) []float64

	// HostEchoPerson returns p.
	//
	//undergo:import host echo-person
	HostEchoPerson func(p Person) Person

	// HostEchoMaybe returns v.
	//
	//undergo:import host echo-maybe
	HostEchoMaybe func(v *string) *string

	// HostEchoColor returns v.
	//
	//undergo:import host echo-color
	HostEchoColor func(v Color) Color

	// HostEchoCounts returns v.
	//
	//undergo:import host echo-counts
	HostEchoCounts func(v map[string]int64) map[string]int64

	// HostEchoTime returns v.
	//
	//undergo:import host echo-time
	HostEchoTime func(v time.Time) time.Time

	// HostEchoDuration returns v.
	//
	//undergo:import host echo-duration
	HostEchoDuration func(v time.Duration) time.Duration

	// HostEchoJSON returns v.
	//
	//undergo:import host echo-json
	HostEchoJSON func(v any) any

	// HostEchoRaw returns v.
	//
	//undergo:import host echo-raw
	HostEchoRaw func(v json.RawMessage) json.RawMessage

	// HostEchoShape returns s.
	//
	//undergo:import host echo-shape
	HostEchoShape func(s Shape) Shape

	// HostMany returns its parameters as a text.
	//
	//undergo:import host many
	HostMany func(a int8, b uint16, c int32, d int64, e float64, f bool, g, h, i, j, k, l string) string

	// HostBundle returns its parameters, which are more than WebAssembly passes one by
	// one, with variants among them.
	//
	//undergo:import host bundle
	HostBundle func(id int8, s Shape, m *Shape, d Drawing, v []Shape, name string) (int8, Shape, *Shape, Drawing, []Shape, string)

	// HostDivmod returns quotient and remainder.
	//
	//undergo:import host divmod
	HostDivmod func(a, b int64) (int64, int64)

	// HostNote takes s and returns nothing.
	//
	//undergo:import host note
	HostNote func(s string)

	// HostNotes returns what was noted since it was last asked.
	//
	//undergo:import host notes
	HostNotes func() []string

	// HostFail always fails with msg, which is an answer.
	//
	//undergo:import host fail
	HostFail func(msg string) (string, error)

	// HostCheck fails with msg unless it is empty.
	//
	//undergo:import host check
	HostCheck func(ctx context.Context, msg string) error

	// HostLookup fails for a key, with a NotFound that it wraps.
	//
	//undergo:import host lookup
	HostLookup func(key string) (string, error)

	// HostCrash always fails with msg, which is the end of the call.
	//
	//undergo:import host crash
	HostCrash func(msg string)

	// HostWrongType returns a value of a wrong type.
	//
	//undergo:import host wrong-type
	HostWrongType func() int32

	// HostWrongResult returns a value of a wrong type, in spite of its error.
	//
	//undergo:import host wrong-result
	HostWrongResult func() ([]int32, error)

	// HostReenter calls the export reenter.
	//
	//undergo:import host reenter
	HostReenter func(depth int32) int32
)

// ThroughHost sends its arguments through the host and back.
//
//undergo:export
func ThroughHost(s string, b []byte, n int64, v []string, f []float64) (string, []byte, int64, []string, []float64) {
	return HostEchoString(s), HostEchoBytes(b), HostEchoInt(n), HostEchoStrings(v), HostEchoFloats(f)
}

// PersonThroughHost sends p through the host and back.
//
//undergo:export
func PersonThroughHost(p Person) Person { return HostEchoPerson(p) }

// MoreThroughHost sends its arguments through the host and back.
//
//undergo:export
func MoreThroughHost(m *string, c Color, v map[string]int64) (*string, Color, map[string]int64) {
	return HostEchoMaybe(m), HostEchoColor(c), HostEchoCounts(v)
}

// TimesThroughHost sends its arguments through the host and back.
//
//undergo:export
func TimesThroughHost(t time.Time, d time.Duration) (time.Time, time.Duration) {
	return HostEchoTime(t), HostEchoDuration(d)
}

// JSONThroughHost sends its arguments through the host and back.
//
//undergo:export
func JSONThroughHost(v any, raw json.RawMessage) (any, json.RawMessage) {
	return HostEchoJSON(v), HostEchoRaw(raw)
}

// ManyThroughHost calls the host with more parameters than WebAssembly passes
// one by one.
//
//undergo:export
func ManyThroughHost() string {
	return HostMany(-1, 2, -3, 4, 0.5, true, "g", "", "i", "j", "k", "ü")
}

// DivmodThroughHost has the host divide.
//
//undergo:export
func DivmodThroughHost(a, b int64) (int64, int64) { return HostDivmod(a, b) }

// Notes has the host note each of v, and asks for what it has.
//
//undergo:export
func Notes(v []string) []string {
	HostNotes()
	for _, s := range v {
		HostNote(s)
	}
	return HostNotes()
}

// CatchFailure has the host fail, and returns the text.
//
//undergo:export
func CatchFailure(msg string) string {
	s, err := HostFail(msg)
	if err == nil {
		return "no error, but " + s
	}
	return "caught: " + err.Error()
}

// PassFailure has the host fail, and fails with that.
//
//undergo:export
func PassFailure(msg string) error {
	if err := HostCheck(context.Background(), msg); err != nil {
		return fmt.Errorf("host: %w", err)
	}
	return nil
}

// Crash has the host fail where Go expects no error.
//
//undergo:export
func Crash(msg string) { HostCrash(msg) }

// WrongType has the host return what is no number.
//
//undergo:export
func WrongType() int32 { return HostWrongType() }

// WrongResult has the host return what is no list.
//
//undergo:export
func WrongResult() ([]int32, error) { return HostWrongResult() }

// Reenter calls the host, which calls Reenter, and so on, depth times.
//
//undergo:export
func Reenter(depth int32) int32 {
	if depth <= 0 {
		return 0
	}
	return HostReenter(depth)
}

// HostInGoroutines calls the host from n goroutines that take turns, while
// garbage is collected. It says how many answers were wrong.
//
//undergo:export
func HostInGoroutines(n int32) int32 {
	var wg sync.WaitGroup
	var wrong int32
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 20 {
				want := []string{fmt.Sprint("goroutine ", i), "", fmt.Sprint("turn ", j)}
				runtime.Gosched()
				got := HostEchoStrings(want)
				if j%5 == 0 {
					runtime.GC()
				}
				runtime.Gosched()
				if fmt.Sprint(got) != fmt.Sprint(want) {
					wrong++
				}
			}
		}()
	}
	wg.Wait()
	return wrong
}
