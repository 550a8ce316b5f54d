/* Undergo: Go plugins as typed, sandboxed functions. Written by cbindgen from the crate's sources; don't edit it.
 *
 * Each function that can fail returns an undergo_error_t *: NULL is success, and an error belongs to the caller, who frees it with undergo_error_delete. What such a
 * function gives, it writes through a pointer; the place is left alone or set to NULL when it fails. Each handle is freed by the function whose name ends in _delete, which accepts
 * NULL. Handles may be used from any thread, and freed in any order, unless it is said otherwise; pointers to handles and structs that are passed in must be valid for the
 * time of the call, and stay the caller's unless it is said otherwise. Text that is passed as a const char * ends with a NUL, and is UTF-8, but for paths.
 */

#ifndef UNDERGO_H
#define UNDERGO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A millisecond and a second, for timeouts.
#define UNDERGO_MILLISECOND UINT64_C(1000000)
#define UNDERGO_SECOND UINT64_C(1000000000)

// A value. One that a function gave as an undergo_value_t * belongs to the caller, who frees it with `undergo_value_delete`, once for the whole tree; a
// const undergo_value_t * is a part of another value, and lives as long as that. Not for two threads at once while it is changed.
typedef struct undergo_value_t undergo_value_t;


// Compile quickly at first, and better in the background, for the instances that are made after that.
#define UNDERGO_COMPILE_TIERED 0

// Compile quickly, to code that takes two to three times as long.
#define UNDERGO_COMPILE_FAST 1

// Compile well, and wait for it.
#define UNDERGO_COMPILE_BEST 2

// A host function is called: it reads `args`, fills `result`, and sets `error` if it fails.
#define UNDERGO_DISPATCH_CALL 1

// A line of output: `len` bytes at `args`, without the newline. It may set `error`.
#define UNDERGO_DISPATCH_LINE 2

// Nobody uses the object any more. It may come on any thread.
#define UNDERGO_DISPATCH_RELEASE 3

// The guest's standard output.
#define UNDERGO_STDOUT 1

// The guest's standard error. Its end is kept for the text of a panic in any case.
#define UNDERGO_STDERR 2

// What went wrong.
typedef enum undergo_kind_t {
  // Nothing: the kind of NULL.
  UNDERGO_NONE = 0,
  // Not a WebAssembly module, a damaged one, or one that was built in a way that can't be called.
  UNDERGO_INVALID_PLUGIN = 1,
  // The plugin needs functions that were not given.
  UNDERGO_MISSING_IMPORT = 2,
  // The plugin has no export of that name.
  UNDERGO_UNKNOWN_EXPORT = 3,
  // A function has another signature than it should.
  UNDERGO_SIGNATURE_MISMATCH = 4,
  // A value does not fit its type; the path says which.
  UNDERGO_TYPE_MISMATCH = 5,
  // The Go function returned an error. The instance lives on.
  UNDERGO_GUEST_ERROR = 6,
  // The Go code panicked, or its runtime gave up. The instance has ended.
  UNDERGO_PANIC = 7,
  // The Go code called os.Exit. The instance has ended.
  UNDERGO_EXIT = 8,
  // The guest did what WebAssembly forbids, or its stack overflowed. The instance has ended.
  UNDERGO_TRAP = 9,
  // The call took longer than its timeout. The instance has ended, unless the call never began.
  UNDERGO_TIMEOUT = 10,
  // The call was cancelled. The instance has ended, unless the call never began.
  UNDERGO_CANCELLED = 11,
  // The fuel was used up. The instance has ended.
  UNDERGO_OUT_OF_FUEL = 12,
  // The guest wanted more memory than its limit. The instance has ended.
  UNDERGO_OUT_OF_MEMORY = 13,
  // A host function failed.
  UNDERGO_HOST_ERROR = 14,
  // The sandbox forbids it, or can't be made as asked.
  UNDERGO_DENIED = 15,
  // The instance has ended, and answers no further call; the message tells the first cause.
  UNDERGO_DEAD_INSTANCE = 16,
  // The instance is in the middle of another call of the same thread.
  UNDERGO_BUSY = 17,
} undergo_kind_t;

// What a value is.
typedef enum undergo_value_kind_t {
  // An option without a value, or no result; also the kind of NULL.
  UNDERGO_VALUE_NONE = 0,
  // A bool.
  UNDERGO_VALUE_BOOL = 1,
  // An integer that fits int64_t.
  UNDERGO_VALUE_INT = 2,
  // An integer above that, which fits uint64_t.
  UNDERGO_VALUE_UINT = 3,
  // A float of either width.
  UNDERGO_VALUE_FLOAT = 4,
  // Text; also the case of an enum, by its WIT name.
  UNDERGO_VALUE_STRING = 5,
  // A list of u8.
  UNDERGO_VALUE_BYTES = 6,
  // Any other list, several results, or a tuple.
  UNDERGO_VALUE_LIST = 7,
  // A map, in any order.
  UNDERGO_VALUE_MAP = 8,
  // A record, by the WIT names of its fields.
  UNDERGO_VALUE_RECORD = 9,
  // Text that holds one JSON value.
  UNDERGO_VALUE_JSON = 10,
  // Nanoseconds.
  UNDERGO_VALUE_DURATION = 11,
  // An instant.
  UNDERGO_VALUE_TIME = 12,
} undergo_value_kind_t;

// The memory of a result: all that its pointers point to. It belongs to whoever got the result, who frees it with `undergo_arena_delete`. In a host function it
// is the memory for the function's own result, and belongs to Undergo. Not for two threads at once.
typedef struct undergo_arena_t undergo_arena_t;

// Ends calls from another thread, within some milliseconds of `undergo_cancel_cancel`: whether the guest computes, sleeps, or waits for its turn. Code of a host
// function is not interrupted. One token may serve many calls, from any threads, and is used up once it is cancelled.
typedef struct undergo_cancel_t undergo_cancel_t;

// What became of a command.
typedef struct undergo_completed_t undergo_completed_t;

// An error. It belongs to whoever got it, who frees it with `undergo_error_delete`, or hands it on from a host function.
typedef struct undergo_error_t undergo_error_t;

// The functions that a program gives to instances. Not for two threads at once while it is changed; instances and pools take a copy when they are made.
typedef struct undergo_imports_t undergo_imports_t;

// A running copy of a plugin. Threads may share it: one call runs at a time, and others wait. After anything but a return or a returned Go error it has ended, and each
// later call fails with dead-instance.
typedef struct undergo_instance_t undergo_instance_t;

// A compiled plugin: load once, instantiate as often as needed. May be used from any thread, and deleted before its instances.
typedef struct undergo_plugin_t undergo_plugin_t;

// Instances of one plugin that stand in for each other. Any number of threads may call it: a call takes an instance that is free, or makes one, or waits its turn, first come, first
// served. One that a call has ended is replaced. Calls share nothing that is in a guest: which instance answers is not defined.
typedef struct undergo_pool_t undergo_pool_t;

// What an instance may reach: by default nothing but the standard output and error of this process. Not for two threads at once while it is changed;
// instances and pools take a copy when they are made.
typedef struct undergo_sandbox_t undergo_sandbox_t;

// Text: UTF-8, `len` bytes of it. Text that Undergo gives is followed by a NUL, which `len` doesn't count; text that it is given need not be. `ptr` may be NULL
// where `len` is 0.
typedef struct undergo_string_t {
  const char *ptr;
  size_t len;
} undergo_string_t;

// What an instance may use. NULL in its place means the defaults, which are zeros: no limit but those of WebAssembly (4 GiB of memory) and of one value.
typedef struct undergo_limits_t {
  // Bytes of guest memory.
  uint64_t memory;
  // Nanoseconds that a call may take, and that the initialisation may: computing, sleeping, host functions and waiting for the instance.
  uint64_t timeout;
  // Bytes that one value from the guest may take on this side, with all that is made of it, 1 GiB by default.
  uint64_t value;
  // Bytes that the guest may write to each of its two outputs over its life; what is beyond is dropped, which is no error for the guest.
  uint64_t output;
  // Bytes of guest stack of one call, from 64 KiB to 512 MiB, rounded up to a power of two; 4 MiB by default.
  uint64_t stack;
  // How much each call, and the initialisation, may compute, in units of about one WebAssembly instruction. It costs about a tenth of the speed.
  uint64_t fuel;
  // Elements of the guest's tables, all together, 4,194,304 by default.
  uint32_t table;
  // Descriptors of this process that the guest may hold at once, 128 by default: files, directories, sockets, connections that it accepted, and pipes.
  // Beyond it the guest gets the error "too many open files".
  uint32_t descriptors;
} undergo_limits_t;

// Options of one call. NULL in its place means the defaults, which are zeros.
typedef struct undergo_call_options_t {
  // Nanoseconds that the call may take, waiting for the instance included; 0: the limit of the instance.
  uint64_t timeout;
  // What can end the call before that, from any thread; may be NULL. It must live until the call has begun.
  const struct undergo_cancel_t *cancel;
} undergo_call_options_t;

// Bytes.
typedef struct undergo_bytes_t {
  const uint8_t *ptr;
  size_t len;
} undergo_bytes_t;

// What an instance used.
typedef struct undergo_usage_t {
  // Nanoseconds that the last call took, or the initialisation before the first: host functions included.
  uint64_t time;
  // Bytes of guest memory after it, which never shrinks.
  uint64_t memory;
  // Fuel that the last call used, where `has_fuel`.
  uint64_t fuel;
  // Whether fuel is limited, and so counted.
  bool has_fuel;
} undergo_usage_t;

// Something that a dispatcher is called for.
typedef struct undergo_dispatch_t {
  // The dispatcher's own: `undergo_dispatcher_t.context`.
  void *context;
  // `undergo_entry_t.caller` of the call of this thread that is under way; NULL when there is
  // none.
  void *caller;
  // The number that the host gave with the function, the output or the error.
  uint64_t id;
  // One of `UNDERGO_DISPATCH_CALL`, `_LINE`, `_RELEASE`.
  uint32_t what;
  // The struct of the function's arguments, or the bytes of a line. They live until the
  // dispatcher returns.
  const void *args;
  // Bytes of a line.
  size_t len;
  // Room for the function's result, all zero. What it points to must live until the dispatcher
  // has returned and Undergo has read it: it may lie in `scratch`, or in what
  // `undergo_arena_alloc` gives of `arena`.
  void *result;
  // Some room, aligned for anything.
  void *scratch;
  // Bytes of it.
  size_t scratch_len;
  // More room.
  struct undergo_arena_t *arena;
  // Set to an error, which is Undergo's then, when the function fails. One of the kind
  // type-mismatch without an object says that the result does not fit, and ends the call and the
  // instance; others are as of `undergo_host_fn`.
  struct undergo_error_t *error;
} undergo_dispatch_t;

// The function of a host through which it is called for all that it gives to Undergo. It must not
// unwind or longjmp.
typedef void (*undergo_dispatch_fn)(struct undergo_dispatch_t *dispatch);

// A host's dispatcher.
typedef struct undergo_dispatcher_t {
  // What is called, on the thread of the call; for a pool, on several threads at once.
  undergo_dispatch_fn function;
  // Whatever it wants to have.
  void *context;
} undergo_dispatcher_t;

// A call of an export with structs.
typedef struct undergo_entry_t {
  // The `undergo_instance_t` of `undergo_instance_enter`, or the `undergo_pool_t` of
  // `undergo_pool_enter`.
  const void *target;
  // That of the export, from `undergo_plugin_describe` or a generated file.
  uint64_t digest;
  // The number of the export. Unless the plugin has a function of that digest there, the call
  // fails with signature-mismatch, and nothing has been read.
  uint32_t number;
  // The struct of the arguments; NULL for a function without.
  const void *args;
  // A place for the result; NULL for a function without.
  void *result;
  // Some room, aligned to 16 bytes, in which what the result points to lies as far as there is
  // enough of it; may be NULL.
  void *scratch;
  // Bytes of it.
  size_t scratch_len;
  // As of `undergo_call_options_t`: nanoseconds, 0 for the limit of the instance.
  uint64_t timeout;
  // As of `undergo_call_options_t`; may be NULL.
  const struct undergo_cancel_t *cancel;
  // What a dispatcher gets as `undergo_dispatch_t.caller` when it is called on this thread
  // during the call.
  void *caller;
  // Set to what the caller frees with `undergo_arena_delete`: memory for what had no room. NULL
  // when there is nothing to free.
  struct undergo_arena_t *arena;
  // Set to an error, which the caller frees; NULL when the call has a result.
  struct undergo_error_t *error;
} undergo_entry_t;

// Frees what a pointer points to; may be called on any thread.
typedef void (*undergo_destroy_fn)(void *data);

// A frame of a Go traceback. Its texts live as long as the error.
typedef struct undergo_frame_t {
  // The function with its package: `main.Greet`.
  const char *function;
  // The source file as the Go toolchain names it; empty where it is not known.
  const char *file;
  // The line in it, from 1; 0 where it is not known.
  uint32_t line;
  // Whether it belongs to Go's runtime; the first frame that does not is the one to show.
  bool is_runtime;
} undergo_frame_t;

// A host function. `args` is a list of the arguments, and belongs to Undergo. On success it sets `*result` to a value, which is Undergo's from then on, or leaves it NULL
// for none, and returns NULL. An error that it returns (`undergo_error_new`, or one that it got itself) is Undergo's; it becomes the Go error where the import returns one, and ends the
// call and the instance elsewhere: then the caller of the export gets it.
//
// Called on the thread of the call; for a pool, on several at once. It may call the instance that called it. It must not unwind or longjmp.
typedef struct undergo_error_t *(*undergo_host_fn)(void *user_data, const undergo_value_t *args, undergo_value_t **result);

// A function as a generated header knows it, for calls with structs. Undergo compares the digest before it looks at a struct.
typedef struct undergo_signature_t {
  // The interface that an import belongs to; NULL for an export.
  const char *interface;
  // The name in WIT.
  const char *name;
  // The signature in WIT.
  const char *signature;
  // What stands for the signature and the types in it.
  uint64_t digest;
  // The number of the export when the header was generated. It may be another by now, at the cost of a search with each call.
  uint32_t number;
} undergo_signature_t;

// Any function, on its way through Undergo to the adapter that knows its type.
typedef void (*undergo_any_fn)(void);

// What a generated header has for each import: it calls `function` with what is in the struct `args`, and has it fill `result`, in which nested data may lie in the arena, or anywhere
// else where it lives until the next call of the function.
typedef struct undergo_error_t *(*undergo_adapter_fn)(undergo_any_fn function,
                                                      void *user_data,
                                                      const void *args,
                                                      void *result,
                                                      struct undergo_arena_t *arena);

// How a plugin is compiled. NULL in its place means the defaults, which are zeros.
typedef struct undergo_plugin_options_t {
  // One of `UNDERGO_COMPILE_TIERED`, `_FAST`, `_BEST`.
  uint32_t compile;
  // Whether compiled code is kept nowhere.
  bool no_cache;
  // The folder where compiled code is kept for the next process; NULL: the one that UNDERGO_CACHE_DIR names, or else the user's own for caches.
  const char *cache;
  // How many times as much as usual the module may ask of the compilers: no compilation can be stopped, so what asks for more is refused. 0 is 1.
  uint32_t bounds;
  // Nanoseconds that loading may take; 0: as long as it takes. Behind it a compilation goes on, within the bounds.
  uint64_t timeout;
  // What can end the loading before that, from any thread; may be NULL. It must live until the plugin is loaded.
  const struct undergo_cancel_t *cancel;
  // The path of the program `undergo`, of this version, that compiles in a process of its own, whose time and memory are limited: for modules of strangers. NULL:
  // this process compiles.
  const char *compiler;
  // Whether Go's code is compiled as its compiler wrote it. By default its jumps are written as nested blocks and loops before, which makes it faster.
  bool no_optimize;
} undergo_plugin_options_t;

// How many instances a pool has, and for how long.
typedef struct undergo_pool_options_t {
  // The most instances that there are at once, at least 1; they are made when calls need them.
  size_t size;
  // After so many calls an instance is replaced; 1 is a fresh instance for each call. 0: it serves as long as it lives.
  uint64_t max_calls;
  // Nanoseconds after which an instance that was not called is dropped. 0: it is kept.
  uint64_t idle;
  // How many instances are made at once.
  size_t warm;
} undergo_pool_options_t;

// An export or an import of a plugin, as texts, which live as long as the plugin's handle.
typedef struct undergo_function_t {
  // The interface that an import belongs to; NULL for an export.
  const char *interface;
  // The name in WIT.
  const char *name;
  // The signature in WIT: `greet(p: person, shout: bool) -> result<string, string>`.
  const char *signature;
  // The doc comment of the Go source; may be empty.
  const char *docs;
} undergo_function_t;

// What a pool did so far, and what it has now.
typedef struct undergo_pool_stats_t {
  // Instances that a call has, or that are being made for one.
  size_t busy;
  // Instances that wait for a call.
  size_t idle;
  // Callers that wait for an instance.
  size_t waiting;
  // Calls that were given an instance.
  uint64_t calls;
  // Instances that were made.
  uint64_t made;
  // Instances that were dropped because a call had ended them.
  uint64_t died;
  // Instances that were dropped because they had answered as many calls as they should.
  uint64_t retired;
  // Instances that were dropped because nobody had called them for long.
  uint64_t shrunk;
} undergo_pool_stats_t;

// Gets a line of a guest's output: `len` bytes without the newline, and a NUL behind them. NULL is success; an error ends the call and the instance, and is what the
// caller gets. Called on the thread of the call. It can't call the instance whose output it gets.
typedef struct undergo_error_t *(*undergo_line_fn)(void *user_data, const char *line, size_t len);

// An instant with an offset from UTC.
typedef struct undergo_time_t {
  // Seconds since 1970-01-01T00:00:00Z.
  int64_t seconds;
  // 0 to 999,999,999.
  uint32_t nanoseconds;
  // Seconds east of UTC.
  int32_t offset;
} undergo_time_t;

// A list of bools. As of all lists, `ptr` may be NULL where `len` is 0.
typedef struct undergo_list_bool_t {
  const bool *ptr;
  size_t len;
} undergo_list_bool_t;

// A list of `int8_t`.
typedef struct undergo_list_s8_t {
  const int8_t *ptr;
  size_t len;
} undergo_list_s8_t;

// A list of `int16_t`.
typedef struct undergo_list_s16_t {
  const int16_t *ptr;
  size_t len;
} undergo_list_s16_t;

// A list of `uint16_t`.
typedef struct undergo_list_u16_t {
  const uint16_t *ptr;
  size_t len;
} undergo_list_u16_t;

// A list of `int32_t`.
typedef struct undergo_list_s32_t {
  const int32_t *ptr;
  size_t len;
} undergo_list_s32_t;

// A list of `uint32_t`.
typedef struct undergo_list_u32_t {
  const uint32_t *ptr;
  size_t len;
} undergo_list_u32_t;

// A list of `int64_t`.
typedef struct undergo_list_s64_t {
  const int64_t *ptr;
  size_t len;
} undergo_list_s64_t;

// A list of `uint64_t`.
typedef struct undergo_list_u64_t {
  const uint64_t *ptr;
  size_t len;
} undergo_list_u64_t;

// A list of `float`.
typedef struct undergo_list_f32_t {
  const float *ptr;
  size_t len;
} undergo_list_f32_t;

// A list of `double`.
typedef struct undergo_list_f64_t {
  const double *ptr;
  size_t len;
} undergo_list_f64_t;

// A list of texts.
typedef struct undergo_list_string_t {
  const struct undergo_string_t *ptr;
  size_t len;
} undergo_list_string_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library: `"0.1.0"`.
const char *undergo_version(void);

// Frees the memory of a result, and with it all that the result points to. NULL is accepted: a result without nested data has none.
void undergo_arena_delete(struct undergo_arena_t *arena);

// Room for `size` bytes, aligned for anything, in the arena that a host function was given: for its result. NULL when there is no memory.
void *undergo_arena_alloc(struct undergo_arena_t *arena, size_t size);

// A copy of a text in the arena that a host function was given: for its result. `text` need not end with a NUL; the copy does. Empty when there is no memory.
struct undergo_string_t undergo_arena_copy(struct undergo_arena_t *arena,
                                           const char *text,
                                           size_t len);

// A token that is not cancelled. Free it with `undergo_cancel_delete`.
struct undergo_cancel_t *undergo_cancel_new(void);

// Cancels all calls that have this token, now and later. Does not wait for their end; may be called from any thread, and more than once.
void undergo_cancel_cancel(const struct undergo_cancel_t *cancel);

// Whether it was cancelled.
bool undergo_cancel_is_cancelled(const struct undergo_cancel_t *cancel);

// Frees a token. NULL is accepted. Calls that have it go on.
void undergo_cancel_delete(struct undergo_cancel_t *cancel);

// Runs a command from its beginning to its end, on this thread. The caller frees what became of it with `undergo_completed_delete`.
//
// `sandbox` has its arguments, its environment and its streams; its outputs are captured, up to 1 MiB each, unless the sandbox says something else. `imports` are the functions that it
// needs, and `limits`, and `options`, are those of the whole run; each may be NULL, and all stay the caller's. An exit code is no error, whichever it is: an error is what else ends it
// (trap, timeout, cancelled, out-of-fuel), invalid-plugin for a plugin whose exports are to be called, missing-import, or denied.
struct undergo_error_t *undergo_plugin_run(const struct undergo_plugin_t *plugin,
                                           const struct undergo_imports_t *imports,
                                           const struct undergo_sandbox_t *sandbox,
                                           const struct undergo_limits_t *limits,
                                           const struct undergo_call_options_t *options,
                                           struct undergo_completed_t **completed);

// Frees what became of a command. NULL is accepted.
void undergo_completed_delete(struct undergo_completed_t *completed);

// Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose text is on its standard error; -1 for NULL.
int32_t undergo_completed_code(const struct undergo_completed_t *completed);

// What it wrote to its standard output, where that is captured. It lives as long as the handle, and has no NUL behind it.
struct undergo_bytes_t undergo_completed_stdout(const struct undergo_completed_t *completed);

// The same for its standard error.
struct undergo_bytes_t undergo_completed_stderr(const struct undergo_completed_t *completed);

// Whether it wrote more than that: more than is captured, or than the limits let it write.
bool undergo_completed_is_truncated(const struct undergo_completed_t *completed);

// What the sandbox denied it of the network, each thing once with the rule that would allow it, 64 of them at the most: a list of strings, which the caller frees with
// `undergo_value_delete`.
undergo_value_t *undergo_completed_denied(const struct undergo_completed_t *completed);

// What it used; zeros for NULL.
struct undergo_usage_t undergo_completed_usage(const struct undergo_completed_t *completed);

// Gives what it used, as `undergo_completed_usage`, for hosts that can't take structs of four words.
void undergo_completed_used(const struct undergo_completed_t *completed, struct undergo_usage_t *usage);

// Gives how many calls of dispatchers this thread is in the middle of: 0 outside of host
// functions. A thread that has one can call back into the instance that called.
void undergo_dispatch_depth(uint32_t *depth);

// Gives a function that the dispatcher runs, by the WIT names of its interface and its own.
// `digest` is that of the import in `undergo_plugin_describe`, whose structs it reads and fills;
// instances of plugins that have another function of the name are refused when it is called.
//
// As of all numbers, the dispatcher gets `UNDERGO_DISPATCH_RELEASE` with `id` when nobody can call
// the function any more, or at once when this fails.
struct undergo_error_t *undergo_imports_set_dispatched(struct undergo_imports_t *imports,
                                                       const char *interface,
                                                       const char *name,
                                                       uint64_t digest,
                                                       const struct undergo_dispatcher_t *dispatcher,
                                                       uint64_t id);

// Gives an output to the dispatcher, line by line; as `undergo_sandbox_lines`.
struct undergo_error_t *undergo_sandbox_lines_dispatched(struct undergo_sandbox_t *sandbox,
                                                         uint32_t stream,
                                                         const struct undergo_dispatcher_t *dispatcher,
                                                         uint64_t id);

// An error of the kind host-error for a dispatcher to set, which stands for one of the host's own
// by its number: `len` bytes of text, in which what is not UTF-8 is replaced. The caller of the
// export gets the number back with `undergo_error_dispatched`. NULL when there is no dispatcher.
struct undergo_error_t *undergo_error_new_dispatched(const char *message,
                                                     size_t len,
                                                     const struct undergo_dispatcher_t *dispatcher,
                                                     uint64_t id);

// Gives the number of the host's own error that this is. Whether it is one.
bool undergo_error_dispatched(const struct undergo_error_t *error, uint64_t *id);

// Calls an export of an instance. NULL does nothing.
void undergo_instance_enter(struct undergo_entry_t *entry);

// Calls an export of whichever instance of a pool is free. NULL does nothing.
void undergo_pool_enter(struct undergo_entry_t *entry);

// An error of the kind host-error, for a host function to return. The text is copied; what is not UTF-8 in it is replaced.
struct undergo_error_t *undergo_error_new(const char *message);

// An error of another kind, for what belongs to the host's side of a call, such as a value of a wrong type: for libraries over this one. A number that is no kind is
// host-error.
struct undergo_error_t *undergo_error_of_kind(int32_t kind,
                                              const char *message);

// The same, with a payload, which the caller of the export gets back with `undergo_error_payload`. `destroy`, if there is one, is called once, when the last
// that has the error lets go of it, on whichever thread that is.
struct undergo_error_t *undergo_error_new_with(const char *message,
                                               void *payload,
                                               undergo_destroy_fn destroy);

// Frees an error. NULL is accepted.
void undergo_error_delete(struct undergo_error_t *error);

// What went wrong; `UNDERGO_NONE` for NULL.
enum undergo_kind_t undergo_error_kind(const struct undergo_error_t *error);

// The name of a kind in every language, as `"type-mismatch"`; NULL for a number that is none.
const char *undergo_kind_name(int32_t kind);

// The sentence, without the path. Lives as long as the error, as all its texts; NULL for NULL.
const char *undergo_error_message(const struct undergo_error_t *error);

// Where the value is that does not fit, as `greet(p.tags[3])`; empty when the error is not about a value.
const char *undergo_error_path(const struct undergo_error_t *error);

// The path, if there is one, and the message: what to print.
const char *undergo_error_text(const struct undergo_error_t *error);

// What the plugin wrote to its standard error during the call, or the end of it; empty when nothing.
const char *undergo_error_stderr(const struct undergo_error_t *error);

// What the sandbox denied the plugin of the network in the call that failed, the last such thing, with the rule that would allow it: perhaps why it failed. NULL when nothing.
const char *undergo_error_denied(const struct undergo_error_t *error);

// Gives the code of os.Exit. Whether there is one.
bool undergo_error_exit_code(const struct undergo_error_t *error, int32_t *code);

// How many frames the traceback has: of the goroutine that ended the call, innermost first.
size_t undergo_error_frame_count(const struct undergo_error_t *error);

// Gives a frame of the traceback. Whether there is one of that index.
bool undergo_error_frame(const struct undergo_error_t *error, size_t index, struct undergo_frame_t *frame);

// The payload of the host function's own error that this is; NULL when there is none. It belongs to the error.
void *undergo_error_payload(const struct undergo_error_t *error);

// The payload, if `destroy` is what it was given with, and NULL otherwise: for programs whose errors come from more than one library, and have payloads of more
// than one type.
void *undergo_error_payload_of(const struct undergo_error_t *error,
                               undergo_destroy_fn destroy);

// Another handle of the same error, which the caller frees, or hands on. NULL for NULL.
struct undergo_error_t *undergo_error_copy(const struct undergo_error_t *error);

// No functions yet. Free it with `undergo_imports_delete`.
struct undergo_imports_t *undergo_imports_new(void);

// Frees it. NULL is accepted. Instances that were made with it keep the functions, and their user data, for as long as they live.
void undergo_imports_delete(struct undergo_imports_t *imports);

// Gives a function, by the WIT names of its interface and its own. What the plugin does not import is left alone. `destroy`, if there is one, is called once with the user
// data, when nobody can call the function any more (the imports and all instances that were made with them are gone), or at once when this fails.
struct undergo_error_t *undergo_imports_set(struct undergo_imports_t *imports,
                                            const char *interface,
                                            const char *name,
                                            undergo_host_fn function,
                                            void *user_data,
                                            undergo_destroy_fn destroy);

// Gives a function with structs: for generated headers, which know the adapter and the signature. The signature must stay where it is.
struct undergo_error_t *undergo_imports_set_typed(struct undergo_imports_t *imports,
                                                  const struct undergo_signature_t *signature,
                                                  undergo_adapter_fn adapter,
                                                  undergo_any_fn function,
                                                  void *user_data);

// Has user data that several functions share live as long as these: `destroy` is called once, when nobody can call any of them any more, or at once when this fails.
struct undergo_error_t *undergo_imports_keep(struct undergo_imports_t *imports,
                                             void *user_data,
                                             undergo_destroy_fn destroy);

// Frees an instance, which no thread may be calling. NULL is accepted.
void undergo_instance_delete(struct undergo_instance_t *instance);

// Calls an export by its WIT name. `args` is an array of `count` values, which stay the caller's, and `options` may be NULL. `*result` becomes a value that the caller frees with
// `undergo_value_delete`; `result` may be NULL.
struct undergo_error_t *undergo_instance_call(const struct undergo_instance_t *instance,
                                              const char *name,
                                              const undergo_value_t *const *args,
                                              size_t count,
                                              const struct undergo_call_options_t *options,
                                              undergo_value_t **result);

// Calls an export with structs: for generated headers, which know the signature and the structs that belong to it.
//
// `args` points to the struct of the arguments, `result` to a place for the result, which must not be read when this fails. All that the result points to lies in `*arena`, which the
// caller frees with `undergo_arena_delete`; `arena` may be NULL for a result that points to nothing.
struct undergo_error_t *undergo_instance_invoke(const struct undergo_instance_t *instance,
                                                const struct undergo_signature_t *signature,
                                                const void *args,
                                                const struct undergo_call_options_t *options,
                                                void *result,
                                                struct undergo_arena_t **arena);

// The plugin that it is a copy of, as a handle that the caller frees. NULL for NULL.
struct undergo_plugin_t *undergo_instance_plugin(const struct undergo_instance_t *instance);

// Whether the instance answers calls.
bool undergo_instance_is_alive(const struct undergo_instance_t *instance);

// What calls of an instance that has ended get: dead-instance, with the first cause. NULL while it lives.
struct undergo_error_t *undergo_instance_end(const struct undergo_instance_t *instance);

// Gives what the last call used, or the initialisation before the first. Can be read while a call is under way, and once the instance has ended.
struct undergo_error_t *undergo_instance_usage(const struct undergo_instance_t *instance,
                                               struct undergo_usage_t *usage);

// Whether its code is that of the better compiler.
bool undergo_instance_is_best(const struct undergo_instance_t *instance);

// Makes the guest anew: memory, goroutines and globals are as after the first initialisation, and an instance that has ended lives again.
//
// Nothing is compiled, and host functions, sandbox and limits stay; captured output that was not taken stays, too. Waits for a call that is under way; busy from within a host function
// that this instance called. `options`, which may be NULL, are about the wait and the initialisation.
struct undergo_error_t *undergo_instance_reset(const struct undergo_instance_t *instance,
                                               const struct undergo_call_options_t *options);

// Gives the guest's background goroutines a turn: they run only while a call does. `options` may be NULL.
struct undergo_error_t *undergo_instance_poll(const struct undergo_instance_t *instance, const struct undergo_call_options_t *options);

// Takes what the guest wrote to a captured standard output: bytes, which the caller frees with `undergo_value_delete`.
undergo_value_t *undergo_instance_take_stdout(const struct undergo_instance_t *instance);

// Takes what the guest wrote to a captured standard error, in the same way.
undergo_value_t *undergo_instance_take_stderr(const struct undergo_instance_t *instance);

// What the sandbox has denied this instance so far of the network, each thing once with the rule that would allow it, 64 of them at the most: a list of strings, which the caller frees with
// `undergo_value_delete`. Can be read while a call is under way, and once the instance has ended.
undergo_value_t *undergo_instance_denied(const struct undergo_instance_t *instance);

// Copies `len` bytes of guest memory from `address` on to `buffer`. Addresses are the guest's, and every access is checked.
struct undergo_error_t *undergo_instance_read_memory(const struct undergo_instance_t *instance, uint32_t address, void *buffer, size_t len);

// Copies `len` bytes to guest memory from `address` on.
struct undergo_error_t *undergo_instance_write_memory(const struct undergo_instance_t *instance,
                                                      uint32_t address,
                                                      const void *data,
                                                      size_t len);

// Gives the size of guest memory in bytes, which only grows.
struct undergo_error_t *undergo_instance_memory_size(const struct undergo_instance_t *instance, uint64_t *size);

// Loads a `.wasm` file, and gives the plugin, which the caller frees with `undergo_plugin_delete`.
struct undergo_error_t *undergo_plugin_load(const char *file,
                                            const struct undergo_plugin_options_t *options,
                                            struct undergo_plugin_t **plugin);

// Loads a plugin from the content of a `.wasm` file, which is not needed any more afterwards. `name` is what its os.Args[0] will be; `"plugin.wasm"` for NULL.
struct undergo_error_t *undergo_plugin_from_bytes(const void *content,
                                                  size_t len,
                                                  const char *name,
                                                  const struct undergo_plugin_options_t *options,
                                                  struct undergo_plugin_t **plugin);

// Loads a compiled plugin, which `undergo compile` made: native code, which is run as it is, outside the sandbox. `trusted` must be true, to say that the file comes from there through
// hands that you trust. Damage is noticed, malice is not.
struct undergo_error_t *undergo_plugin_load_compiled(const char *file,
                                                     bool trusted,
                                                     struct undergo_plugin_t **plugin);

// Frees a plugin. NULL is accepted. Instances and pools of it live on.
void undergo_plugin_delete(struct undergo_plugin_t *plugin);

// Makes an instance: its own memory, goroutines and globals. The caller frees it with `undergo_instance_delete`.
//
// `imports` are the functions that the plugin needs, `sandbox` is what it may reach, and `limits` what it may use; each may be NULL, and all stay the caller's.
struct undergo_error_t *undergo_plugin_instantiate(const struct undergo_plugin_t *plugin,
                                                   const struct undergo_imports_t *imports,
                                                   const struct undergo_sandbox_t *sandbox,
                                                   const struct undergo_limits_t *limits,
                                                   struct undergo_instance_t **instance);

// The same with options of its own for the initialisation, which may be NULL: a timeout in place of that of the limits, and what can cancel it.
struct undergo_error_t *undergo_plugin_instantiate_with(const struct undergo_plugin_t *plugin,
                                                        const struct undergo_imports_t *imports,
                                                        const struct undergo_sandbox_t *sandbox,
                                                        const struct undergo_limits_t *limits,
                                                        const struct undergo_call_options_t *options,
                                                        struct undergo_instance_t **instance);

// Makes a pool of instances, which stand in for each other, so that many threads can call at once. The caller frees it with `undergo_pool_delete`.
//
// As `undergo_plugin_instantiate`. Host functions are shared by all instances, and called on the threads of the calls: several at once.
struct undergo_error_t *undergo_plugin_pool(const struct undergo_plugin_t *plugin,
                                            const struct undergo_pool_options_t *pool_options,
                                            const struct undergo_imports_t *imports,
                                            const struct undergo_sandbox_t *sandbox,
                                            const struct undergo_limits_t *limits,
                                            struct undergo_pool_t **pool);

// Fails with signature-mismatch, and all that differs, unless the plugin has these functions: exports, and those imports that name an interface. What the plugin has besides
// is no matter, unless it is an import. A generated header has a function that calls this.
struct undergo_error_t *undergo_plugin_expect(const struct undergo_plugin_t *plugin,
                                              const struct undergo_signature_t *signatures,
                                              size_t count);

// Waits until nothing of it is being compiled in the background, so that new instances have the best code.
struct undergo_error_t *undergo_plugin_wait_compiled(const struct undergo_plugin_t *plugin);

// Gives which code the next instance will have: whether that of the better compiler.
struct undergo_error_t *undergo_plugin_is_best(const struct undergo_plugin_t *plugin, bool *best);

// The name of its file. This and all texts of a plugin live as long as its handle.
const char *undergo_plugin_name(const struct undergo_plugin_t *plugin);

// `"reactor"`, which has exports to call, or `"command"`.
const char *undergo_plugin_kind(const struct undergo_plugin_t *plugin);

// The interface as WIT text; NULL for a module without one.
const char *undergo_plugin_interface(const struct undergo_plugin_t *plugin);

// The version of Go that compiled it; NULL where the module does not say so.
const char *undergo_plugin_go_version(const struct undergo_plugin_t *plugin);

// What went wrong when it was loaded, or was given to its instances in vain, and did no harm, as sentences (that its code can't be cached, say, or rules for the
// network where it opens no sockets): that of this index, or NULL.
const char *undergo_plugin_diagnostic(const struct undergo_plugin_t *plugin,
                                      size_t index);

// The types of its functions as lines of words, for hosts that read and write the structs of arguments and results by what the types are. A line `record NAME SIZE ALIGN` or
// `enum NAME` begins a type, and those before it are numbered from 0 each; `field NAME OFFSET TYPE` and `case NAME` follow it. A line `export DIGEST SIZE FALLIBLE RESULT` begins an
// export, and `import …` an import, in the order of `undergo_plugin_export` and `undergo_plugin_import`; `param NAME OFFSET TYPE` follow it. A TYPE is `bool`, `s8` … `f64`, `i32` or `i64` (of a
// bare module), `string`, `json`, `duration`, `time`, `option T`, `list T`, `map SIZE K OFFSET V`, `tuple COUNT SIZE ALIGN` with `OFFSET T` for each, `record N`, `enum N`; a
// RESULT may be `none`. It lives as long as the plugin's handle.
const char *undergo_plugin_describe(const struct undergo_plugin_t *plugin);

// How many exports the plugin has.
size_t undergo_plugin_export_count(const struct undergo_plugin_t *plugin);

// Gives the export of that number. Whether there is one.
bool undergo_plugin_export(const struct undergo_plugin_t *plugin, size_t number, struct undergo_function_t *function);

// Gives the number of the export of that name, in WIT or as a language writes it: `echoPerson`. unknown-export, with similar names, when there is none.
struct undergo_error_t *undergo_plugin_find(const struct undergo_plugin_t *plugin,
                                            const char *name,
                                            size_t *number);

// How many functions the host has to give.
size_t undergo_plugin_import_count(const struct undergo_plugin_t *plugin);

// Gives the import of that index. Whether there is one.
bool undergo_plugin_import(const struct undergo_plugin_t *plugin, size_t index, struct undergo_function_t *function);

// Frees a pool, which no thread may be calling. NULL is accepted.
void undergo_pool_delete(struct undergo_pool_t *pool);

// Calls an export of whichever instance is free; as `undergo_instance_call`. The timeout covers waiting for an instance and making one.
struct undergo_error_t *undergo_pool_call(const struct undergo_pool_t *pool,
                                          const char *name,
                                          const undergo_value_t *const *args,
                                          size_t count,
                                          const struct undergo_call_options_t *options,
                                          undergo_value_t **result);

// Calls an export with structs; as `undergo_instance_invoke`.
struct undergo_error_t *undergo_pool_invoke(const struct undergo_pool_t *pool,
                                            const struct undergo_signature_t *signature,
                                            const void *args,
                                            const struct undergo_call_options_t *options,
                                            void *result,
                                            struct undergo_arena_t **arena);

// The plugin whose instances these are, as a handle that the caller frees. NULL for NULL.
struct undergo_plugin_t *undergo_pool_plugin(const struct undergo_pool_t *pool);

// The most instances that there are at once.
size_t undergo_pool_size(const struct undergo_pool_t *pool);

// Gives what the pool did so far, and what it has now.
struct undergo_error_t *undergo_pool_stats(const struct undergo_pool_t *pool, struct undergo_pool_stats_t *stats);

// Makes instances until there are that many, or as many as the pool may have, so that the first calls need not.
struct undergo_error_t *undergo_pool_warm_up(const struct undergo_pool_t *pool, size_t instances);

// Turns away new calls and those that wait, which fail with dead-instance; lets those that run finish, and waits for that, so many nanoseconds, or as long as it takes for 0.
//
// Fails with timeout when calls still run by then, and with busy from within a host function that this pool called. The pool is closed in both cases.
struct undergo_error_t *undergo_pool_close(const struct undergo_pool_t *pool,
                                           uint64_t timeout);

// Whether it was closed.
bool undergo_pool_is_closed(const struct undergo_pool_t *pool);

// A sandbox with nothing in it. Free it with `undergo_sandbox_delete`.
struct undergo_sandbox_t *undergo_sandbox_new(void);

// Frees a sandbox. NULL is accepted. Instances that were made with it are not concerned.
void undergo_sandbox_delete(struct undergo_sandbox_t *sandbox);

// Adds one to os.Args, behind the program's name, which is always there.
struct undergo_error_t *undergo_sandbox_add_arg(struct undergo_sandbox_t *sandbox, const char *arg);

// Sets an environment variable. Nothing is taken from this process's own environment.
struct undergo_error_t *undergo_sandbox_set_env(struct undergo_sandbox_t *sandbox, const char *name, const char *value);

// Gives the guest a directory of the host.
//
// `guest` is the path at which the guest sees it, `host` its path on the host, which is opened when an instance, a pool or a run is made with the sandbox. Where none is given at
// `/`, the guest sees an empty root that it can only read.
struct undergo_error_t *undergo_sandbox_add_dir(struct undergo_sandbox_t *sandbox,
                                                const char *guest,
                                                const char *host,
                                                bool readonly);

// Gives the guest a folder for temporary files at `/tmp`, of its own and empty, or none, as by default. It is made with the guest, in the host's own place for such folders,
// and gone when the guest is reset or deleted. Only the host's disk bounds what the guest writes there.
struct undergo_error_t *undergo_sandbox_set_temp(struct undergo_sandbox_t *sandbox,
                                                 bool temp);

// Has the guest read these bytes, which are copied, from its standard input. By default it is empty.
struct undergo_error_t *undergo_sandbox_stdin_bytes(struct undergo_sandbox_t *sandbox, const void *content, size_t len);

// Has the guest read its standard input from a file (or a FIFO), which each instance reads from its beginning.
struct undergo_error_t *undergo_sandbox_stdin_file(struct undergo_sandbox_t *sandbox, const char *file);

// Has the guest read the standard input of this process.
struct undergo_error_t *undergo_sandbox_stdin_inherit(struct undergo_sandbox_t *sandbox);

// Sends an output, `UNDERGO_STDOUT` or `UNDERGO_STDERR`, to the same stream of this process: the default, but for a command that is run, whose
// outputs are captured unless it is said otherwise.
struct undergo_error_t *undergo_sandbox_inherit(struct undergo_sandbox_t *sandbox,
                                                uint32_t stream);

// Drops an output.
struct undergo_error_t *undergo_sandbox_discard(struct undergo_sandbox_t *sandbox, uint32_t stream);

// Keeps an output, to be read with `undergo_instance_take_stdout` or `_stderr`, or `undergo_completed_stdout` or `_stderr`: `limit` bytes of it, and 1 MiB for 0. What is beyond is dropped.
struct undergo_error_t *undergo_sandbox_capture(struct undergo_sandbox_t *sandbox,
                                                uint32_t stream,
                                                size_t limit);

// Gives an output to a function, line by line. A line of more than 64 KiB comes in pieces, and one without a newline when the call ends. `destroy`, if there is one, is
// called once, when the sandbox and all instances that were made with it are gone, or at once when this fails. For a pool, lines of several instances come at
// once, on their threads.
struct undergo_error_t *undergo_sandbox_lines(struct undergo_sandbox_t *sandbox,
                                              uint32_t stream,
                                              undergo_line_fn function,
                                              void *user_data,
                                              undergo_destroy_fn destroy);

// Gives the guest a clock of its own, for runs that can be repeated. It begins at `start`, which is from 1970 on, anew for each instance and each run; it goes on by a microsecond whenever
// the guest reads it, and to the end of a wait (`time.Sleep`, say), which takes no time. Limits of time, and the times of files, are the host's in any case.
struct undergo_error_t *undergo_sandbox_set_clock(struct undergo_sandbox_t *sandbox,
                                                  struct undergo_time_t start);

// Has all random numbers of the guest follow from a seed, those of `crypto/rand` and the order of maps included, for runs that can be repeated: never for keys.
struct undergo_error_t *undergo_sandbox_set_seed(struct undergo_sandbox_t *sandbox,
                                                 uint64_t seed);

// Lets the guest reach something over the network, by one rule: `example.org:443` and `10.0.0.0/8:5432` are for connecting, `listen=127.0.0.1:8080` is for listening; docs/network.md of the
// project has all of them. What no rule allows is denied: see `undergo_completed_denied`, `undergo_instance_denied` and `undergo_error_denied`.
struct undergo_error_t *undergo_sandbox_allow_network(struct undergo_sandbox_t *sandbox,
                                                      const char *rule);

// Listens at an address such as `127.0.0.1:8080` for the guest, which accepts there at descriptor 3 (and behind the directories', one more for each further listener), and needs no rule.
// The system chooses a port for 0; `port`, if it is not NULL, gets the one that it is. The listener is open at once, is shared by all instances, and is closed with the last of them and the sandbox.
struct undergo_error_t *undergo_sandbox_listen(struct undergo_sandbox_t *sandbox,
                                               const char *address,
                                               uint16_t *port);

// Hands a listener to the guest that is open already, by its descriptor, which is Undergo's from then on, also when this fails: a TCP socket that listens, of a `dup`, say. As
// `undergo_sandbox_listen` otherwise.
struct undergo_error_t *undergo_sandbox_give_listener(struct undergo_sandbox_t *sandbox,
                                                      int32_t descriptor);

// Nothing, for an option without a value.
undergo_value_t *undergo_value_none(void);

// A bool.
undergo_value_t *undergo_value_bool(bool value);

// An integer, for a parameter of any width in which it fits.
undergo_value_t *undergo_value_int(int64_t value);

// An integer that may need all of 64 unsigned bits.
undergo_value_t *undergo_value_uint(uint64_t value);

// A float of either width.
undergo_value_t *undergo_value_float(double value);

// A text that ends with a NUL, which is copied; also the case of an enum, by its WIT name. What is not UTF-8 is kept as bytes, which no parameter for text takes: the
// call says so. NULL is none.
undergo_value_t *undergo_value_string(const char *text);

// The same with a length, so that the text may have NULs within.
undergo_value_t *undergo_value_string_n(const char *text, size_t len);

// Bytes, which are copied.
undergo_value_t *undergo_value_bytes(const void *content, size_t len);

// A text that holds one JSON value, for a parameter of that type. As `undergo_value_string_n`.
undergo_value_t *undergo_value_json(const char *text, size_t len);

// A duration in nanoseconds.
undergo_value_t *undergo_value_duration(int64_t nanoseconds);

// An instant.
undergo_value_t *undergo_value_time(struct undergo_time_t time);

// A list without items, for `undergo_value_push`. It serves for a tuple, too.
undergo_value_t *undergo_value_list(void);

// A map without entries, for `undergo_value_put`.
undergo_value_t *undergo_value_map(void);

// A record without fields, for `undergo_value_set`.
undergo_value_t *undergo_value_record(void);

// A copy of a value with all that is in it.
undergo_value_t *undergo_value_copy(const undergo_value_t *value);

// Frees a value with all that is in it. NULL is accepted.
void undergo_value_delete(undergo_value_t *value);

// Adds an item to a list. The item is the list's from then on, also when this fails.
struct undergo_error_t *undergo_value_push(undergo_value_t *list, undergo_value_t *item);

// Adds an entry to a map. Key and value are the map's from then on, also when this fails.
struct undergo_error_t *undergo_value_put(undergo_value_t *map, undergo_value_t *key, undergo_value_t *value);

// Sets a field of a record, by its WIT name. The value is the record's from then on, also when this fails.
struct undergo_error_t *undergo_value_set(undergo_value_t *record, const char *name, undergo_value_t *value);

// What a value is.
enum undergo_value_kind_t undergo_value_kind(const undergo_value_t *value);

// Gives the bool that a value is. Whether it is one; as of all of these, `out` is left alone when it is not.
bool undergo_value_get_bool(const undergo_value_t *value, bool *out);

// Gives the integer that a value is, where it fits.
bool undergo_value_get_int(const undergo_value_t *value, int64_t *out);

// Gives the integer that a value is, where it is not negative.
bool undergo_value_get_uint(const undergo_value_t *value, uint64_t *out);

// Gives the float that a value is.
bool undergo_value_get_float(const undergo_value_t *value, double *out);

// Gives the text that a value is: a string, a case, or JSON. It lives as long as the value, and no NUL is behind it.
bool undergo_value_get_string(const undergo_value_t *value, struct undergo_string_t *out);

// Gives the bytes that a value is. They live as long as the value.
bool undergo_value_get_bytes(const undergo_value_t *value, struct undergo_bytes_t *out);

// Gives the nanoseconds that a value is.
bool undergo_value_get_duration(const undergo_value_t *value, int64_t *out);

// Gives the instant that a value is.
bool undergo_value_get_time(const undergo_value_t *value, struct undergo_time_t *out);

// How many items, entries or fields a value has; 0 for one that has none.
size_t undergo_value_len(const undergo_value_t *value);

// The item of a list, the value of a map's entry, or of a record's field, of that index; NULL when there is none.
const undergo_value_t *undergo_value_at(const undergo_value_t *value, size_t index);

// The key of a map's entry of that index; NULL when there is none.
const undergo_value_t *undergo_value_key_at(const undergo_value_t *map, size_t index);

// Gives the name of a record's field of that index, which lives as long as the record. Whether there is one.
bool undergo_value_name_at(const undergo_value_t *record, size_t index, struct undergo_string_t *name);

// The value of a record's field, by its WIT name; NULL when there is none.
const undergo_value_t *undergo_value_get(const undergo_value_t *record, const char *name);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNDERGO_H */

#ifndef UNDERGO_TEXT_H
#define UNDERGO_TEXT_H

// A text that ends with a NUL, as a value for structs: it is not copied. Empty for NULL.
static inline undergo_string_t undergo_text(const char *text) {
  undergo_string_t value;
  value.ptr = text;
  value.len = text == NULL ? 0 : strlen(text);
  return value;
}

// Does not compile where the condition does not hold.
#if defined(__cplusplus)
#define UNDERGO_STATIC_ASSERT(holds, name) static_assert(holds, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define UNDERGO_STATIC_ASSERT(holds, name) _Static_assert(holds, #name)
#else
#define UNDERGO_STATIC_ASSERT(holds, name) enum { name = sizeof(char[(holds) ? 1 : -1]) }
#endif

#endif
