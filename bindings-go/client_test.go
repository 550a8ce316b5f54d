package undergo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	undergo "github.com/undergo-dev/undergo/bindings-go"
	"github.com/undergo-dev/undergo/bindings-go/internal/conformance"
)

// host gives the functions of the conformance guest by what bindgen wrote.
type host struct {
	notes    []string
	reenter  func(ctx context.Context, depth int32) (int32, error)
	rejected error
	shape    func(s conformance.Shape) conformance.Shape
	missing  error
}

func (h *host) EchoString(_ context.Context, s string) (string, error)       { return s, nil }
func (h *host) EchoBytes(_ context.Context, v []uint8) ([]uint8, error)      { return v, nil }
func (h *host) EchoInt(_ context.Context, v int64) (int64, error)            { return v, nil }
func (h *host) EchoStrings(_ context.Context, v []string) ([]string, error)  { return v, nil }
func (h *host) EchoFloats(_ context.Context, v []float64) ([]float64, error) { return v, nil }
func (h *host) EchoPerson(_ context.Context, p conformance.Person) (conformance.Person, error) {
	return p, nil
}
func (h *host) EchoMaybe(_ context.Context, v *string) (*string, error) { return v, nil }
func (h *host) EchoColor(_ context.Context, v conformance.Color) (conformance.Color, error) {
	return v, nil
}
func (h *host) EchoCounts(_ context.Context, v map[string]int64) (map[string]int64, error) {
	return v, nil
}
func (h *host) EchoTime(_ context.Context, v time.Time) (time.Time, error) { return v, nil }
func (h *host) EchoDuration(_ context.Context, v time.Duration) (time.Duration, error) {
	return v, nil
}
func (h *host) EchoJSON(_ context.Context, v json.RawMessage) (json.RawMessage, error) {
	return v, nil
}
func (h *host) EchoRaw(_ context.Context, v json.RawMessage) (json.RawMessage, error) {
	return v, nil
}
func (h *host) EchoShape(_ context.Context, s conformance.Shape) (conformance.Shape, error) {
	if h.shape != nil {
		s = h.shape(s)
	}
	return s, nil
}
func (h *host) Many(_ context.Context, a int8, b uint16, c int32, d int64, e float64, f bool, g, i, j, k, l, m string) (string, error) {
	return fmt.Sprintf("%d %d %d %d %v %t %s|%s|%s|%s|%s|%s", a, b, c, d, e, f, g, i, j, k, l, m), nil
}
func (h *host) Bundle(_ context.Context, id int8, s, m conformance.Shape, d conformance.Drawing, v []conformance.Shape, name string) (int8, conformance.Shape, conformance.Shape, conformance.Drawing, []conformance.Shape, string, error) {
	return id, s, m, d, v, name, nil
}
func (h *host) Divmod(_ context.Context, a, b int64) (int64, int64, error) { return a / b, a % b, nil }
func (h *host) Note(_ context.Context, s string) error {
	h.notes = append(h.notes, s)
	return nil
}
func (h *host) Notes(context.Context) ([]string, error)            { return h.notes, nil }
func (h *host) Fail(_ context.Context, msg string) (string, error) { return "", errors.New(msg) }
func (h *host) Check(_ context.Context, msg string) error {
	if msg == "" {
		return nil
	}
	return errors.New(msg)
}
func (h *host) Lookup(_ context.Context, key string) (string, error) {
	if h.missing != nil {
		return "", h.missing
	}
	if key == "" {
		return "", nil
	}
	return "", fmt.Errorf("looking up: %w", &conformance.NotFound{Key: key, Code: 404, Message: "not found: " + key})
}
func (h *host) Crash(context.Context, string) error          { return h.rejected }
func (h *host) WrongType(context.Context) (int32, error)     { return 0, h.rejected }
func (h *host) WrongResult(context.Context) ([]int32, error) { return nil, h.rejected }
func (h *host) Reenter(ctx context.Context, depth int32) (int32, error) {
	deeper, err := h.reenter(ctx, depth-1)
	return deeper + 1, err
}

func open(t testing.TB) *undergo.Plugin {
	t.Helper()
	plugin, err := undergo.Open(context.Background(), os.Getenv("UNDERGO_CONFORMANCE_WASM"), undergo.WithCompile(undergo.CompileBest))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plugin.Close() })
	return plugin
}

func client(t testing.TB) (*conformance.Guest, *host) {
	t.Helper()
	functions := &host{rejected: errors.New("rejected by the host")}
	instance, err := open(t).Instantiate(context.Background(), conformance.WithHost(functions), undergo.WithStderr(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = instance.Close() })
	made, err := conformance.NewGuest(instance)
	if err != nil {
		t.Fatal(err)
	}
	functions.reenter = made.Reenter
	return made, functions
}

func TestClientCalls(t *testing.T) {
	guest, functions := client(t)
	ctx := context.Background()
	zip, email, level := uint32(12345), "ada@example.com", conformance.LevelHigh
	ada := conformance.Person{
		Name: "Ada", Email: &email, Age: 36, Tags: []string{"math", "ünïcode", ""}, Home: conformance.Address{Street: "Main", Zip: &zip},
		Others: []conformance.Address{{Street: ""}, {Street: "Second", Zip: &zip}}, Scores: map[string]float64{"chess": 1.5, "go": -0.5},
		Favorite: conformance.ColorDarkBlue, Level: &level, Born: time.Date(1815, 12, 10, 1, 2, 3, 4, time.UTC), Nap: time.Minute, UserID: 7,
	}
	same := func(name string, got any, err error, wanted any) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s: %+v is not %+v, %v", name, got, wanted, err)
		}
	}
	person, err := guest.EchoPerson(ctx, ada)
	same("a record", person, err, ada)
	person, err = guest.PersonThroughHost(ctx, ada)
	same("a record through the host", person, err, ada)
	people, err := guest.EchoPeople(ctx, []conformance.Person{ada, ada})
	same("records", people, err, []conformance.Person{ada, ada})
	none, err := guest.EchoPeople(ctx, nil)
	same("no records", none, err, []conformance.Person{})
	text, err := guest.EchoString(ctx, "hello")
	same("a text", text, err, "hello")
	long := strings.Repeat("long ", 100_000)
	text, err = guest.EchoString(ctx, long)
	same("a long text", text, err, long)
	lists, err := guest.EchoStringLists(ctx, [][]string{{"a"}, {}, {"b", ""}})
	same("lists of lists", lists, err, [][]string{{"a"}, {}, {"b", ""}})
	ints, err := guest.EchoInt64s(ctx, []int64{1, -1})
	same("numbers", ints, err, []int64{1, -1})
	flags := map[bool]map[string]conformance.Point{true: {"x": {X: 1, Y: 2, Tag: 3}}, false: {}}
	gotFlags, err := guest.EchoFlags(ctx, flags)
	same("maps of maps", gotFlags, err, flags)
	maybe, err := guest.MaybeStrings(ctx, &[]string{"a"})
	same("an optional list", maybe, err, &[]string{"a"})
	nothing, err := guest.MaybeStrings(ctx, nil)
	same("nothing", nothing, err, (*[]string)(nil))
	encoded, err := guest.EchoRaw(ctx, json.RawMessage(`{"a":[1]}`))
	same("JSON", string(encoded), err, `{"a":[1]}`)
	q, r, err := guest.DivmodThroughHost(ctx, 17, 5)
	same("several results", []int64{q, r}, err, []int64{3, 2})
	many, err := guest.ManyThroughHost(ctx)
	same("many parameters", many, err, "-1 2 -3 4 0.5 true g||i|j|k|ü")
	if err := guest.Fail(ctx, "no luck"); !errors.Is(err, undergo.ErrGuestError) || err.Error() != "no luck" {
		t.Error(err)
	}
	if depth, err := guest.Reenter(ctx, 20); err != nil || depth != 20 {
		t.Error(depth, err)
	}
	if _, err := guest.EchoColor(ctx, conformance.Color(99)); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
	if err := guest.Crash(ctx, "x"); !errors.Is(err, functions.rejected) {
		t.Error(err)
	}
}

func TestClientOfAPool(t *testing.T) {
	pool, err := open(t).Pool(context.Background(), undergo.PoolOptions{Size: 2}, conformance.WithHost(&host{}))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	guest, err := conformance.NewGuest(pool)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for i := range 8 {
		go func() {
			sum, err := guest.SumInGoroutines(context.Background(), int32(i))
			if err == nil && sum != int64(i*(i+1)/2) {
				err = fmt.Errorf("the sum is %d", sum)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Calls that are alone have a place of their own, which nobody else may use.
func TestClientFromManyGoroutines(t *testing.T) {
	guest, functions := client(t)
	ctx := context.Background()
	var all sync.WaitGroup
	for i := range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range 200 {
				wanted := fmt.Sprintf("%d of %d", n, i)
				if text, err := guest.EchoString(ctx, wanted); text != wanted || err != nil {
					t.Errorf("%q is not %q, %v", text, wanted, err)
				}
				if n%20 == 0 {
					if depth, err := functions.reenter(ctx, 5); depth != 5 || err != nil {
						t.Error(depth, err)
					}
				}
			}
		}()
	}
	all.Wait()
}

func TestEnumsAreTexts(t *testing.T) {
	encoded, err := json.Marshal(map[string]conformance.Color{"c": conformance.ColorDarkBlue})
	if err != nil || string(encoded) != `{"c":"dark-blue"}` {
		t.Error(string(encoded), err)
	}
	var color conformance.Color
	if err := json.Unmarshal([]byte(`"dark-blue"`), &color); err != nil || color != conformance.ColorDarkBlue {
		t.Error(color, err)
	}
	if err := json.Unmarshal([]byte(`"purple"`), &color); err == nil || !strings.Contains(err.Error(), "purple") {
		t.Error(err)
	}
	if text := conformance.Color(99).String(); text != "color(99)" {
		t.Error(text)
	}
}

func TestClientOfAnotherPlugin(t *testing.T) {
	ctx := context.Background()
	other, err := undergo.Open(ctx, os.Getenv("UNDERGO_HOSTILE_WASM"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, err = other.Instantiate(ctx, conformance.WithHost(&host{}))
	if !errors.Is(err, undergo.ErrSignatureMismatch) || !strings.Contains(err.Error(), "fail(msg: string)") {
		t.Error(err)
	}
	instance, err := other.Instantiate(ctx, undergo.WithImport("host", "do", func(string, int64) string { return "" }),
		undergo.WithImport("host", "echo", func(s string) string { return s }), undergo.WithImport("host", "fail", func() {}))
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	if _, err := conformance.NewGuest(instance); !errors.Is(err, undergo.ErrSignatureMismatch) || !strings.Contains(err.Error(), "echo-person") {
		t.Error(err)
	}
}

func BenchmarkAdd(b *testing.B) {
	guest, _ := client(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if v, err := guest.Pass(ctx, 1); v != 2 || err != nil {
			b.Fatal(v, err)
		}
	}
}

func BenchmarkAddWithADeadline(b *testing.B) {
	guest, _ := client(b)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if v, err := guest.Pass(ctx, 1); v != 2 || err != nil {
			b.Fatal(v, err)
		}
	}
}

func BenchmarkString(b *testing.B) {
	guest, _ := client(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if text, err := guest.EchoString(ctx, "hello, world"); len(text) != 12 || err != nil {
			b.Fatal(text, err)
		}
	}
}
