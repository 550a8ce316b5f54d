package undergo_test

import (
	"context"
	"path/filepath"
	"testing"

	undergo "github.com/undergo-dev/undergo/bindings-go"
	"github.com/undergo-dev/undergo/bindings-go/internal/items"
)

// ranked is an object for a component.
type ranked struct{ n uint32 }

func (r *ranked) Rank(context.Context) (uint32, error) { return r.n, nil }

// shop is what the component imports.
type shop struct{ stored []items.Item }

func (s *shop) Item(_ context.Context, name string) (items.Item, error) {
	return &ranked{uint32(len(name))}, nil
}
func (s *shop) ItemOpen(_ context.Context, n uint32) (items.Item, error) { return &ranked{n}, nil }
func (s *shop) Store(_ context.Context, item items.Item) error {
	s.stored = append(s.stored, item)
	return nil
}

func (s *shop) Compare(ctx context.Context, a, b items.Item) (uint32, error) {
	one, err := a.Rank(ctx)
	if err != nil || one >= b.(*ranked).n {
		return 0, err
	}
	return 1, nil
}

func TestClientObjectsOfAComponent(t *testing.T) {
	ctx := context.Background()
	plugin, err := undergo.Open(ctx, filepath.Join("..", "conformance", "components", "items.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plugin.Close() }()
	host := &shop{}
	inst, err := plugin.Instantiate(ctx, items.WithTestItemsHost(host))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inst.Close() }()
	client, err := items.NewRoot(inst)
	if err != nil {
		t.Fatal(err)
	}
	own := &ranked{6}
	if rank, err := client.Peek(ctx, own); rank != 6 || err != nil {
		t.Error(rank, err)
	}
	if rank, err := client.Made(ctx, true); rank != 20 || err != nil {
		t.Error(rank, err)
	}
	if order, err := client.Order(ctx, own, &ranked{7}); order != 1 || err != nil {
		t.Error(order, err)
	}
	if back, err := client.Back(ctx, own); back != own || err != nil {
		t.Error(back, err)
	}
	if err := client.PassOn(ctx, own); err != nil || len(host.stored) != 1 || host.stored[0] != own {
		t.Error(host.stored, err)
	}
}
