//go:build undergo_cgo

// Package linked has the library of Undergo that a program is linked with.
package linked

/*
#cgo LDFLAGS: -lundergo -lm -ldl -lpthread
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Those of the type native, whose addresses alone matter here.
#define EACH(X) \
	X(arena_alloc) X(arena_delete) X(cancel_new) X(cancel_cancel) X(cancel_delete) \
	X(completed_code) X(completed_delete) X(completed_denied) X(completed_is_truncated) \
	X(completed_stderr) X(completed_stdout) X(completed_used) X(dispatch_depth) X(error_chained) \
	X(error_delete) X(error_denied) X(error_dispatched) X(error_exit_code) X(error_frame) \
	X(error_kind) X(error_message) X(error_new_dispatched) X(error_of_kind) X(error_path) \
	X(error_stderr) X(error_with_chain) X(handle_close) X(handle_delete) X(handle_is_open) \
	X(imports_delete) X(imports_keyvalue) X(imports_link) X(imports_new) X(imports_set_dispatched) \
	X(instance_delete) X(instance_denied) X(instance_end) X(instance_enter) X(instance_handles) \
	X(instance_is_alive) X(instance_is_best) X(instance_memory_size) X(instance_poll) \
	X(instance_read_memory) X(instance_reset) X(instance_take_stderr) X(instance_take_stdout) \
	X(instance_usage) X(instance_write_memory) X(keyvalue_delete) X(keyvalue_get) X(keyvalue_new) \
	X(keyvalue_set) X(kind_name) X(object_delete) X(object_dispatched) X(object_new_dispatched) \
	X(plugin_delete) X(plugin_describe) X(plugin_diagnostic) X(plugin_export) X(plugin_find) \
	X(plugin_from_bytes) X(plugin_go_version) X(plugin_import) X(plugin_instantiate_with) \
	X(plugin_interface) X(plugin_is_best) X(plugin_kind) X(plugin_load) X(plugin_load_compiled) \
	X(plugin_name) X(plugin_pool) X(plugin_run) X(plugin_serve) X(plugin_wait_compiled) \
	X(pool_delete) X(pool_enter) X(pool_lend) X(pool_stats) X(sandbox_add_arg) X(sandbox_add_dir) \
	X(sandbox_allow_network) X(sandbox_capture) X(sandbox_delete) X(sandbox_discard) \
	X(sandbox_give_listener) X(sandbox_inherit) X(sandbox_lines_dispatched) X(sandbox_listen) \
	X(sandbox_new) X(sandbox_set_clock) X(sandbox_set_env) X(sandbox_set_seed) X(sandbox_set_temp) \
	X(sandbox_stdin_bytes) X(sandbox_stdin_file) X(sandbox_stdin_inherit) X(server_address) \
	X(server_close) X(server_delete) X(server_is_closed) X(server_stats) X(value_at) \
	X(value_delete) X(value_get_bytes) X(value_get_string) X(value_len) X(version)

#define DECLARED(name) extern void undergo_##name(void);
EACH(DECLARED)

#define ROW(name) {"undergo_" #name, undergo_##name},

static void *linked(const char *name) {
	static const struct { const char *name; void (*function)(void); } functions[] = { EACH(ROW) };
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strcmp(functions[i].name, name) == 0) return (void *)functions[i].function;
	return NULL;
}
*/
import "C"

import "unsafe"

// Find gives the address of a function of the library; 0 where it is none that the host calls.
func Find(name string) uintptr {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return uintptr(C.linked(text))
}
