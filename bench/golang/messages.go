package main

import (
	"context"
	"encoding/binary"
	"os"

	"github.com/knqyf263/go-plugin/wasm"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// messages is a plugin of go-plugin: the steps are those of the code that its generator writes,
// with a message that has one field, a string.
type messages struct {
	ctx              context.Context
	module           api.Module
	greet, freeBytes api.Function
}

func byMessages(ctx context.Context, file string) *messages {
	content, err := os.ReadFile(file)
	must(err)
	runtime := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	module, err := runtime.InstantiateWithConfig(ctx, content, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	must(err)
	return &messages{ctx, module, module.ExportedFunction("echo"), module.ExportedFunction("free")}
}

func (m *messages) echo(text string) string {
	request := binary.AppendUvarint([]byte{0x0a}, uint64(len(text)))
	request = append(request, text...)
	at, err := wasm.WriteMemory(m.ctx, m.module, request)
	must(err)
	defer func() {
		_, err := m.freeBytes.Call(m.ctx, at)
		must(err)
	}()
	packed, err := m.greet.Call(m.ctx, at, uint64(len(request)))
	must(err)
	begin, length := uint32(packed[0]>>32), uint32(packed[0])
	defer func() {
		_, err := m.freeBytes.Call(m.ctx, uint64(begin))
		must(err)
	}()
	answer, err := wasm.ReadMemory(m.module.Memory(), begin, length)
	must(err)
	size, read := binary.Uvarint(answer[1:])
	return string(answer[1+read : 1+read+int(size)])
}
