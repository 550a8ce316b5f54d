package undergo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	undergo "github.com/undergo-dev/undergo/bindings-go"
	"github.com/undergo-dev/undergo/bindings-go/internal/conformance"
)

func TestClientObjects(t *testing.T) {
	guest, _ := client(t)
	ctx := context.Background()
	tally, err := guest.NewTally(ctx, 5)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := tally.Add(ctx, 3); sum != 8 || err != nil {
		t.Error(sum, err)
	}
	if _, err := tally.Take(ctx, 9); !errors.Is(err, undergo.ErrGuestError) {
		t.Error(err)
	}
	if _, err := guest.NewTally(ctx, -1); !errors.Is(err, undergo.ErrGuestError) {
		t.Error(err)
	}
	other, err := guest.CountUp(ctx, 3)
	if err != nil || len(other) != 3 {
		t.Fatal(other, err)
	}
	if err := guest.AddAll(ctx, other, tally, 10); err != nil {
		t.Error(err)
	}
	if err := guest.AddAll(ctx, nil, nil, 10); err != nil {
		t.Error(err)
	}
	if sum, err := guest.SumTallies(ctx, tally, other[2]); sum != 18+12 || err != nil {
		t.Error(sum, err)
	}
	if _, err := guest.SumTallies(ctx, tally, nil); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
	if nothing, err := guest.MaybeTally(ctx, 0); nothing != nil || err != nil {
		t.Error(nothing, err)
	}
	// Also without the client's methods.
	if value, err := undergo.Call[int](ctx, tally, "Value"); value != 18 || err != nil {
		t.Error(value, err)
	}
	made, err := guest.NewCounting(ctx, "x", 5)
	if err != nil || made.Spare != nil || len(made.Others) != 2 || made.Named["a"] == nil {
		t.Fatal(made, err)
	}
	best, ok := made.Best.(conformance.BestTally)
	if !ok {
		t.Fatal(made.Best)
	}
	if value, err := best.Value.Value(ctx); value != 5 || err != nil {
		t.Error(value, err)
	}
	made.Best = conformance.Guess(100)
	if sum, err := guest.SumCounting(ctx, made); sum != 112 || err != nil {
		t.Error(sum, err)
	}
	if _, err := made.Main.Value(ctx); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
	if err := tally.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tally.Value(ctx); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
}

// shelf is a store of the host's.
type shelf map[string]string

func (s shelf) Get(_ context.Context, key string) (string, error) {
	if text, ok := s[key]; ok {
		return text, nil
	}
	return "", fmt.Errorf("no such key: %s", key)
}

func (s shelf) Put(_ context.Context, key, value string) error {
	s[key] = value
	return nil
}

func (s shelf) Size(context.Context) (int64, error) { return int64(len(s)), nil }

func (s shelf) Child(_ context.Context, name string) (conformance.Store, error) {
	return shelf{"name": name}, nil
}

func TestClientObjectsOfTheHost(t *testing.T) {
	guest, _ := client(t)
	ctx, store := context.Background(), shelf{}
	if err := guest.StorePut(ctx, store, "a", "x"); err != nil || store["a"] != "x" {
		t.Error(store, err)
	}
	if _, err := guest.StoreGet(ctx, store, "b"); !errors.Is(err, undergo.ErrGuestError) || !strings.Contains(err.Error(), "no such key: b") {
		t.Error(err)
	}
	if sum, err := guest.SumSizes(ctx, []conformance.Store{store, shelf{}}, nil); sum != 1 || err != nil {
		t.Error(sum, err)
	}
	if text, err := guest.ChildOfStore(ctx, store, "child"); text != "child" || err != nil {
		t.Error(text, err)
	}
	if sum, err := guest.SizeOfCupboard(ctx, conformance.Cupboard{Name: "c", Main: store, Spare: store}); sum != 2 || err != nil {
		t.Error(sum, err)
	}
	if _, err := guest.StoreGet(ctx, nil, "a"); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
	open := func(_ context.Context, name string) (conformance.Store, error) {
		if name == "" {
			return nil, errors.New("no name")
		}
		return shelf{"name": name}, nil
	}
	if text, err := guest.OpenAndGet(ctx, "x", "name", open); text != "x" || err != nil {
		t.Error(text, err)
	}
	if _, err := guest.OpenAndGet(ctx, "", "name", open); err == nil || !strings.Contains(err.Error(), "no name") {
		t.Error(err)
	}
}

func TestClientCallbacks(t *testing.T) {
	guest, _ := client(t)
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, int64(2))
	times := func(ctx context.Context, n int64) (int64, error) { return n * ctx.Value(key{}).(int64), nil }
	if found, err := guest.Apply(ctx, []int64{1, 2}, times); !slices.Equal(found, []int64{2, 4}) || err != nil {
		t.Error(found, err)
	}
	again := func(ctx context.Context, n int64) (int64, error) {
		found, err := guest.Apply(ctx, []int64{n}, times)
		return found[0], err
	}
	if found, err := guest.Compose(ctx, 3, again, times); found != 12 || err != nil {
		t.Error(found, err)
	}
	if _, err := guest.Apply(ctx, []int64{1}, nil); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
	failure := errors.New("mine")
	if _, err := guest.ApplyPlain(ctx, []int64{1}, func(context.Context, int64) (int64, error) { return 0, failure }); !errors.Is(err, failure) {
		t.Error(err)
	}
}

func TestClientIteratorsAndStreams(t *testing.T) {
	guest, _ := client(t)
	ctx := context.Background()
	numbers, err := guest.Numbers(ctx, 5000)
	if err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	for number, err := range numbers.All(ctx) {
		if number != next || err != nil {
			t.Fatal(number, err)
		}
		next++
	}
	entries, err := guest.Entries(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	if entry, ok, err := entries.Next(ctx); entry != (undergo.Pair[string, int32]{Key: "k0"}) || !ok || err != nil {
		t.Error(entry, ok, err)
	}
	if err := entries.Close(); err != nil {
		t.Error(err)
	}
	shapes, err := guest.DrawnShapes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var drawn []conformance.Shape
	for shape, err := range shapes.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		drawn = append(drawn, shape)
	}
	if !reflect.DeepEqual(drawn, []conformance.Shape{conformance.Circle{Radius: 1.5}, conformance.Label("c"), conformance.Empty{}}) {
		t.Error(drawn)
	}
	if sum, err := guest.SumItems(ctx, slices.Values([]int64{1, 2, 3})); sum != 6 || err != nil {
		t.Error(sum, err)
	}
	pairs := func(yield func(string, int32) bool) { _ = yield("a", 1) && yield("a", 2) }
	if found, err := guest.CollectEntries(ctx, pairs); found["a"] != 3 || err != nil {
		t.Error(found, err)
	}
	var none iter.Seq[int64]
	if _, err := guest.SumItems(ctx, none); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
	var copied bytes.Buffer
	if count, err := guest.CopyStream(ctx, &copied, strings.NewReader("abc")); count != 3 || err != nil || copied.String() != "abc" {
		t.Error(count, err)
	}
	stream, err := guest.UpperStream(ctx, io.LimitReader(strings.NewReader("abcdef"), 4))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := io.ReadAll(stream); string(found) != "ABCD" || err != nil {
		t.Error(found, err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	if _, err := guest.ReadStream(ctx, nil); !errors.Is(err, undergo.ErrTypeMismatch) {
		t.Error(err)
	}
}

func TestClientOfAPoolGivesNoHandles(t *testing.T) {
	ctx := context.Background()
	pool, err := open(t).Pool(ctx, undergo.PoolOptions{Size: 1}, conformance.WithHost(&host{}), undergo.WithStderr(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	guest, err := conformance.NewGuest(pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := guest.NewTally(ctx, 1); !errors.Is(err, undergo.ErrSignatureMismatch) {
		t.Error(err)
	}
	if sum, err := guest.SumItems(ctx, slices.Values([]int64{1, 2})); sum != 3 || err != nil {
		t.Error(sum, err)
	}
	lent, err := pool.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer lent.Close()
	of, err := conformance.NewGuest(lent)
	if err != nil {
		t.Fatal(err)
	}
	tally, err := of.NewTally(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if value, err := tally.Value(ctx); value != 1 || err != nil {
		t.Error(value, err)
	}
}
