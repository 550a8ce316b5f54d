// Measures calls from a program in Go: by a client that bindgen wrote, and beside them by wazero
// and by the protocol of go-plugin, whose calls are written by hand. A program with cgo measures
// callbacks beside those of cgo instead.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"time"

	"bench/client"
	undergo "github.com/undergo-dev/undergo/bindings-go"
)

const text = "hello world"

type host struct{}

func (host) Upper(_ context.Context, s string) (string, error) { return s, nil }

func (host) Pause(_ context.Context, n int32) (int32, error) { return n, nil }

func main() {
	ctx := context.Background()
	plugin, err := undergo.Open(ctx, os.Args[1], undergo.WithCompile(undergo.CompileBest))
	must(err)
	instance, err := plugin.Instantiate(ctx, options)
	must(err)
	ours, err := client.NewPlugin(instance)
	must(err)
	held := callbacks(ctx, ours)
	if !hasCgo {
		held = calls(ctx, plugin, ours)
		held = lives(ctx) && held
	}
	if !held {
		os.Exit(3)
	}
}

var options = undergo.Options(client.WithHost(host{}), undergo.WithStderr(io.Discard))

// calls measures without cgo.
func calls(ctx context.Context, plugin *undergo.Plugin, ours *client.Plugin) bool {
	wasm, err := os.ReadFile(os.Args[1])
	must(err)
	theirs := byHand(ctx, wasm)
	messages := byMessages(ctx, os.Args[2])
	rows := table("Go, CGO_ENABLED=0")
	rows.compare("`add(int32, int32)`", "wazero, by hand", atMost(120*time.Nanosecond), 100_000, 1, func() {
		sum, err := ours.Add(ctx, 1, 2)
		expect(sum == 3, err)
	}, func() { expect(theirs.add(1, 2) == 3, nil) })
	echo := func() {
		same, err := ours.EchoString(ctx, text)
		expect(same == text, err)
	}
	rows.compare("string → string, 11 bytes", "wazero, by hand", atMost(250*time.Nanosecond), 100_000, 1, echo, func() { expect(theirs.echo(text) == text, nil) })
	rows.compare("the same", "go-plugin's protocol, by hand", nil, 20_000, 1, echo, func() { expect(messages.echo(text) == text, nil) })
	const times = 1000
	rows.compare("a host function, string → string", "wazero, by hand", nil, 100, times, func() {
		length, err := ours.CallHost(ctx, times)
		expect(length == int64(len(text))*times, err)
	}, func() { expect(theirs.call(theirs.callHost, times) == uint64(len(text))*times, nil) })
	rows.compare("Go code: random numbers, 10 million", "wazero", nil, 1, 1, func() {
		_, err := ours.Work(ctx, 10_000_000, 1)
		must(err)
	}, func() { theirs.call(theirs.work, 10_000_000, 1) })
	rows.compare("an instance", "wazero", nil, 20, 1, func() {
		made, err := plugin.Instantiate(ctx, options)
		must(err)
		must(made.Close())
	}, func() { must(theirs.instance().Close(ctx)) })
	compiled := func(how undergo.Compile) func() {
		return func() {
			loaded, err := undergo.OpenBytes(ctx, "plugin", wasm, undergo.WithoutCache(), undergo.WithCompile(how))
			must(err)
			must(loaded.Close())
		}
	}
	rows.compare("compiling, quickly", "wazero", nil, 1, 1, compiled(undergo.CompileFast), func() { theirs.compile(wasm) })
	rows.compare("compiling, well", "wazero", nil, 1, 1, compiled(undergo.CompileBest), func() { theirs.compile(wasm) })
	return rows.held
}

// callbacks measures with cgo.
func callbacks(ctx context.Context, ours *client.Plugin) bool {
	if !hasCgo {
		return true
	}
	rows := table("Go, CGO_ENABLED=1")
	const times = 1000
	rows.compare("a host function, int32 → int32", "a cgo callback", within(1.5), 300, times, func() {
		sum, err := ours.CallPauses(ctx, times)
		expect(sum == times*(times-1)/2, err)
	}, func() { expect(cgoNumbers(times) == times*(times-1)/2, nil) })
	rows.compare("a host function, string → string, 11 bytes", "a cgo callback, with C.GoStringN and C.CString", nil, 300, times, func() {
		length, err := ours.CallHost(ctx, times)
		expect(length == int64(len(text))*times, err)
	}, func() { expect(cgoTexts(times) == int64(len(text))*times, nil) })
	return rows.held
}

func expect(holds bool, err error) {
	if err != nil || !holds {
		log.Fatal("a call gave something else: ", err)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
