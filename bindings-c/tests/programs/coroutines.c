// Coroutines of ucontext: one that leaves a host function in the middle keeps others out of the
// guests of its thread.
//
// Usage: coroutines conformance.wasm

#define _GNU_SOURCE
#include <ucontext.h>

#include "check.h"

enum { STACK = 256 << 10 };

static ucontext_t main_context, coroutine_context[2];
static int current;

// A call of an export with one text, on a coroutine.
static struct {
  undergo_instance_t *instance;
  undergo_error_t *error;
  undergo_value_t *result;
} calls[2];

static void yield_now(void) { swapcontext(&coroutine_context[current], &main_context); }

static void resume(int number) {
  current = number;
  swapcontext(&main_context, &coroutine_context[number]);
}

static undergo_error_t *call(undergo_instance_t *instance, undergo_value_t **result) {
  undergo_value_t *text = undergo_value_string("a");
  const undergo_value_t *args[] = {text};
  undergo_error_t *error = undergo_instance_call(instance, "catch-failure", args, 1, NULL, result);
  undergo_value_delete(text);
  return error;
}

static void run(void) {
  const int number = current;
  calls[number].error = call(calls[number].instance, &calls[number].result);
  yield_now();
}

static void start(int number, char *stack) {
  getcontext(&coroutine_context[number]);
  coroutine_context[number].uc_stack.ss_sp = stack;
  coroutine_context[number].uc_stack.ss_size = STACK;
  makecontext(&coroutine_context[number], run, 0);
  resume(number);
}

static undergo_error_t *leave(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  *result = undergo_value_copy(undergo_value_at(args, 0));
  yield_now();
  return NULL;
}

static undergo_error_t *refuse(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)args;
  (void)result;
  return undergo_error_new("not here");
}

static undergo_instance_t *make(const undergo_plugin_t *plugin) {
  undergo_imports_t *imports = undergo_imports_new();
  undergo_function_t function;
  for (size_t i = 0; undergo_plugin_import(plugin, i, &function); i++) {
    const undergo_host_fn given = strcmp(function.name, "fail") == 0 ? leave : refuse;
    OK(undergo_imports_set(imports, function.interface, function.name, given, NULL, NULL));
  }
  undergo_instance_t *instance;
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));
  undergo_imports_delete(imports);
  return instance;
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  undergo_plugin_t *plugin;
  OK(undergo_plugin_load(argv[1], NULL, &plugin));
  calls[0].instance = make(plugin);
  calls[1].instance = make(plugin);
  char *const stacks[2] = {malloc(STACK), malloc(STACK)};
  CHECK(stacks[0] != NULL && stacks[1] != NULL);
  // Whichever lies above the other.
  for (int first = 0; first < 2; first++) {
    const int second = 1 - first;
    start(first, stacks[first]);
    start(second, stacks[second]);
    FAILS(calls[second].error, UNDERGO_BUSY, "another greenlet, fiber or coroutine");
    // The thread's own stack is another one, too.
    FAILS(call(calls[second].instance, NULL), UNDERGO_BUSY, "another greenlet, fiber or coroutine");
    FAILS(call(calls[first].instance, NULL), UNDERGO_BUSY, "another greenlet, fiber or coroutine");
    resume(first);
    OK(calls[first].error);
    undergo_string_t text;
    CHECK(undergo_value_get_string(calls[first].result, &text) && strncmp(text.ptr, "no error, but a", text.len) == 0);
    undergo_value_delete(calls[first].result);
  }
  free(stacks[0]);
  free(stacks[1]);
  undergo_instance_delete(calls[0].instance);
  undergo_instance_delete(calls[1].instance);
  undergo_plugin_delete(plugin);
  puts("ok");
}
