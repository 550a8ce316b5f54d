package undergo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"testing"
)

// world is an instance of a case, with what the functions of the host need of it.
type world struct {
	guestForm
	instance *Instance
	notes    []string
	store    store
}

// store is an object of the host: texts by their keys.
type store map[string]string

func (s store) Get(key string) (string, error) {
	if text, ok := s[key]; ok {
		return text, nil
	}
	return "", fmt.Errorf("no such key: %s", key)
}

func (s store) Put(key, value string)   { s[key] = value }
func (s store) Size() int64             { return int64(len(s)) }
func (s store) Child(name string) store { return store{"name": name} }

// callback is the function of the host of that name.
func (w *world) callback(name string) any {
	double := func(n int64) int64 { return 2 * n }
	switch name {
	case "double":
		return double
	case "fail":
		return func(any) (int64, error) { return 0, errors.New("the callback failed") }
	case "reenter":
		return func(ctx context.Context, n int64) (int64, error) {
			return Call[int64](ctx, w.instance, "echo-int64", n)
		}
	case "apply-reenter":
		return func(ctx context.Context, n int64) (int64, error) {
			found, err := Call[[]int64](ctx, w.instance, "apply", []int64{n}, double)
			if err != nil {
				return 0, err
			}
			return found[0], nil
		}
	case "open-store":
		return func(name string) (store, error) {
			if name == "" {
				return nil, errors.New("no name")
			}
			return w.store.Child(name), nil
		}
	case "note":
		return func(text string) { w.notes = append(w.notes, text) }
	case "wrong-type":
		return func(any) any { return "not a number" }
	}
	return nil
}

// forget closes what the case has kept.
func (r *conformanceRunner) forget() {
	for _, each := range r.kept {
		r.replaced = append(r.replaced, each)
	}
	for _, each := range r.replaced {
		if closer, ok := each.(io.Closer); ok {
			_ = closer.Close()
		}
	}
	clear(r.kept)
	r.replaced = nil
}

// argument is what stands for a value of a case, with what lives longer than a call.
func (r *conformanceRunner) argument(t testing.TB, in *world, value any, wanted *typ) any {
	switch given := value.(type) {
	case []any:
		list := make([]any, len(given))
		for i, item := range given {
			list[i] = r.argument(t, in, item, nil)
		}
		return list
	case map[string]any:
		key, inner := special(given)
		switch key {
		case "":
			record := make(map[string]any, len(given))
			for name, field := range given {
				record[name] = r.argument(t, in, field, nil)
			}
			return record
		case "$handle":
			return r.kept[inner.(string)]
		case "$callback":
			return in.callback(inner.(string))
		case "$object":
			return in.store
		case "$items":
			return r.items(t, in, given)
		case "$endless":
			item := r.argument(t, in, inner, nil)
			return iter.Seq[any](func(yield func(any) bool) {
				for yield(item) {
				}
			})
		case "$reader":
			return reader(t, given)
		case "$writer":
			parts := inner.(map[string]any)
			made := &collector{most: -1}
			if most, ok := parts["most"]; ok {
				made.most, _ = strconv.Atoi(string(most.(json.Number)))
			}
			r.kept[parts["as"].(string)] = made
			return made
		case "$case":
			parts := inner.([]any)
			made := Case{Tag: parts[0].(string)}
			if len(parts) > 1 {
				made.Val = r.argument(t, in, parts[1], nil)
			}
			return made
		case "$map":
			made := map[any]any{}
			for _, pair := range inner.([]any) {
				made[goValue(t, pair.([]any)[0], nil)] = r.argument(t, in, pair.([]any)[1], nil)
			}
			return made
		}
	}
	return goValue(t, value, wanted)
}

// items is an iterable of these, which may fail after them.
func (r *conformanceRunner) items(t testing.TB, in *world, given map[string]any) any {
	items := r.argument(t, in, given["$items"], nil).([]any)
	if given["then"] != "fail" {
		return items
	}
	return iter.Seq2[any, error](func(yield func(any, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		yield(nil, errors.New("no more items"))
	})
}

func reader(t testing.TB, given map[string]any) io.Reader {
	content := goValue(t, given["$reader"], nil).([]byte)
	switch given["then"] {
	case "fail":
		return io.MultiReader(bytes.NewReader(content), broken{})
	case "repeat":
		return repeating(content)
	}
	// As files have them.
	return io.NopCloser(bytes.NewReader(content))
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken reader") }

type repeating []byte

func (r repeating) Read(p []byte) (int, error) { return copy(p, r), nil }

// collector is a writer that may fail beyond some bytes.
type collector struct {
	bytes.Buffer
	most int
}

func (c *collector) Write(p []byte) (int, error) {
	if c.most >= 0 && c.Len()+len(p) > c.most {
		return 0, errors.New("broken writer")
	}
	return c.Buffer.Write(p)
}

// others does what a step says that is no call.
func (r *conformanceRunner) others(ctx context.Context, t *testing.T, in *world, step *conformanceStep) (result any, err error) {
	switch {
	case step.New != "":
		arguments := make([]any, len(step.Args))
		for i, argument := range step.Args {
			arguments[i] = r.argument(t, in, argument, nil)
		}
		return in.instance.New(ctx, step.New, arguments...)
	case step.Close != "":
		return nil, r.kept[step.Close].(io.Closer).Close()
	case step.Next != "":
		item, ok, err := r.kept[step.Next].(*Items[any]).Next(ctx)
		if err == nil && ok == step.End {
			t.Errorf("there is an item: %t", ok)
		}
		return item, err
	case step.Read != "":
		room := make([]byte, step.Most)
		count, err := io.ReadFull(r.kept[step.Read].(io.Reader), room)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = nil
		}
		return room[:count], err
	case step.Write != "":
		_, err := r.kept[step.Write].(io.Writer).Write(goValue(t, step.Data, nil).([]byte))
		return nil, err
	case step.Written != "":
		written := append([]byte{}, r.kept[step.Written].(*collector).Bytes()...)
		return written, nil
	default:
		return nil, in.instance.Reset(ctx)
	}
}

// keeping compares what lives longer than a call, which it keeps or reads; ok says whether it is.
func (r *conformanceRunner) keeping(t testing.TB, actual any, key string, inner any) (ok bool) {
	switch key {
	case "$keep":
		switch actual.(type) {
		case *Object, *Items[any], *Reader, *Writer:
		default:
			t.Fatalf("%v is no handle", actual)
		}
		name := inner.(string)
		if before, ok := r.kept[name]; ok {
			r.replaced = append(r.replaced, before)
		}
		r.kept[name] = actual
	case "$items":
		found := []any{}
		for item, err := range actual.(*Items[any]).All(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, item)
		}
		r.compare(t, found, inner)
	case "$reader":
		stream := actual.(*Reader)
		found, err := io.ReadAll(stream)
		if err == nil {
			err = stream.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		r.compare(t, found, inner)
	default:
		return false
	}
	return true
}
