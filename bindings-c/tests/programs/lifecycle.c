// Instances and pools: limits, deadlines, cancelling, threads, streams, memory, and who frees what.
//
// Usage: lifecycle conformance.wasm

#include <pthread.h>

#include "check.h"
#include "guest.h"

static undergo_error_t *refuse(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)args;
  (void)result;
  return undergo_error_new("not here");
}

static undergo_error_t *echo(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  *result = undergo_value_copy(undergo_value_at(args, 0));
  return NULL;
}

static int destroyed;

static void count(void *data) { destroyed += *(int *)data; }

// Functions for all imports: those that echo, and others that refuse.
static undergo_imports_t *imports_of(const undergo_plugin_t *plugin) {
  undergo_imports_t *imports = undergo_imports_new();
  undergo_function_t function;
  for (size_t i = 0; undergo_plugin_import(plugin, i, &function); i++) {
    const bool echoes = strncmp(function.name, "echo-", 5) == 0;
    OK(undergo_imports_set(imports, function.interface, function.name, echoes ? echo : refuse, NULL, NULL));
  }
  return imports;
}

static undergo_instance_t *start(const undergo_plugin_t *plugin, const undergo_sandbox_t *sandbox, const undergo_limits_t *limits) {
  undergo_imports_t *imports = imports_of(plugin);
  undergo_instance_t *instance;
  OK(undergo_plugin_instantiate(plugin, imports, sandbox, limits, &instance));
  undergo_imports_delete(imports);
  return instance;
}

static void limits(const undergo_plugin_t *plugin) {
  // Under valgrind, to make an instance takes longer.
  const undergo_limits_t timeout = {.timeout = compiling() != NULL ? 5 * UNDERGO_SECOND : 50 * UNDERGO_MILLISECOND};
  undergo_instance_t *guest = start(plugin, NULL, NULL);
  const undergo_call_options_t soon = {.timeout = 50 * UNDERGO_MILLISECOND};
  FAILS(guest_spin(guest, &soon), UNDERGO_TIMEOUT, "50ms");
  CHECK(!undergo_instance_is_alive(guest));
  undergo_error_t *end = undergo_instance_end(guest);
  CHECK(undergo_error_kind(end) == UNDERGO_DEAD_INSTANCE && strstr(undergo_error_message(end), "timeout") != NULL);
  undergo_error_delete(end);

  // It begins anew.
  int32_t counter;
  OK(undergo_instance_reset(guest, NULL));
  CHECK(undergo_instance_is_alive(guest) && undergo_instance_end(guest) == NULL);
  OK(guest_counter(guest, NULL, &counter));
  OK(guest_counter(guest, NULL, &counter));
  CHECK(counter == 2);
  OK(undergo_instance_reset(guest, NULL));
  OK(guest_counter(guest, NULL, &counter));
  CHECK(counter == 1);
  undergo_usage_t usage;
  OK(undergo_instance_usage(guest, &usage));
  CHECK(usage.time > 0 && usage.memory > 65536 && !usage.has_fuel);
  undergo_plugin_t *same = undergo_instance_plugin(guest);
  CHECK(strcmp(undergo_plugin_name(same), undergo_plugin_name(plugin)) == 0);
  undergo_plugin_delete(same);
  undergo_instance_delete(guest);

  guest = start(plugin, NULL, &timeout);
  FAILS(guest_sleep(guest, 60000, NULL), UNDERGO_TIMEOUT, "longer than its timeout of");
  undergo_instance_delete(guest);

  const undergo_limits_t memory = {.memory = 32 << 20};
  guest = start(plugin, NULL, &memory);
  int32_t got;
  FAILS(guest_alloc(guest, 256, NULL, &got), UNDERGO_OUT_OF_MEMORY, "");
  undergo_instance_delete(guest);

  // Goroutines in the background run when they are given time.
  guest = start(plugin, NULL, NULL);
  int32_t before, after;
  OK(guest_start_background(guest, NULL));
  OK(guest_background(guest, NULL, &before));
  for (int i = 0; i < 10; i++) {
    OK(undergo_instance_poll(guest, NULL));
  }
  OK(guest_background(guest, NULL, &after));
  CHECK(after > before);

  // Memory is read and written with every access checked.
  uint64_t size;
  OK(undergo_instance_memory_size(guest, &size));
  char kept[4], back[4];
  OK(undergo_instance_read_memory(guest, 4096, kept, 4));
  OK(undergo_instance_write_memory(guest, 4096, kept, 4));
  OK(undergo_instance_read_memory(guest, 4096, back, 4));
  CHECK(memcmp(kept, back, 4) == 0);
  FAILS(undergo_instance_read_memory(guest, (uint32_t)size - 2, back, 4), UNDERGO_TYPE_MISMATCH, "outside the guest's memory");
  FAILS(undergo_instance_write_memory(guest, UINT32_MAX, kept, 4), UNDERGO_TYPE_MISMATCH, "outside the guest's memory");
  FAILS(undergo_instance_read_memory(guest, 4096, NULL, 4), UNDERGO_TYPE_MISMATCH, "buffer is NULL");
  OK(undergo_instance_read_memory(guest, 4096, NULL, 0));
  undergo_instance_delete(guest);
}

static void fuel(const undergo_plugin_t *plugin) {
  const undergo_limits_t limits = {.fuel = 500 * 1000 * 1000};
  undergo_instance_t *guest = start(plugin, NULL, &limits);
  undergo_usage_t usage;
  OK(guest_nothing(guest, NULL));
  OK(undergo_instance_usage(guest, &usage));
  CHECK(usage.has_fuel && usage.fuel > 0);
  FAILS(guest_spin(guest, NULL), UNDERGO_OUT_OF_FUEL, "");
  undergo_instance_delete(guest);
}

static void *cancel_soon(void *data) {
  undergo_cancel_cancel(data);
  return NULL;
}

static void cancelling(const undergo_plugin_t *plugin) {
  undergo_instance_t *guest = start(plugin, NULL, NULL);
  undergo_cancel_t *cancel = undergo_cancel_new();
  CHECK(!undergo_cancel_is_cancelled(cancel));
  const undergo_call_options_t options = {.cancel = cancel};
  OK(guest_nothing(guest, &options));
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, cancel_soon, cancel) == 0);
  FAILS(guest_spin(guest, &options), UNDERGO_CANCELLED, "");
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(undergo_cancel_is_cancelled(cancel));
  undergo_cancel_delete(cancel);
  undergo_instance_delete(guest);
}

static undergo_error_t *collect(void *data, const char *line, size_t len) {
  char *all = data;
  CHECK(strlen(line) == len);
  if (strcmp(line, "stop") == 0) {
    return undergo_error_new("enough");
  }
  strcat(strcat(all, line), ";");
  return NULL;
}

static void streams(const undergo_plugin_t *plugin) {
  char lines[200] = "";
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  OK(undergo_sandbox_add_arg(sandbox, "--mode"));
  OK(undergo_sandbox_set_env(sandbox, "MODE", "old"));
  OK(undergo_sandbox_set_env(sandbox, "MODE", "prod"));
  OK(undergo_sandbox_capture(sandbox, UNDERGO_STDOUT, 0));
  OK(undergo_sandbox_lines(sandbox, UNDERGO_STDERR, collect, lines, NULL));
  undergo_instance_t *guest = start(plugin, sandbox, NULL);
  undergo_sandbox_delete(sandbox);
  OK(guest_print(guest, undergo_text("out\n"), undergo_text("one\ntwo"), NULL));
  CHECK(strcmp(lines, "one;two;") == 0);
  undergo_value_t *out = undergo_instance_take_stdout(guest);
  undergo_bytes_t bytes;
  CHECK(undergo_value_get_bytes(out, &bytes) && bytes.len == 4 && memcmp(bytes.ptr, "out\n", 4) == 0);
  undergo_value_delete(out);
  const undergo_string_t *mode;
  undergo_arena_t *arena;
  OK(guest_env(guest, undergo_text("MODE"), NULL, &mode, &arena));
  CHECK(is(*mode, "prod"));
  undergo_arena_delete(arena);
  FAILS(guest_print(guest, undergo_text(""), undergo_text("stop\n"), NULL), UNDERGO_HOST_ERROR, "enough");
  CHECK(!undergo_instance_is_alive(guest));
  undergo_instance_delete(guest);
}

enum { THREADS = 8, CALLS = 50 };

static void *call_often(void *data) {
  const undergo_pool_t *pool = data;
  for (int i = 0; i < CALLS; i++) {
    undergo_string_t text;
    undergo_arena_t *arena;
    char sent[20];
    snprintf(sent, sizeof sent, "call %d", i);
    OK(guest_pool_echo_string(pool, undergo_text(sent), NULL, &text, &arena));
    CHECK(is(text, sent));
    undergo_arena_delete(arena);
    int64_t sum;
    OK(guest_pool_sum_in_goroutines(pool, 10, NULL, &sum));
    CHECK(sum == 55);
  }
  return NULL;
}

static void pools(const undergo_plugin_t *plugin) {
  undergo_imports_t *imports = imports_of(plugin);
  undergo_pool_t *pool;
  int one = 1;
  OK(undergo_imports_keep(imports, &one, count));
  const undergo_pool_options_t none = {0};
  FAILS(undergo_plugin_pool(plugin, &none, imports, NULL, NULL, &pool), UNDERGO_TYPE_MISMATCH, "size can't be 0");
  CHECK(pool == NULL);
  const undergo_pool_options_t options = {.size = 3, .warm = 2};
  OK(undergo_plugin_pool(plugin, &options, imports, NULL, NULL, &pool));
  undergo_imports_delete(imports);
  undergo_pool_stats_t stats;
  OK(undergo_pool_stats(pool, &stats));
  CHECK(stats.idle == 2 && stats.made == 2 && undergo_pool_size(pool) == 3);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, call_often, pool) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
  }
  FAILS(guest_pool_panic(pool, undergo_text("oh"), NULL), UNDERGO_PANIC, "oh");
  undergo_value_t *text = undergo_value_string("x"), *result;
  const undergo_value_t *args[] = {text};
  OK(undergo_pool_call(pool, "echo-string", args, 1, NULL, &result));
  undergo_string_t back;
  CHECK(undergo_value_get_string(result, &back) && is(back, "x"));
  undergo_value_delete(result);
  FAILS(undergo_pool_call(pool, "echo-strings", args, 1, NULL, &result), UNDERGO_TYPE_MISMATCH, "expected list<string>, got string");
  CHECK(result == NULL);
  undergo_value_delete(text);
  OK(undergo_pool_warm_up(pool, 3));
  OK(undergo_pool_stats(pool, &stats));
  CHECK(stats.died == 1 && stats.busy == 0 && stats.idle == 3 && stats.calls == THREADS * CALLS * 2 + 2);
  CHECK(!undergo_pool_is_closed(pool));
  OK(undergo_pool_close(pool, UNDERGO_SECOND));
  CHECK(undergo_pool_is_closed(pool));
  FAILS(guest_pool_nothing(pool, NULL), UNDERGO_DEAD_INSTANCE, "closed");
  undergo_plugin_t *same = undergo_pool_plugin(pool);
  CHECK(undergo_plugin_export_count(same) == undergo_plugin_export_count(plugin));
  undergo_plugin_delete(same);
  CHECK(destroyed == 0);
  undergo_pool_delete(pool);
  // The user data of host functions is let go with the last that can call them.
  CHECK(destroyed == 1);
}

// An error outlasts what it came from, and a plugin may go before its instances.
static void orders(const char *file) {
  undergo_plugin_t *plugin;
  OK(guest_plugin_load(file, compiling(), &plugin));
  undergo_instance_t *guest = start(plugin, NULL, NULL);
  undergo_plugin_delete(plugin);
  undergo_string_t text;
  undergo_arena_t *arena;
  OK(guest_echo_string(guest, undergo_text("still"), NULL, &text, &arena));
  undergo_error_t *error = guest_panic(guest, undergo_text("oh dear"), NULL);
  undergo_instance_delete(guest);
  CHECK(is(text, "still"));
  undergo_arena_delete(arena);
  CHECK(undergo_error_kind(error) == UNDERGO_PANIC && strcmp(undergo_error_message(error), "oh dear") == 0);
  undergo_frame_t frame;
  bool found = false;
  for (size_t i = 0; i < undergo_error_frame_count(error); i++) {
    CHECK(undergo_error_frame(error, i, &frame));
    found = found || (strcmp(frame.function, "main.Panic") == 0 && strstr(frame.file, "lifecycle.go") != NULL && frame.line > 0);
  }
  CHECK(found && strstr(undergo_error_stderr(error), "panic: oh dear") != NULL);
  undergo_error_delete(error);
}

// Two instances of one plugin, which imports some functions as it exports them.
static void links(const undergo_plugin_t *plugin) {
  undergo_instance_t *inner = start(plugin, NULL, NULL);
  undergo_instance_t *outer = NULL;
  undergo_imports_t *imports = imports_of(plugin);
  OK(undergo_imports_link(imports, "host", inner));
  FAILS(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &outer), UNDERGO_SIGNATURE_MISMATCH, "the import is host.many(");
  const char *others[] = {"many", "notes", "fail"};
  for (size_t i = 0; i < 3; i++) {
    OK(undergo_imports_set(imports, "host", others[i], refuse, NULL, NULL));
  }
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &outer));
  FAILS(undergo_imports_link(imports, "host", NULL), UNDERGO_TYPE_MISMATCH, "instance");
  undergo_imports_delete(imports);
  // The link keeps it.
  undergo_instance_delete(inner);
  guest_tuple_s64_s64_t both;
  OK(guest_divmod_through_host(outer, 17, 5, NULL, &both));
  CHECK(both.f0 == 3 && both.f1 == 2);
  undergo_instance_delete(outer);

  undergo_pool_t *pool;
  undergo_instance_t *lent;
  const undergo_pool_options_t one = {.size = 1};
  imports = imports_of(plugin);
  OK(undergo_plugin_pool(plugin, &one, imports, NULL, NULL, &pool));
  OK(undergo_pool_take(pool, NULL, &lent));
  FAILS(undergo_imports_link(imports, "host", lent), UNDERGO_TYPE_MISMATCH, "one of a pool");
  undergo_instance_delete(lent);
  undergo_pool_delete(pool);
  undergo_imports_delete(imports);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  undergo_plugin_t *plugin;
  OK(guest_plugin_load(argv[1], compiling(), &plugin));
  OK(undergo_plugin_wait_compiled(plugin));
  limits(plugin);
  fuel(plugin);
  cancelling(plugin);
  streams(plugin);
  pools(plugin);
  links(plugin);
  orders(argv[1]);
  OK(undergo_plugin_wait_compiled(plugin));
  undergo_plugin_delete(plugin);
  printf("ok\n");
  return 0;
}
