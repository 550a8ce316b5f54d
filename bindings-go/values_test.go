package undergo

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestTypedValues(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	zip, email := uint32(12345), "ada@example.com"
	ada := person{
		Name: "Ada", Email: &email, Age: 36, Tags: []string{"math", "ünïcode"}, Home: residence{"Main", &zip}, Others: []residence{{"Second", nil}}, Scores: map[string]float64{"chess": 1.5},
		Favorite: "red", Born: time.Date(1815, 12, 10, 0, 0, 0, 5, time.FixedZone("", 3600)), Nap: time.Second, UserID: math.MaxUint32,
	}
	back, err := Call[person](ctx, inst, "EchoPerson", &ada)
	if err != nil || !back.Born.Equal(ada.Born) {
		t.Fatal(err)
	}
	back.Born = ada.Born
	if !reflect.DeepEqual(back, ada) {
		t.Errorf("%+v is not %+v", back, ada)
	}
	if q, r, err := Call2[int, int64](ctx, inst, "divmod", 17, uint8(5)); err != nil || q != 3 || r != 2 {
		t.Error(q, r, err)
	}
	if both, err := Call[struct{ Q, R int64 }](ctx, inst, "divmod", 17, 5); err != nil || both.Q != 3 || both.R != 2 {
		t.Error(both, err)
	}
	if ints, err := Call[[]int64](ctx, inst, "echo-int64s", []int{1, -2, 3}); err != nil || !reflect.DeepEqual(ints, []int64{1, -2, 3}) {
		t.Error(ints, err)
	}
	if array, err := Call[[3]int64](ctx, inst, "echo-int64s", [3]int8{1, -2, 3}); err != nil || array != [3]int64{1, -2, 3} {
		t.Error(array, err)
	}
	large := strings.Repeat("x", 1<<20)
	if same, err := Call[string](ctx, inst, "echo-string", large); err != nil || same != large {
		t.Error(len(same), err)
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	mismatch := func(name string, err error, parts ...string) {
		t.Helper()
		var failed *Error
		if !errors.Is(err, ErrTypeMismatch) || !errors.As(err, &failed) {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v misses %s", name, err, part)
			}
		}
	}
	_, err := Call[int8](ctx, inst, "echo-int64", 128)
	mismatch("a small variable", err, "echo-int64(result)", "128", "int8")
	_, err = Call[string](ctx, inst, "echo-int64", 1)
	mismatch("another type", err, "s64", "string")
	_, err = Call[[2]int64](ctx, inst, "echo-int64s", []int64{1})
	mismatch("a longer array", err, "[2]int64")
	_, err = Call[struct{ Name string }](ctx, inst, "echo-person", person{Favorite: "red"})
	mismatch("a smaller struct", err, "no field for age")
	_, err = Call[any](ctx, inst, "echo-person", struct{ Name, More string }{})
	mismatch("a field too many", err, "More")
	_, err = Call[any](ctx, inst, "echo-string", "\xff")
	mismatch("no UTF-8", err, "UTF-8")
	_, err = Call[any](ctx, inst, "echo-string", nil)
	mismatch("nothing", err, "nothing")
	_, err = Call[any](ctx, inst, "echo-string", (*string)(nil))
	mismatch("a nil pointer", err, "*string")
	_, err = Call[int](ctx, inst, "nothing")
	mismatch("no result", err, "Do")
	_, _, _, err = Call3[int, int, int](ctx, inst, "divmod", 1, 1)
	mismatch("three of two", err, "3 values")
	if err := inst.Do(ctx, "nothing"); err != nil {
		t.Error("the instance ended:", err)
	}
}

func TestMemory(t *testing.T) {
	inst, ctx := instance(t, conformance(t), (&conformanceRunner{}).options()), context.Background()
	size, err := inst.MemorySize(ctx)
	if err != nil || size == 0 {
		t.Fatal(size, err)
	}
	old, err := inst.ReadMemory(ctx, uint32(size-8), 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.WriteMemory(ctx, uint32(size-8), []byte("12345678")); err != nil {
		t.Error(err)
	}
	if found, err := inst.ReadMemory(ctx, uint32(size-8), 8); err != nil || string(found) != "12345678" {
		t.Error(found, err)
	}
	if err := inst.WriteMemory(ctx, uint32(size-8), old); err != nil {
		t.Error(err)
	}
	if _, err := inst.ReadMemory(ctx, uint32(size-8), 9); !errors.Is(err, ErrTypeMismatch) {
		t.Error(err)
	}
	if err := inst.WriteMemory(ctx, math.MaxUint32, []byte("x")); !errors.Is(err, ErrTypeMismatch) {
		t.Error(err)
	}
}

func TestWhatPluginsSay(t *testing.T) {
	plugin := conformance(t)
	if plugin.Name() != "conformance.wasm" || plugin.Kind() != "reactor" || !strings.Contains(plugin.Interface(), "export echo-person") || !strings.HasPrefix(plugin.GoVersion(), "go1.") {
		t.Error(plugin.Name(), plugin.Kind(), plugin.GoVersion())
	}
	found := false
	for _, export := range plugin.Exports() {
		found = found || export.Name == "divmod" && export.Signature == "divmod(a: s64, b: s64) -> tuple<s64, s64>" && strings.Contains(export.Docs, "divides a by b")
	}
	if !found {
		t.Error("divmod is not described")
	}
	if err := plugin.WaitCompiled(); err != nil {
		t.Error(err)
	}
	if best, err := plugin.IsBest(); err != nil || !best {
		t.Error(best, err)
	}
	inst := instance(t, plugin, (&conformanceRunner{}).options(), WithFuel(1<<40))
	if err := inst.Do(context.Background(), "churn", 10); err != nil {
		t.Error(err)
	}
	if usage, err := inst.Usage(); err != nil || usage.Time <= 0 || usage.Memory == 0 || !usage.HasFuel || usage.Fuel == 0 {
		t.Error(usage, err)
	}
}
