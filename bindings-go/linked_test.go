package undergo

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// bare makes a plugin of a module that is written out.
func bare(t *testing.T, module string) *Plugin {
	t.Helper()
	bytes, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(module), ""))
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := OpenBytes(context.Background(), "bare.wasm", bytes)
	if err != nil {
		t.Fatal(err)
	}
	return plugin
}

const (
	// counterModule exports size, which gives 7, and spin, which does not end.
	counterModule = `
		AGFzbQEAAAABFARgAABgBH9/f38Bf2AAAX9gAAF/AwUEAAECAwUDAQABBzUFBm1lbW9yeQIAC19pbml0aWFsaXplAAAMY2FiaV9yZWFsbG9j
		AAEEc2l6ZQACBHNwaW4AAwoYBAIACwQAQRALBABBBwsJAANADAALQQAL`
	// userModule imports both of "counter", and calls them by go and wait.
	userModule = `
		AGFzbQEAAAABHAZgAAF/YAABf2AAAGAEf39/fwF/YAABf2AAAX8CHwIHY291bnRlcgRzaXplAAAHY291bnRlcgRzcGluAAEDBQQCAwQFBQMB
		AAEHMwUGbWVtb3J5AgALX2luaXRpYWxpemUAAgxjYWJpX3JlYWxsb2MAAwJnbwAEBHdhaXQABQoTBAIACwQAQRALBAAQAAsEABABCw==`
	// otherModule imports a size of another type.
	otherModule = `
		AGFzbQEAAAABFARgAAF+YAAAYAR/f39/AX9gAAF+AhABB2NvdW50ZXIEc2l6ZQAAAwQDAQIDBQMBAAEHLAQGbWVtb3J5AgALX2luaXRpYWxp
		emUAAQxjYWJpX3JlYWxsb2MAAgJnbwADCg4DAgALBABBEAsEABAACw==`
)

func TestInstancesAreLinked(t *testing.T) {
	counter := instance(t, bare(t, counterModule))
	user := bare(t, userModule)
	linked := instance(t, user, WithLink("counter", counter))
	ctx := context.Background()
	if size, err := Call[int32](ctx, linked, "go"); err != nil || size != 7 {
		t.Fatal(size, err)
	}
	pool, err := user.Pool(ctx, PoolOptions{Size: 2}, WithLink("counter", counter))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			if size, err := Call[int32](ctx, pool, "go"); err != nil || size != 7 {
				t.Error(size, err)
			}
		}()
	}
	group.Wait()
	// The link has what it needs.
	if err := counter.Close(); err != nil {
		t.Fatal(err)
	}
	if size, err := Call[int32](ctx, linked, "go"); err != nil || size != 7 {
		t.Error(size, err)
	}
	if _, err := user.Instantiate(ctx, WithLink("counter", counter)); !errors.Is(err, ErrDeadInstance) {
		t.Error(err)
	}
}

func TestLinksOfOtherTypesAreRefused(t *testing.T) {
	_, err := bare(t, otherModule).Instantiate(context.Background(), WithLink("counter", instance(t, bare(t, counterModule))))
	if !errors.Is(err, ErrSignatureMismatch) || !strings.Contains(err.Error(), "the import is counter.size() -> i64") {
		t.Error(err)
	}
}

func TestDeadlinesPassThroughLinks(t *testing.T) {
	counter := instance(t, bare(t, counterModule))
	linked := instance(t, bare(t, userModule), WithLink("counter", counter))
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := linked.Do(ctx, "wait"); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	if counter.Alive() || linked.Alive() {
		t.Error("one of them lives")
	}
}

func TestInstancesOfAPoolAreNotLinked(t *testing.T) {
	pool, err := bare(t, counterModule).Pool(context.Background(), PoolOptions{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	lent, err := pool.Take(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer lent.Close()
	if _, err := bare(t, userModule).Instantiate(context.Background(), WithLink("counter", lent)); !errors.Is(err, ErrTypeMismatch) {
		t.Error(err)
	}
}
