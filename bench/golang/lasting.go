package main

import (
	"context"
	"io"
	"iter"
	"os"

	"bench/lasting"
	undergo "github.com/undergo-dev/undergo/bindings-go"
)

type next struct{}

func (next) Next(_ context.Context, n int64) (int64, error) { return n + 1, nil }

// lives measures what lives longer than a call: beside plain calls, and beside Go alone.
func lives(ctx context.Context) bool {
	plugin, err := undergo.Open(ctx, os.Args[3], undergo.WithCompile(undergo.CompileBest))
	must(err)
	instance, err := plugin.Instantiate(ctx, lasting.WithHost(next{}))
	must(err)
	ours, err := lasting.NewLasting(instance)
	must(err)
	rows := table("Go, what lives longer than a call")
	tally, err := ours.NewTally(ctx, 0)
	must(err)
	rows.compare("a method, int64 → int64", "a function of two", within(1.2), 100_000, 1, func() {
		_, err := tally.Add(ctx, 1)
		must(err)
	}, func() {
		sum, err := ours.Add(ctx, 1, 2)
		expect(sum == 3, err)
	})
	rows.compare("an object, made and closed", "two calls of a function", nil, 10_000, 1, func() {
		made, err := ours.NewTally(ctx, 0)
		must(err)
		must(made.Close())
	}, func() {
		for range 2 {
			_, err := ours.Add(ctx, 1, 2)
			must(err)
		}
	})
	const times = 1000
	back := func(_ context.Context, n int64) (int64, error) { return n + 1, nil }
	rows.compare("a callback, int64 → int64", "a host function", within(1.2), 100, times, func() {
		sum, err := ours.CallBack(ctx, times, back)
		expect(sum == times*(times+1)/2, err)
	}, func() {
		sum, err := ours.CallHost(ctx, times)
		expect(sum == times*(times+1)/2, err)
	})
	const many = 1_000_000
	sum := func(numbers iter.Seq[int64]) (sum int64) {
		for number := range numbers {
			sum += number
		}
		return sum
	}
	drain := func() {
		items, err := ours.Numbers(ctx, many)
		must(err)
		total := int64(0)
		for number, err := range items.All(ctx) {
			must(err)
			total += number
		}
		expect(total == many*(many-1)/2, nil)
	}
	rows.compare("a plugin's iterator, of 1,000,000", "a channel of one item", nil, 1, many, drain, func() { expect(sum(byChannel(many)) == many*(many-1)/2, nil) })
	rows.compare("the same", "iter.Pull", nil, 1, many, drain, func() {
		pull, stop := iter.Pull(upTo(many))
		defer stop()
		total := int64(0)
		for number, ok := pull(); ok; number, ok = pull() {
			total += number
		}
		expect(total == many*(many-1)/2, nil)
	})
	rows.compare("a host's iterator, of 1,000,000", "a channel of one item", nil, 1, many, func() {
		total, err := ours.Sum(ctx, upTo(many))
		expect(total == many*(many-1)/2, err)
	}, func() { expect(sum(byChannel(many)) == many*(many-1)/2, nil) })
	const bytes = 256 << 20
	rows.compare("256 MiB through a plugin's io.Copy", "an io.Pipe, and io.Copy", nil, 1, 1, func() {
		count, err := ours.Copy(ctx, io.Discard, io.LimitReader(zeros{}, bytes))
		expect(count == bytes, err)
	}, func() {
		reader, writer := io.Pipe()
		go func() {
			_, err := io.Copy(writer, io.LimitReader(zeros{}, bytes))
			writer.CloseWithError(err)
		}()
		count, err := io.Copy(io.Discard, reader)
		expect(count == bytes, err)
	})
	return rows.held
}

func upTo(n int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// byChannel gives the numbers below n by another goroutine.
func byChannel(n int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		numbers := make(chan int64, 1)
		go func() {
			defer close(numbers)
			for i := range n {
				numbers <- i
			}
		}()
		for number := range numbers {
			if !yield(number) {
				return
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
