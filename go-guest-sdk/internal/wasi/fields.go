//go:build wasip1 && go1.24 && undergo_component

package wasi

import (
	"net/http"
	"runtime"
	"unsafe"

	undergo "github.com/undergo-dev/undergo/go-guest-sdk"
)

//go:wasmimport wasi:http/types@0.2.0 [constructor]fields
func newFields() uint32

//go:wasmimport wasi:http/types@0.2.0 [method]fields.append
func fieldsAppend(self uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]fields.entries
func fieldsEntries(self uint32, ret unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]fields
func dropFields(self uint32)

// takeFields reads fields, and drops them. Names are as http.Header has them.
func takeFields(handle uint32) http.Header {
	call := undergo.Begin()
	fieldsEntries(handle, ret)
	args := call.End()
	entries := unsafe.Slice((*[4]uint32)(undergo.Pointer(wordAt(0))), wordAt(4))
	header := make(http.Header, len(entries))
	for _, e := range entries {
		header.Add(undergo.String(e[0], e[1]), undergo.String(e[2], e[3]))
	}
	args.Release()
	dropFields(handle)
	return header
}

// giveFields makes fields of a header, without those that refuse is told of: the host does not
// take them.
func giveFields(header http.Header, refuse func(name string)) uint32 {
	handle := newFields()
	for name, values := range header {
		for _, value := range values {
			fieldsAppend(handle, bytesOf(name), uint32(len(name)), bytesOf(value), uint32(len(value)), ret)
			refused := byteAt(0) != 0
			runtime.KeepAlive(name)
			runtime.KeepAlive(value)
			if refused {
				refuse(name)
				break
			}
		}
	}
	return handle
}
