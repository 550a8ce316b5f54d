package main

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// hand is the plugin under wazero's compiler.
type hand struct {
	ctx      context.Context
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	memory   api.Memory
	sum      api.Function
	same     api.Function
	room     api.Function
	callHost api.Function
	work     api.Function
	stack    [4]uint64
}

func byHand(ctx context.Context, wasm []byte) *hand {
	runtime := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	h := &hand{ctx: ctx, runtime: runtime}
	builder := runtime.NewHostModuleBuilder("host")
	i32 := api.ValueTypeI32
	builder.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(h.upper), []api.ValueType{i32, i32, i32}, nil).Export("upper")
	builder.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) {}), []api.ValueType{i32}, []api.ValueType{i32}).Export("pause")
	_, err := builder.Instantiate(ctx)
	must(err)
	h.compiled, err = runtime.CompileModule(ctx, wasm)
	must(err)
	module := h.instance()
	h.memory = module.Memory()
	h.sum, h.same, h.room = module.ExportedFunction("add"), module.ExportedFunction("echo-string"), module.ExportedFunction("cabi_realloc")
	h.callHost, h.work = module.ExportedFunction("call-host"), module.ExportedFunction("work")
	return h
}

// instance makes another one. Its name is empty, so that there can be several.
func (h *hand) instance() api.Module {
	module, err := h.runtime.InstantiateModule(h.ctx, h.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").WithArgs("plugin"))
	must(err)
	return module
}

// compile compiles in a runtime of its own: one has each module once.
func (h *hand) compile(wasm []byte) {
	runtime := wazero.NewRuntime(h.ctx)
	_, err := runtime.CompileModule(h.ctx, wasm)
	must(err)
	must(runtime.Close(h.ctx))
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
	return h.text(result)
}

func (h *hand) text(at uint32) string {
	begin, _ := h.memory.ReadUint32Le(at)
	length, _ := h.memory.ReadUint32Le(at + 4)
	found, ok := h.memory.Read(begin, length)
	expect(ok, nil)
	return string(found)
}

// upper is the host function: it gives the text back.
func (h *hand) upper(ctx context.Context, module api.Module, stack []uint64) {
	found, ok := h.memory.Read(uint32(stack[0]), uint32(stack[1]))
	expect(ok, nil)
	text, result := string(found), uint32(stack[2])
	room := [4]uint64{0, 0, 1, uint64(len(text))}
	must(h.room.CallWithStack(ctx, room[:]))
	at := uint32(room[0])
	expect(h.memory.WriteString(at, text) && h.memory.WriteUint32Le(result, at) && h.memory.WriteUint32Le(result+4, uint32(len(text))), nil)
}
