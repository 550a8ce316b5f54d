// Measures calls of a plugin, a module or a component, through the header that was generated for
// it. Prints nanoseconds a call of add, and of a string there and back. Run by ../components.py.
//
// Usage: program plugin.wasm

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plugin.h"

#include "host.h"

// The names in the header begin with that of the world, which components have lost.
#define JOINED(prefix, name) prefix##_##name
#define NAMED(prefix, name) JOINED(prefix, name)
#define OF(name) NAMED(WORLD, name)

enum { CALLS = 50000 };

static int64_t sum;

static void add(const undergo_instance_t *instance) {
  int32_t result;
  must(OF(add)(instance, 2, 3, NULL, &result));
  sum += result;
}

static void echo(const undergo_instance_t *instance) {
  undergo_string_t result;
  undergo_arena_t *arena;
  must(OF(echo_string)(instance, (undergo_string_t){"hello world", 11}, NULL, &result, &arena));
  sum += (int64_t)result.len;
  undergo_arena_delete(arena);
}

static double timed(void (*call)(const undergo_instance_t *), const undergo_instance_t *instance) {
  struct timespec begin, end;
  for (int i = 0; i < CALLS / 4; i++) {
    call(instance);
  }
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < CALLS; i++) {
    call(instance);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / CALLS;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s plugin.wasm\n", argv[0]);
    return 2;
  }
  undergo_plugin_t *plugin;
  undergo_instance_t *instance;
  undergo_imports_t *imports = undergo_imports_new();
  const OF(host_t) host = {.upper = upper, .pause = wait};
  must(OF(plugin_load)(argv[1], NULL, &plugin));
  must(undergo_plugin_wait_compiled(plugin));
  must(OF(set_host)(imports, &host, NULL, NULL));
  must(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));
  undergo_imports_delete(imports);
  const double scalars = timed(add, instance), strings = timed(echo, instance);
  printf("%f %f\n", scalars, strings);
  undergo_instance_delete(instance);
  undergo_plugin_delete(plugin);
  return sum == 0;
}
