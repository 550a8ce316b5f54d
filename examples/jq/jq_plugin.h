// Typed access to the plugin jq.wasm. Written by undergo bindgen; don't edit it, but write it anew.
//
// All that a result points to lies in the arena that comes with it, and is freed at once by undergo_arena_delete. Each
// function returns NULL, or an error, which the caller frees with undergo_error_delete; then there is no result, and
// nothing else to free.

#ifndef UNDERGO_BINDGEN_JQ_H
#define UNDERGO_BINDGEN_JQ_H

#include <undergo.h>

#ifdef __cplusplus
extern "C" {
#endif

// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
static const undergo_signature_t jq_signatures[] = {
  {NULL, "load", "load(name: string, document: list<u8>) -> result<s64, string>", UINT64_C(0xad151d9080f81e52), 0},
  {NULL, "query", "query(name: string, query: string) -> result<list<json>, string>", UINT64_C(0xaff10125d51ff69c), 1},
  {NULL, "eval", "eval(query: string, value: json) -> result<list<json>, string>", UINT64_C(0x9454626e84881c50), 2},
};

// Fails with signature-mismatch, and all that differs, unless the plugin has what this header was generated for.
static inline undergo_error_t *jq_plugin_check(const undergo_plugin_t *plugin) {
  return undergo_plugin_expect(plugin, jq_signatures, 3);
}

// Loads jq.wasm, and checks it. The caller frees the plugin with undergo_plugin_delete.
static inline undergo_error_t *jq_plugin_load(
    const char *file,
    const undergo_plugin_options_t *options,
    undergo_plugin_t **plugin) {
  undergo_error_t *error = undergo_plugin_load(file, options, plugin);
  if (error == NULL) {
    error = jq_plugin_check(*plugin);
    if (error != NULL) {
      undergo_plugin_delete(*plugin);
      *plugin = NULL;
    }
  }
  return error;
}

// Load keeps a JSON document under a name, and gives the number of its
// outermost items.
static inline undergo_error_t *jq_load(
    const undergo_instance_t *instance,
    undergo_string_t name,
    undergo_bytes_t document,
    const undergo_call_options_t *options,
    int64_t *result) {
  struct {
    undergo_string_t name;
    undergo_bytes_t document;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 32 : 16), args_as_undergo_has_it);
  args.name = name;
  args.document = document;
  return undergo_instance_invoke(instance, &jq_signatures[0], &args, options, result, NULL);
}

// As jq_load, of whichever instance is free.
static inline undergo_error_t *jq_pool_load(
    const undergo_pool_t *pool,
    undergo_string_t name,
    undergo_bytes_t document,
    const undergo_call_options_t *options,
    int64_t *result) {
  struct {
    undergo_string_t name;
    undergo_bytes_t document;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 32 : 16), args_as_undergo_has_it);
  args.name = name;
  args.document = document;
  return undergo_pool_invoke(pool, &jq_signatures[0], &args, options, result, NULL);
}

// Query runs a query over a document that was loaded, and gives its results.
static inline undergo_error_t *jq_query(
    const undergo_instance_t *instance,
    undergo_string_t name,
    undergo_string_t query,
    const undergo_call_options_t *options,
    undergo_list_string_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_string_t name;
    undergo_string_t query;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 32 : 16), args_as_undergo_has_it);
  args.name = name;
  args.query = query;
  return undergo_instance_invoke(instance, &jq_signatures[1], &args, options, result, arena);
}

// As jq_query, of whichever instance is free.
static inline undergo_error_t *jq_pool_query(
    const undergo_pool_t *pool,
    undergo_string_t name,
    undergo_string_t query,
    const undergo_call_options_t *options,
    undergo_list_string_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_string_t name;
    undergo_string_t query;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 32 : 16), args_as_undergo_has_it);
  args.name = name;
  args.query = query;
  return undergo_pool_invoke(pool, &jq_signatures[1], &args, options, result, arena);
}

// Eval runs a query over a value.
static inline undergo_error_t *jq_eval(
    const undergo_instance_t *instance,
    undergo_string_t query,
    undergo_string_t value,
    const undergo_call_options_t *options,
    undergo_list_string_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_string_t query;
    undergo_string_t value;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 32 : 16), args_as_undergo_has_it);
  args.query = query;
  args.value = value;
  return undergo_instance_invoke(instance, &jq_signatures[2], &args, options, result, arena);
}

// As jq_eval, of whichever instance is free.
static inline undergo_error_t *jq_pool_eval(
    const undergo_pool_t *pool,
    undergo_string_t query,
    undergo_string_t value,
    const undergo_call_options_t *options,
    undergo_list_string_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_string_t query;
    undergo_string_t value;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 32 : 16), args_as_undergo_has_it);
  args.query = query;
  args.value = value;
  return undergo_pool_invoke(pool, &jq_signatures[2], &args, options, result, arena);
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif
