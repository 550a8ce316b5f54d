// Commands: programs that begin, end, and answer with their exit code.
//
// Usage: command command.wasm conformance.wasm              checks
//        command command.wasm NAME=VALUE... -- INPUT ARG...    one run: prints its result

#include <pthread.h>

#include "check.h"

static bool same(undergo_bytes_t bytes, const char *wanted) { return is((undergo_string_t){(const char *)bytes.ptr, bytes.len}, wanted); }

static undergo_sandbox_t *with_args(const char *first, const char *second) {
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  OK(undergo_sandbox_add_arg(sandbox, first));
  if (second != NULL) {
    OK(undergo_sandbox_add_arg(sandbox, second));
  }
  return sandbox;
}

static undergo_error_t *keep(void *data, const char *line, size_t len) {
  char *kept = data;
  strncat(kept, line, len);
  return NULL;
}

static void outputs(const undergo_plugin_t *command) {
  undergo_sandbox_t *sandbox = with_args("exit", "3");
  char lines[100] = "";
  OK(undergo_sandbox_lines(sandbox, UNDERGO_STDOUT, keep, lines, NULL));
  OK(undergo_sandbox_capture(sandbox, UNDERGO_STDERR, 2));
  undergo_completed_t *done;
  OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
  CHECK(undergo_completed_code(done) == 3 && strcmp(lines, "out") == 0);
  CHECK(undergo_completed_stdout(done).len == 0 && same(undergo_completed_stderr(done), "er"));
  CHECK(undergo_completed_is_truncated(done));
  const undergo_usage_t usage = undergo_completed_usage(done);
  CHECK(usage.time > 0 && usage.memory >= 65536 && !usage.has_fuel);
  undergo_completed_delete(done);
  undergo_sandbox_delete(sandbox);
}

static void temporary(const undergo_plugin_t *command) {
  undergo_sandbox_t *sandbox = with_args("temp", NULL);
  for (int given = 0; given < 2; given++) {
    OK(undergo_sandbox_set_temp(sandbox, given));
    undergo_completed_t *done;
    OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
    CHECK(undergo_completed_code(done) == !given && same(undergo_completed_stdout(done), given ? "/tmp" : ""));
    undergo_completed_delete(done);
  }
  undergo_sandbox_delete(sandbox);
}

// What a run prints that depends on clocks and random numbers; the caller frees it.
static undergo_completed_t *chance(const undergo_plugin_t *command, int64_t start, uint64_t seed) {
  undergo_sandbox_t *sandbox = with_args("chance", NULL);
  OK(undergo_sandbox_set_clock(sandbox, (undergo_time_t){start, 500000000, 3600}));
  OK(undergo_sandbox_set_seed(sandbox, seed));
  undergo_completed_t *done;
  OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
  CHECK(undergo_completed_code(done) == 0);
  undergo_sandbox_delete(sandbox);
  return done;
}

static void repeated(const undergo_plugin_t *command) {
  undergo_completed_t *first = chance(command, 1770000000, 7);
  undergo_completed_t *same = chance(command, 1770000000, 7);
  undergo_completed_t *other = chance(command, 1770000000, 8);
  const undergo_bytes_t a = undergo_completed_stdout(first), b = undergo_completed_stdout(same), c = undergo_completed_stdout(other);
  CHECK(a.len > 100 && memcmp(a.ptr, "now 2026-02-02T02:40:00.5000", 28) == 0);
  CHECK(a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0);
  CHECK(a.len != c.len || memcmp(a.ptr, c.ptr, a.len) != 0);
  undergo_completed_delete(first);
  undergo_completed_delete(same);
  undergo_completed_delete(other);
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  FAILS(undergo_sandbox_set_clock(sandbox, (undergo_time_t){-1, 0, 0}), UNDERGO_TYPE_MISMATCH, "from 1970 on");
  FAILS(undergo_sandbox_set_clock(sandbox, (undergo_time_t){0, 1000000000, 0}), UNDERGO_TYPE_MISMATCH, "from 1970 on");
  undergo_sandbox_delete(sandbox);
}

static void *cancel(void *token) {
  undergo_cancel_cancel(token);
  return NULL;
}

static void ends(const undergo_plugin_t *command) {
  for (int i = 0; i < 2; i++) {
    undergo_sandbox_t *sandbox = with_args(i == 0 ? "spin" : "sleep", NULL);
    undergo_completed_t *done;
    const undergo_call_options_t soon = {.timeout = 50 * UNDERGO_MILLISECOND};
    FAILS(undergo_plugin_run(command, NULL, sandbox, NULL, &soon, &done), UNDERGO_TIMEOUT, "50ms");
    CHECK(done == NULL);
    const undergo_limits_t limits = {.timeout = 50 * UNDERGO_MILLISECOND};
    FAILS(undergo_plugin_run(command, NULL, sandbox, &limits, NULL, &done), UNDERGO_TIMEOUT, "50ms");
    undergo_cancel_t *token = undergo_cancel_new();
    const undergo_call_options_t options = {.cancel = token};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel, token) == 0);
    FAILS(undergo_plugin_run(command, NULL, sandbox, NULL, &options, &done), UNDERGO_CANCELLED, "cancelled");
    CHECK(pthread_join(thread, NULL) == 0);
    undergo_cancel_delete(token);
    undergo_sandbox_delete(sandbox);
  }
}

static void mistakes(const undergo_plugin_t *command, const undergo_plugin_t *plugin) {
  undergo_completed_t *done;
  FAILS(undergo_plugin_run(plugin, NULL, NULL, NULL, NULL, &done), UNDERGO_INVALID_PLUGIN, "instantiate it");
  FAILS(undergo_plugin_run(NULL, NULL, NULL, NULL, NULL, &done), UNDERGO_TYPE_MISMATCH, "plugin is NULL");
  FAILS(undergo_plugin_run(command, NULL, NULL, NULL, NULL, NULL), UNDERGO_TYPE_MISMATCH, "completed is NULL");
  CHECK(undergo_completed_code(NULL) == -1 && undergo_completed_stdout(NULL).len == 0 && undergo_completed_stderr(NULL).len == 0);
  CHECK(!undergo_completed_is_truncated(NULL) && undergo_completed_usage(NULL).memory == 0);
  undergo_completed_delete(NULL);
}

static void run_once(const undergo_plugin_t *command, char **words) {
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  for (; strcmp(*words, "--") != 0; words++) {
    char *value = strchr(*words, '=');
    CHECK(value != NULL);
    *value = 0;
    OK(undergo_sandbox_set_env(sandbox, *words, value + 1));
  }
  words++;
  OK(undergo_sandbox_stdin_bytes(sandbox, *words, strlen(*words)));
  for (words++; *words != NULL; words++) {
    OK(undergo_sandbox_add_arg(sandbox, *words));
  }
  undergo_completed_t *done;
  OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
  const undergo_bytes_t out = undergo_completed_stdout(done);
  const undergo_bytes_t err = undergo_completed_stderr(done);
  printf("%d %d %zu %zu\n", undergo_completed_code(done), undergo_completed_is_truncated(done), out.len, err.len);
  CHECK(fwrite(out.ptr, 1, out.len, stdout) == out.len && fwrite(err.ptr, 1, err.len, stdout) == err.len);
  undergo_completed_delete(done);
  undergo_sandbox_delete(sandbox);
}

int main(int argc, char **argv) {
  CHECK(argc >= 3);
  undergo_plugin_t *command;
  OK(undergo_plugin_load(argv[1], compiling(), &command));
  if (argc > 3) {
    run_once(command, argv + 2);
  } else {
    undergo_plugin_t *plugin;
    OK(undergo_plugin_load(argv[2], compiling(), &plugin));
    outputs(command);
    temporary(command);
    repeated(command);
    ends(command);
    mistakes(command, plugin);
    undergo_plugin_delete(plugin);
    printf("ok\n");
  }
  undergo_plugin_delete(command);
  return 0;
}
