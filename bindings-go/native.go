package undergo

import (
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// cgocall calls a function of C with one pointer, on the thread's own stack. It is what cgo's calls
// come to, without what cgo does around it: 25 ns, and no allocation. Its name is kept for purego.
//
//go:linkname cgocall runtime.cgocall
func cgocall(function uintptr, argument unsafe.Pointer) int32

// dispatcherAddress is that of the function of C through which the library calls [dispatched].
var dispatcherAddress uintptr

// dispatcher is undergo_dispatcher_t.
type dispatcher struct {
	function uintptr
	context  uintptr
}

// theDispatcher has all that the library calls in Go done by one function.
var theDispatcher *dispatcher

func init() {
	function := dispatched
	// The first word of a function's value points to its code.
	theDispatcher = &dispatcher{dispatcherAddress, **(**uintptr)(unsafe.Pointer(&function))}
}

// symbol is a function of the library. Those with one pointer that calls depend on go through
// [cgocall], others through call.
type symbol uintptr

// call calls the function with any parameters that are numbers or pointers, and gives what C
// returns: the second word, too, for structs of two. Pointers are to be made numbers in the call
// itself, which has what they point to on the heap: a stack moves when Go is called back.
//
//go:uintptrescapes
func (s symbol) call(arguments ...uintptr) (uintptr, uintptr) {
	first, second, _ := purego.SyscallN(uintptr(s), arguments...)
	return first, second
}

// native are the functions of the library, by their names without the prefix.
type native struct {
	arena_alloc, arena_delete                                                                                                                   symbol
	cancel_new, cancel_cancel, cancel_delete                                                                                                    symbol
	completed_code, completed_delete, completed_denied, completed_is_truncated, completed_stderr, completed_stdout, completed_used              symbol
	dispatch_depth                                                                                                                              symbol
	error_chained, error_delete, error_denied, error_dispatched, error_exit_code, error_frame, error_kind, error_message                        symbol
	error_new_dispatched, error_of_kind, error_path, error_stderr, error_with_chain                                                             symbol
	handle_close, handle_delete, handle_is_open                                                                                                 symbol
	imports_delete, imports_keyvalue, imports_link, imports_new, imports_set_dispatched                                                         symbol
	instance_delete, instance_denied, instance_end, instance_enter, instance_handles, instance_is_alive, instance_is_best, instance_memory_size symbol
	instance_poll, instance_read_memory, instance_reset, instance_take_stderr, instance_take_stdout, instance_usage                             symbol
	instance_write_memory                                                                                                                       symbol
	keyvalue_delete, keyvalue_get, keyvalue_new, keyvalue_set                                                                                   symbol
	kind_name                                                                                                                                   symbol
	object_delete, object_dispatched, object_new_dispatched                                                                                     symbol
	plugin_delete, plugin_describe, plugin_diagnostic, plugin_export, plugin_find, plugin_from_bytes, plugin_go_version, plugin_import          symbol
	plugin_instantiate_with, plugin_interface, plugin_is_best, plugin_kind, plugin_load, plugin_load_compiled, plugin_name                      symbol
	plugin_pool, plugin_run, plugin_serve, plugin_wait_compiled                                                                                 symbol
	pool_delete, pool_enter, pool_lend, pool_stats                                                                                              symbol
	sandbox_add_arg, sandbox_add_dir, sandbox_allow_network, sandbox_capture, sandbox_delete, sandbox_discard                                   symbol
	sandbox_give_listener, sandbox_inherit, sandbox_lines_dispatched, sandbox_listen, sandbox_new, sandbox_set_clock                            symbol
	sandbox_set_env, sandbox_set_seed, sandbox_set_temp, sandbox_stdin_bytes, sandbox_stdin_file, sandbox_stdin_inherit                         symbol
	server_address, server_close, server_delete, server_is_closed, server_stats                                                                 symbol
	value_at, value_delete, value_get_bytes, value_get_string, value_len                                                                        symbol
	version                                                                                                                                     symbol
}

// theLibrary is set once [library] has given no error.
var theLibrary native

// library loads the library, once.
var library = sync.OnceValue(func() error {
	loaded, err := load()
	if err == nil {
		theLibrary = loaded
	}
	return err
})

// text copies a text of C that ends with a NUL; "" for NULL.
func text(at uintptr) string {
	start := pointer(at)
	if start == nil {
		return ""
	}
	length := 0
	for *(*byte)(unsafe.Add(start, length)) != 0 {
		length++
	}
	return string(unsafe.Slice((*byte)(start), length))
}

// content copies bytes of C.
func content(at, length uintptr) []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(pointer(at)), int(length))...)
}

// pointer is that of an address of C's memory, which Go's collector knows nothing of.
func pointer(at uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&at))
}

// cText is a text for C, which ends with a NUL, and must be kept while C reads it. It is not
// inlined, so that it lies on the heap, and not on a stack that moves.
//
//go:noinline
func cText(text string) []byte {
	return append([]byte(text), 0)
}

// address is where bytes begin.
func address(bytes []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))
}

// one is C's bool.
func one(value bool) uintptr {
	if value {
		return 1
	}
	return 0
}
