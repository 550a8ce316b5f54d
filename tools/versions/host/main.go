// Probe tries what may be wrong with a release of Go in which hosts are written: a line for each
// thing, `ok NAME` or `not ok NAME: why`.
//
// Usage: probe probe.wasm
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	undergo "github.com/undergo-dev/undergo/bindings-go"
)

type point struct {
	X, Y float64
	Name string
}

var (
	ctx      = context.Background()
	plugin   *undergo.Plugin
	instance *undergo.Instance
)

func main() {
	check("load", func() (err error) {
		if plugin, err = undergo.Open(ctx, os.Args[1]); err != nil {
			return err
		}
		instance, err = start(func(name string) (string, error) { return name + " is here", nil })
		return err
	})
	check("call", func() error {
		sum, err := undergo.Call[int](ctx, instance, "Add", 20, 22)
		return same(sum, 42, err)
	})
	check("buffer", func() error {
		many := make([]float64, 100_000)
		for i := range many {
			many[i] = 1
		}
		sum, err := undergo.Call[float64](ctx, instance, "Sum", many)
		return same(sum, 100_000, err)
	})
	check("record", func() error {
		moved, err := undergo.Call[point](ctx, instance, "Move", point{1, 2, "p"}, 0.5)
		return same(moved, point{1.5, 2.5, "p'"}, err)
	})
	check("host", func() error {
		answer, err := undergo.Call[string](ctx, instance, "Ask", "Ada")
		if err := same(answer, "Ada is here", err); err != nil {
			return err
		}
		out := errors.New("out")
		failing, err := start(func(string) (string, error) { return "", out })
		if err != nil {
			return err
		}
		defer failing.Close()
		if _, err = undergo.Call[string](ctx, failing, "Ask", "Ada"); err == nil || !strings.Contains(err.Error(), "out") {
			return fmt.Errorf("the host function's error came back as %v", err)
		}
		return nil
	})
	check("error", func() error {
		var failed *undergo.GuestError
		if err := instance.Do(ctx, "Fail", "as told"); !errors.As(err, &failed) || !strings.Contains(err.Error(), "as told") {
			return fmt.Errorf("the error came as %v", err)
		}
		return nil
	})
	check("panic", func() error {
		one, err := start(func(string) (string, error) { return "", nil })
		if err != nil {
			return err
		}
		defer one.Close()
		var panicked *undergo.PanicError
		if err := one.Do(ctx, "First", []float64{}); !errors.As(err, &panicked) || !strings.Contains(panicked.Frames[0].Function, "First") {
			return fmt.Errorf("the panic came as %v", err)
		}
		return nil
	})
	check("timeout", func() error {
		one, err := start(func(string) (string, error) { return "", nil })
		if err != nil {
			return err
		}
		defer one.Close()
		soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if err := one.Do(soon, "Spin"); !errors.Is(err, undergo.ErrTimeout) {
			return fmt.Errorf("the end of time came as %v", err)
		}
		return nil
	})
}

func start(lookup func(string) (string, error)) (*undergo.Instance, error) {
	return plugin.Instantiate(ctx, undergo.WithImport("host", "lookup", lookup))
}

func check(name string, check func() error) {
	if err := check(); err != nil {
		fmt.Printf("not ok %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
		if instance == nil {
			os.Exit(1)
		}
		return
	}
	fmt.Printf("ok %s\n", name)
}

func same[T comparable](given, wanted T, err error) error {
	if err == nil && given != wanted {
		return fmt.Errorf("%v instead of %v", given, wanted)
	}
	return err
}
