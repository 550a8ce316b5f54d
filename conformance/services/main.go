// Services is a guest that uses what hosts give under standard names: wasi:keyvalue, wasi:config
// and wasi:logging.
package main

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	config "github.com/undergo-dev/undergo/conformance/services/host/config/store"
	"github.com/undergo-dev/undergo/conformance/services/host/keyvalue/atomics"
	"github.com/undergo-dev/undergo/conformance/services/host/keyvalue/batch"
	"github.com/undergo-dev/undergo/conformance/services/host/keyvalue/store"
	"github.com/undergo-dev/undergo/conformance/services/host/logging/logging"
)

// Get gives the value of a key.
//
//undergo:export
func Get(name, key string) (*string, error) {
	bucket, err := store.Open(name)
	if err != nil {
		return nil, err
	}
	value, err := bucket.Get(key)
	if value == nil {
		return nil, err
	}
	text := string(*value)
	return &text, err
}

// Set sets the value of a key.
//
//undergo:export
func Set(name, key, value string) error {
	bucket, err := store.Open(name)
	if err != nil {
		return err
	}
	return bucket.Set(key, []byte(value))
}

// Delete deletes a key, and says whether it was there.
//
//undergo:export
func Delete(name, key string) (bool, error) {
	bucket, err := store.Open(name)
	if err != nil {
		return false, err
	}
	exists, err := bucket.Exists(key)
	if err != nil {
		return false, err
	}
	return exists, bucket.Delete(key)
}

// Keys gives all keys of a store, and how many pages they came in.
//
//undergo:export
func Keys(name string) ([]string, int, error) {
	bucket, err := store.Open(name)
	if err != nil {
		return nil, 0, err
	}
	var keys []string
	pages := 0
	for cursor := (*string)(nil); ; pages++ {
		page, err := bucket.ListKeys(cursor)
		if err != nil {
			return nil, 0, err
		}
		keys = append(keys, page.Keys...)
		if cursor = page.Cursor; cursor == nil {
			return keys, pages + 1, nil
		}
	}
}

// Fill sets so many keys at once, and gives the sum of what it reads of them at once.
//
//undergo:export
func Fill(name string, count int) (int, error) {
	bucket, err := store.Open(name)
	if err != nil {
		return 0, err
	}
	entries := make([]batch.TupleStringListByte, count)
	keys := make([]string, count)
	for i := range entries {
		keys[i] = fmt.Sprintf("key%d", i)
		entries[i] = batch.TupleStringListByte{F0: keys[i], F1: []byte{1}}
	}
	if err := batch.SetMany(bucket, entries); err != nil {
		return 0, err
	}
	found, err := batch.GetMany(bucket, append(keys, "none"))
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, entry := range found {
		if entry != nil {
			sum += int(entry.F1[0])
		}
	}
	return sum, batch.DeleteMany(bucket, keys)
}

// Again reads one key so many times at once.
//
//undergo:export
func Again(name, key string, count int) error {
	bucket, err := store.Open(name)
	if err != nil {
		return err
	}
	keys := make([]string, count)
	for i := range keys {
		keys[i] = key
	}
	_, err = batch.GetMany(bucket, keys)
	return err
}

// Large sets a key and a value of so many bytes.
//
//undergo:export
func Large(name string, key, value int) error {
	bucket, err := store.Open(name)
	if err != nil {
		return err
	}
	return bucket.Set(strings.Repeat("k", key), make([]byte, value))
}

// Increment adds to a number.
//
//undergo:export
func Increment(name, key string, delta int64) (int64, error) {
	bucket, err := store.Open(name)
	if err != nil {
		return 0, err
	}
	return atomics.Increment(bucket, key, delta)
}

// Swap replaces a value, which is set to something else before that, unless it is empty. It says
// what it found then.
//
//undergo:export
func Swap(name, key, value, meanwhile string) (string, error) {
	bucket, err := store.Open(name)
	if err != nil {
		return "", err
	}
	cas, err := atomics.CasNew(bucket, key)
	if err != nil {
		return "", err
	}
	if meanwhile != "" {
		if err := bucket.Set(key, []byte(meanwhile)); err != nil {
			return "", err
		}
	}
	var changed atomics.CasErrorCasFailed
	err = atomics.Swap(cas, []byte(value))
	if !errors.As(err, &changed) {
		return "", err
	}
	current, err := changed.Value.Current()
	if err != nil {
		return "", err
	}
	return string(*current), atomics.Swap(changed.Value, []byte(value))
}

// Failure says with which case of its type opening a store fails.
//
//undergo:export
func Failure(name string) string {
	_, err := store.Open(name)
	var other store.ErrorOther
	switch {
	case err == nil:
		return ""
	case errors.Is(err, store.ErrorNoSuchStore{}):
		return "no-such-store"
	case errors.Is(err, store.ErrorAccessDenied{}):
		return "access-denied"
	case errors.As(err, &other):
		return "other: " + string(other)
	}
	return "unknown"
}

type bucket struct{ store.Bucket }

// Forge passes an object of the plugin's own where the host wants one of its own.
//
//undergo:export
func Forge() error {
	_, err := atomics.Increment(bucket{}, "k", 1)
	return err
}

// Many opens a store so many times, and keeps what it gets.
//
//undergo:export
func Many(count int) (int, error) {
	var kept []store.Bucket
	for range count {
		bucket, err := store.Open("default")
		if err != nil {
			return len(kept), err
		}
		kept = append(kept, bucket)
	}
	return len(kept), nil
}

// Log logs a line. The level is its number.
//
//undergo:export
func Log(level uint8, context, message string) { logging.Log(logging.Level(level), context, message) }

// Config gives a value of the configuration.
//
//undergo:export
func Config(key string) (*string, error) { return config.Get(key) }

// Configs gives the whole configuration.
//
//undergo:export
func Configs() (map[string]string, error) {
	all, err := config.GetAll()
	return maps.Collect(func(yield func(key, value string) bool) {
		for _, entry := range all {
			if !yield(entry.F0, entry.F1) {
				return
			}
		}
	}), err
}

func main() {}
