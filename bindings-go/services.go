package undergo

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"unsafe"
)

// KeyValue has stores of keys and values, for plugins that import wasi:keyvalue: see
// [WithKeyValue]. Any number of goroutines may use it.
type KeyValue struct{ handle uintptr }

// KeyValueOptions says where stores are, and what they have room for. The zero value is one store
// in memory, called default.
type KeyValueOptions struct {
	// Redis is where the stores are: redis://[user:password@]host[:port][/database]. They are in
	// this process's memory if it is empty. The key k of the store s is s:k there.
	Redis string
	// Stores are the names of the stores that a plugin can open: default, if there are none.
	Stores []string
	// Entries is how many keys there may be in memory, in all stores together: 100,000 if it is 0.
	Entries uint64
	// Bytes is how many bytes these and their values may have, and an answer of Redis: 64 MiB if
	// it is 0.
	Bytes uint64
}

// NewKeyValue makes stores. Redis is connected to when a plugin needs it.
func NewKeyValue(options KeyValueOptions) (*KeyValue, error) {
	if err := library(); err != nil {
		return nil, err
	}
	var redis []byte
	if options.Redis != "" {
		redis = cText(options.Redis)
	}
	places := make([]uintptr, 0, len(options.Stores)+1)
	var texts [][]byte
	for _, name := range options.Stores {
		text := cText(name)
		texts, places = append(texts, text), append(places, address(text))
	}
	made := new(uintptr)
	failed, _ := theLibrary.keyvalue_new.call(
		address(redis), uintptr(unsafe.Pointer(unsafe.SliceData(places))), uintptr(len(places)),
		uintptr(options.Entries), uintptr(options.Bytes), uintptr(unsafe.Pointer(made)))
	runtime.KeepAlive(texts)
	if err := taken(failed); err != nil {
		return nil, err
	}
	found := &KeyValue{*made}
	runtime.AddCleanup(found, func(handle uintptr) { theLibrary.keyvalue_delete.call(handle) }, found.handle)
	return found, nil
}

// Get gives the value of a key of a store; nil if there is none.
func (k *KeyValue) Get(store, key string) ([]byte, error) {
	defer runtime.KeepAlive(k)
	storeText, keyText, found := cText(store), cText(key), new(uintptr)
	failed, _ := theLibrary.keyvalue_get.call(k.handle, address(storeText), address(keyText), uintptr(unsafe.Pointer(found)))
	if err := taken(failed); err != nil || *found == 0 {
		return nil, err
	}
	defer theLibrary.value_delete.call(*found)
	bytes := new(cList)
	theLibrary.value_get_bytes.call(*found, uintptr(unsafe.Pointer(bytes)))
	return content(bytes.at, bytes.length), nil
}

// Set sets the value of a key of a store.
func (k *KeyValue) Set(store, key string, value []byte) error {
	defer runtime.KeepAlive(k)
	storeText, keyText := cText(store), cText(key)
	failed, _ := theLibrary.keyvalue_set.call(k.handle, address(storeText), address(keyText), address(value), uintptr(len(value)))
	return taken(failed)
}

// WithKeyValue gives the plugin wasi:keyvalue: store, batch and atomics. What has the same stores
// shares them.
func WithKeyValue(stores *KeyValue) Option {
	return func(c *config) error {
		defer runtime.KeepAlive(stores)
		failed, _ := theLibrary.imports_keyvalue.call(c.imports, stores.handle)
		return taken(failed)
	}
}

// WithConfig gives the plugin wasi:config with these values.
func WithConfig(values map[string]string) Option {
	get := func(key string) *string {
		if value, ok := values[key]; ok {
			return &value
		}
		return nil
	}
	type entry struct{ Key, Value string }
	all := func() []entry {
		entries := make([]entry, 0, len(values))
		for key, value := range values {
			entries = append(entries, entry{key, value})
		}
		return entries
	}
	var options []Option
	for _, module := range []string{"wasi:config/store", "wasi:config/runtime"} {
		options = append(options, WithImport(module, "get", get), WithImport(module, "get-all", all))
	}
	return Options(options...)
}

// The levels that slog has no names for.
const (
	levelTrace    = slog.LevelDebug - 4
	levelCritical = slog.LevelError + 4
)

// WithLogging gives the plugin wasi:logging, whose lines go to a logger, with the plugin's context
// as an attribute. Critical is 4 above [slog.LevelError], and trace 4 below [slog.LevelDebug].
// Control characters, and those that begin a line, are escaped, and of a longer text the first 64
// KiB are logged.
func WithLogging(logger *slog.Logger) Option {
	levels := map[string]slog.Level{
		"trace": levelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo,
		"warn": slog.LevelWarn, "error": slog.LevelError, "critical": levelCritical,
	}
	log := func(ctx context.Context, level, from, message string) {
		found, ok := levels[level]
		if !ok {
			found = slog.LevelInfo
		}
		if logger.Enabled(ctx, found) {
			logger.LogAttrs(ctx, found, plain(message), slog.String("context", plain(from)))
		}
	}
	return WithImport("wasi:logging/logging", "log", log)
}

// mostLogged is how many bytes of a text are logged.
const mostLogged = 64 << 10

// plain is a text in one line, without what would change a terminal.
func plain(text string) string {
	if len(text) > mostLogged {
		text = strings.ToValidUTF8(text[:mostLogged], "") + "…"
	}
	var out strings.Builder
	for _, c := range text {
		switch {
		case c == '\t':
			out.WriteRune(c)
		case c < 0x20, c >= 0x7f && c < 0xa0, c >= 0x2028 && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
			out.WriteString(`\u{`)
			const digits = "0123456789abcdef"
			for shift := 12; shift >= 0; shift -= 4 {
				if c>>shift != 0 || shift == 0 {
					out.WriteByte(digits[c>>shift&0xf])
				}
			}
			out.WriteByte('}')
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}
