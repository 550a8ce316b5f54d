// Measures calls from a program in Go without cgo: by a client that bindgen wrote, and beside them
// by wazero, whose calls are written by hand.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

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
	instance, err := plugin.Instantiate(ctx, client.WithHost(host{}), undergo.WithStderr(io.Discard))
	must(err)
	ours, err := client.NewPlugin(instance)
	must(err)
	theirs := byHand(ctx, os.Args[1])

	fmt.Println("| Go, CGO_ENABLED=0 | against | Undergo | the other | ratio | bound |")
	fmt.Println("| --- | --- | --- | --- | --- | --- |")
	held := row("`add(int32, int32)`", 120*time.Nanosecond, func() {
		sum, err := ours.Add(ctx, 1, 2)
		expect(sum == 3, err)
	}, func() {
		expect(theirs.add(1, 2) == 3, nil)
	})
	held = row("string → string, 11 bytes", 250*time.Nanosecond, func() {
		same, err := ours.EchoString(ctx, text)
		expect(same == text, err)
	}, func() {
		expect(theirs.echo(text) == text, nil)
	}) && held
	if !held {
		os.Exit(3)
	}
}

// row measures both in turns, and prints the medians. Whether the bound holds.
func row(what string, bound time.Duration, ours, theirs func()) bool {
	var times [2][]time.Duration
	for range 15 {
		for i, call := range []func(){ours, theirs} {
			const count = 100_000
			start := time.Now()
			for range count {
				call()
			}
			times[i] = append(times[i], time.Since(start)/count)
		}
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	a, b := times[0][7], times[1][7]
	fmt.Printf("| %s | wazero's compiler, by hand | %d ns | %d ns | %.2f × | ≤ %d ns |\n", what, a.Nanoseconds(), b.Nanoseconds(), float64(a)/float64(b), bound.Nanoseconds())
	return a <= bound
}

// hand is the plugin under wazero.
type hand struct {
	ctx    context.Context
	memory api.Memory
	sum    api.Function
	same   api.Function
	room   api.Function
	stack  [4]uint64
}

func byHand(ctx context.Context, file string) *hand {
	content, err := os.ReadFile(file)
	must(err)
	runtime := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	compiled, err := runtime.CompileModule(ctx, content)
	must(err)
	builders := map[string]wazero.HostModuleBuilder{}
	for _, wanted := range compiled.ImportedFunctions() {
		module, name, _ := wanted.Import()
		if module == wasi_snapshot_preview1.ModuleName {
			continue
		}
		if builders[module] == nil {
			builders[module] = runtime.NewHostModuleBuilder(module)
		}
		builders[module].NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) {}), wanted.ParamTypes(), wanted.ResultTypes()).Export(name)
	}
	for _, builder := range builders {
		_, err := builder.Instantiate(ctx)
		must(err)
	}
	module, err := runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithStartFunctions("_initialize").WithArgs("plugin"))
	must(err)
	return &hand{ctx: ctx, memory: module.Memory(), sum: module.ExportedFunction("add"), same: module.ExportedFunction("echo-string"), room: module.ExportedFunction("cabi_realloc")}
}

func (h *hand) call(function api.Function, given ...uint64) uint64 {
	copy(h.stack[:], given)
	must(function.CallWithStack(h.ctx, h.stack[:]))
	return h.stack[0]
}

func (h *hand) add(a, b int32) int32 {
	return int32(h.call(h.sum, api.EncodeI32(a), api.EncodeI32(b)))
}

// echo does what the canonical ABI asks for: a block for the text, and a place where the result is.
func (h *hand) echo(text string) string {
	at := uint32(h.call(h.room, 0, 0, 1, uint64(len(text))))
	expect(h.memory.WriteString(at, text), nil)
	result := uint32(h.call(h.same, uint64(at), uint64(len(text))))
	begin, _ := h.memory.ReadUint32Le(result)
	length, _ := h.memory.ReadUint32Le(result + 4)
	found, ok := h.memory.Read(begin, length)
	expect(ok, nil)
	return string(found)
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
