// Calls the same Go functions in both ways: as a plugin through the generated header, and in a
// native c-shared library (cgo). Both sides take turns.
//
// Usage: main plugin.wasm

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "native.h"
#include "plugin.h"

#include "host.h"

// The library that this program was linked with.
#ifndef LIBRARY
#define LIBRARY "libundergo.so"
#endif

enum { ROUNDS = 15, SCALARS = 200000, STRINGS = 100000 };

static const undergo_instance_t *instance;
static int64_t sum;

static void our_add(int number) {
  for (int i = 0; i < number; i++) {
    int32_t result;
    must(plugin_add(instance, i, 1, NULL, &result));
    sum += result;
  }
}

static void their_add(int number) {
  for (int i = 0; i < number; i++) {
    sum += Add(i, 1);
  }
}

static void our_echo(int number) {
  for (int i = 0; i < number; i++) {
    undergo_string_t result;
    undergo_arena_t *arena;
    must(plugin_echo_string(instance, (undergo_string_t){"hello world", 11}, NULL, &result, &arena));
    sum += (int64_t)result.len;
    undergo_arena_delete(arena);
  }
}

static void their_echo(int number) {
  for (int i = 0; i < number; i++) {
    char *result = EchoString("hello world");
    sum += (int64_t)strlen(result);
    free(result);
  }
}

static double timed(void (*calls)(int), int number) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  calls(number);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / number;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Measures in turns, prints a row, and says whether the bound holds for the median ratio.
static bool compare(const char *what, double bound, void (*ours)(int), void (*theirs)(int), int number) {
  double ratios[ROUNDS], base[ROUNDS];
  ours(number / 4);
  theirs(number / 4);
  for (int i = 0; i < ROUNDS; i++) {
    const double mine = timed(ours, number);
    base[i] = timed(theirs, number);
    ratios[i] = mine / base[i];
  }
  qsort(ratios, ROUNDS, sizeof *ratios, ascending);
  qsort(base, ROUNDS, sizeof *base, ascending);
  const double ratio = ratios[ROUNDS / 2], other = base[ROUNDS / 2];
  printf("| %s | native Go, c-shared | %.0f ns | %.0f ns | %.2f × | ≤ %.1f ×%s |\n", what, other * ratio, other, ratio, bound,
         ratio <= bound ? "" : ", **missed**");
  return ratio <= bound;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s plugin.wasm\n", argv[0]);
    return 2;
  }
  undergo_plugin_t *plugin;
  undergo_instance_t *made;
  undergo_imports_t *imports = undergo_imports_new();
  const plugin_host_t host = {.upper = upper, .pause = wait};
  must(plugin_plugin_load(argv[1], NULL, &plugin));
  must(undergo_plugin_wait_compiled(plugin));
  must(plugin_set_host(imports, &host, NULL, NULL));
  must(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &made));
  undergo_imports_delete(imports);
  instance = made;
  printf("| C, " LIBRARY " | against | Undergo | the other | ratio | bound |\n| --- | --- | --- | --- | --- | --- |\n");
  const bool scalar = compare("`add(int32, int32)`", 1.5, our_add, their_add, SCALARS);
  const bool string = compare("string → string, 11 bytes", 1.0, our_echo, their_echo, STRINGS);
  undergo_instance_delete(made);
  undergo_plugin_delete(plugin);
  // 3 says that a bound is missed.
  return scalar && string && sum != 0 ? 0 : 3;
}
