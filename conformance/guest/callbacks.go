package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Apply gives what f makes of each.
//
//undergo:export
func Apply(xs []int64, f func(int64) (int64, error)) ([]int64, error) {
	var err error
	ys := make([]int64, len(xs))
	for i, x := range xs {
		if ys[i], err = f(x); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
	}
	return ys, nil
}

// ApplyPlain is Apply with a function that can't fail.
//
//undergo:export
func ApplyPlain(xs []int64, f func(int64) int64) []int64 {
	ys := make([]int64, len(xs))
	for i, x := range xs {
		ys[i] = f(x)
	}
	return ys
}

// ApplyInGoroutines is Apply with a goroutine for each.
//
//undergo:export
func ApplyInGoroutines(xs []int64, f func(int64) (int64, error)) ([]int64, error) {
	var wg sync.WaitGroup
	ys, errs := make([]int64, len(xs)), make([]error, len(xs))
	for i, x := range xs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ys[i], errs[i] = f(x)
		}()
	}
	wg.Wait()
	return ys, errors.Join(errs...)
}

// Tell gives each word to note.
//
//undergo:export
func Tell(words []string, note func(word string)) {
	for _, w := range words {
		note(w)
	}
}

// Ask passes its context on.
//
//undergo:export
func Ask(ctx context.Context, n int64, f func(ctx context.Context, n int64) (int64, error)) (int64, error) {
	return f(ctx, n)
}

// AskCanceled asks when nobody waits for an answer.
//
//undergo:export
func AskCanceled(ctx context.Context, n int64, f func(ctx context.Context, n int64) (int64, error)) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return f(ctx, n)
}

// An Op makes a number of another.
type Op func(n int64) (int64, error)

// Compose gives what g makes of what f makes of n.
//
//undergo:export
func Compose(n int64, f, g Op) (int64, error) {
	n, err := f(n)
	if err != nil {
		return 0, err
	}
	return g(n)
}

var keptOps []Op

// KeepOp keeps f.
//
//undergo:export
//undergo:keep f
func KeepOp(f Op) int32 {
	keptOps = append(keptOps, f)
	return int32(len(keptOps))
}

// KeepOpWrongly keeps f, and does not say so.
//
//undergo:export
func KeepOpWrongly(f Op) int32 {
	keptOps = append(keptOps, f)
	return int32(len(keptOps))
}

// CallKept gives what those make of n that were kept.
//
//undergo:export
func CallKept(n int64) (int64, error) {
	var err error
	for _, f := range keptOps {
		if n, err = f(n); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// DropKept lets go of what was kept.
//
//undergo:export
func DropKept() { keptOps = nil }

// Update has f say where the tally stands.
//
//undergo:export
func (t *Tally) Update(f func(value int64) (int64, error)) (int64, error) {
	v, err := f(t.value)
	if err != nil {
		return 0, err
	}
	t.value = v
	return v, nil
}

// OpenAndGet gives the text of a store that open opens.
//
//undergo:export
func OpenAndGet(name, key string, open func(name string) (Store, error)) (string, error) {
	s, err := open(name)
	if err != nil {
		return "", err
	}
	return s.Get(key)
}
