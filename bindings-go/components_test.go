package undergo

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// item is an object for a component.
type item struct{ rank uint32 }

func (i *item) Rank() uint32 { return i.rank }

func itemsComponent(t testing.TB, options ...Option) *Instance {
	t.Helper()
	plugin, err := Open(context.Background(), filepath.Join("..", "conformance", "components", "items.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plugin.Close() })
	return instance(t, plugin, options...)
}

func TestObjectsComeBackFromComponents(t *testing.T) {
	const host = "test:items/host"
	var stored []*item
	before := held()
	inst := itemsComponent(t,
		WithImport(host, "item", func(name string) *item { return &item{uint32(len(name))} }),
		WithImport(host, "item-open", func(rank uint32) *item { return &item{rank} }),
		WithImport(host, "compare", func(a *item, b interface{ Rank() uint32 }) uint32 {
			if a.rank < b.Rank() {
				return 1
			}
			return 0
		}),
		WithImport(host, "store", func(given any) { stored = append(stored, given.(*item)) }))
	given := held()
	ctx := context.Background()
	for name, call := range map[string]struct {
		arguments []any
		wanted    uint32
	}{
		"peek":  {[]any{&item{3}}, 3},
		"take":  {[]any{&item{4}}, 4},
		"made":  {[]any{false}, 5},
		"order": {[]any{&item{1}, &item{2}}, 1},
		"all":   {[]any{[]*item{{1}, {2}}}, 3},
	} {
		if got, err := Call[uint32](ctx, inst, name, call.arguments...); got != call.wanted || err != nil {
			t.Error(name, got, err)
		}
	}
	if got, err := Call[uint32](ctx, inst, "made", true); got != 20 || err != nil {
		t.Error(got, err)
	}
	own := &item{6}
	if back, err := Call[*item](ctx, inst, "back", own); back != own || err != nil {
		t.Error(back, err)
	}
	if back, err := Call[any](ctx, inst, "back", own); back != own || err != nil {
		t.Error(back, err)
	}
	if err := inst.Do(ctx, "pass-on", own); err != nil || len(stored) != 1 || stored[0] != own {
		t.Error(stored, err)
	}
	if err := inst.Do(ctx, "hold", own); err != nil || inst.Handles().Held != 1 || held() != given+1 {
		t.Error(inst.Handles(), held(), err)
	}
	if err := inst.Do(ctx, "let-go"); err != nil || inst.Handles().Held != 0 || held() != given {
		t.Error(inst.Handles(), held(), err)
	}
	if _, err := Call[*strings.Builder](ctx, inst, "back", own); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	if err := inst.Close(); err != nil || held() != before {
		t.Error(err, held(), before)
	}
}

func TestWhatComponentsCanNotHaveIsRefused(t *testing.T) {
	inst := itemsComponent(t,
		WithImport("test:items/host", "item", func(string) *item { return nil }),
		WithImport("test:items/host", "item-open", func(uint32) *item { return nil }),
		WithImport("test:items/host", "compare", func(a, b *strings.Builder) uint32 { return 0 }),
		WithImport("test:items/host", "store", func(*item) {}))
	ctx := context.Background()
	if err := inst.Do(ctx, "peek", 5); kindOf(t, err) != KindTypeMismatch {
		t.Error(err)
	}
	// What comes back is of the type that was given.
	err := inst.Do(ctx, "order", &item{1}, &item{2})
	if kindOf(t, err) != KindTypeMismatch || !strings.Contains(err.Error(), "strings.Builder") {
		t.Error(err)
	}
}
