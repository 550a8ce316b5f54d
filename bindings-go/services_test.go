package undergo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

func services(t *testing.T, options ...Option) *Instance {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	all := []Option{WithKeyValue(stores(t, KeyValueOptions{})), WithConfig(nil), WithLogging(logger)}
	return instance(t, guest(t, "UNDERGO_SERVICES_WASM"), append(all, options...)...)
}

func stores(t *testing.T, options KeyValueOptions) *KeyValue {
	t.Helper()
	found, err := NewKeyValue(options)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestKeysAndValues(t *testing.T) {
	ctx := context.Background()
	shared := stores(t, KeyValueOptions{Stores: []string{"a", "b"}, Bytes: 1 << 20})
	one, other := services(t, WithKeyValue(shared)), services(t, WithKeyValue(shared))
	if err := one.Do(ctx, "set", "a", "k", "a value"); err != nil {
		t.Fatal(err)
	}
	if got, err := Call[*string](ctx, other, "get", "a", "k"); err != nil || got == nil || *got != "a value" {
		t.Errorf("got %v, %v", got, err)
	}
	if value, err := shared.Get("a", "k"); string(value) != "a value" || err != nil {
		t.Errorf("got %q, %v", value, err)
	}
	if value, err := shared.Get("a", "x"); value != nil || err != nil {
		t.Errorf("got %q, %v", value, err)
	}
	if err := shared.Set("b", "k", nil); err != nil {
		t.Error(err)
	}
	if err := shared.Set("c", "k", nil); err == nil || !strings.Contains(err.Error(), "no such store") {
		t.Error(err)
	}
	for _, name := range []string{"other", "../a", ""} {
		if found, err := Call[string](ctx, one, "failure", name); found != "no-such-store" || err != nil {
			t.Errorf("%q: %v, %v", name, found, err)
		}
	}
	if err := one.Do(ctx, "large", "a", 1, 2<<20); err == nil || !strings.Contains(err.Error(), "may have 1048576") {
		t.Error(err)
	}
	if found, err := Call[string](ctx, one, "swap", "a", "s", "3", "2"); found != "2" || err != nil {
		t.Error(found, err)
	}
	if _, err := NewKeyValue(KeyValueOptions{Redis: "http://x"}); err == nil {
		t.Error("that is no address of Redis")
	}
}

func TestASlowRedisEndsWithTheCall(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	slow := stores(t, KeyValueOptions{Redis: "redis://" + listener.Addr().String()})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := services(t, WithKeyValue(slow)).Do(ctx, "get", "default", "k"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestConfiguration(t *testing.T) {
	ctx := context.Background()
	values := map[string]string{"a": "1", "ü": ""}
	guest := services(t, WithConfig(values))
	if one, err := Call[*string](ctx, guest, "config", "a"); err != nil || one == nil || *one != "1" {
		t.Errorf("got %v, %v", one, err)
	}
	if all, err := Call[map[string]string](ctx, guest, "configs"); err != nil || !reflect.DeepEqual(all, values) {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestLogging(t *testing.T) {
	ctx := context.Background()
	var out bytes.Buffer
	handler := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	guest := services(t, WithLogging(slog.New(handler)))
	for level := range 6 {
		if err := guest.Do(ctx, "log", level, "from", "a\x1b[31m\nb"); err != nil {
			t.Fatal(err)
		}
	}
	line := ` msg=a\u{1b}[31m\u{a}b context=from` + "\n"
	want := "level=INFO" + line + "level=WARN" + line + "level=ERROR" + line + "level=ERROR+4" + line
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}
