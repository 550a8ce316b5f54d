// Typed access to the plugin markdown.wasm. Written by undergo bindgen; don't edit it, but write it anew.
//
// All that a result points to lies in the arena that comes with it, and is freed at once by undergo_arena_delete. Each
// function returns NULL, or an error, which the caller frees with undergo_error_delete; then there is no result, and
// nothing else to free.

#ifndef UNDERGO_BINDGEN_MARKDOWN_H
#define UNDERGO_BINDGEN_MARKDOWN_H

#include <undergo.h>

#ifdef __cplusplus
extern "C" {
#endif

// Options say how a document is rendered.
typedef struct markdown_options_t {
  // GitHub's tables, strikethrough, autolinks and task lists.
  bool github;
  // Whether HTML in the document is kept. It is left out otherwise.
  bool unsafe;
} markdown_options_t;
UNDERGO_STATIC_ASSERT(
    sizeof(markdown_options_t) == 2 &&
    offsetof(markdown_options_t, github) == 0 &&
    offsetof(markdown_options_t, unsafe) == 1,
    markdown_options_t_as_undergo_has_it);

// Heading is a heading of a document.
typedef struct markdown_heading_t {
  int64_t level;
  undergo_string_t text;
  undergo_string_t id;
  // from 1
  int64_t line;
} markdown_heading_t;
UNDERGO_STATIC_ASSERT(
    sizeof(markdown_heading_t) == (sizeof(void *) == 8 ? 48 : 32) &&
    offsetof(markdown_heading_t, level) == 0 &&
    offsetof(markdown_heading_t, text) == 8 &&
    offsetof(markdown_heading_t, id) == (sizeof(void *) == 8 ? 24 : 16) &&
    offsetof(markdown_heading_t, line) == (sizeof(void *) == 8 ? 40 : 24),
    markdown_heading_t_as_undergo_has_it);

// A list of len items.
typedef struct markdown_list_heading_t {
  const markdown_heading_t *ptr;
  size_t len;
} markdown_list_heading_t;
UNDERGO_STATIC_ASSERT(
    sizeof(markdown_list_heading_t) == (sizeof(void *) == 8 ? 16 : 8) &&
    offsetof(markdown_list_heading_t, ptr) == 0 &&
    offsetof(markdown_list_heading_t, len) == (sizeof(void *) == 8 ? 8 : 4),
    markdown_list_heading_t_as_undergo_has_it);

// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
static const undergo_signature_t markdown_signatures[] = {
  {NULL, "render", "render(source: list<u8>, options: option<options>) -> result<string, string>", UINT64_C(0xd17bd7dbd65a4b16), 0},
  {NULL, "outline", "outline(source: list<u8>) -> list<heading>", UINT64_C(0xff80bb2f2866ea75), 1},
};

// Fails with signature-mismatch, and all that differs, unless the plugin has what this header was generated for.
static inline undergo_error_t *markdown_plugin_check(const undergo_plugin_t *plugin) {
  return undergo_plugin_expect(plugin, markdown_signatures, 2);
}

// Loads markdown.wasm, and checks it. The caller frees the plugin with undergo_plugin_delete.
static inline undergo_error_t *markdown_plugin_load(
    const char *file,
    const undergo_plugin_options_t *options,
    undergo_plugin_t **plugin) {
  undergo_error_t *error = undergo_plugin_load(file, options, plugin);
  if (error == NULL) {
    error = markdown_plugin_check(*plugin);
    if (error != NULL) {
      undergo_plugin_delete(*plugin);
      *plugin = NULL;
    }
  }
  return error;
}

// Render gives the HTML of a Markdown document.
static inline undergo_error_t *markdown_render(
    const undergo_instance_t *instance,
    undergo_bytes_t source,
    const markdown_options_t *options_,
    const undergo_call_options_t *options,
    undergo_string_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_bytes_t source;
    const markdown_options_t *options_;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 24 : 12), args_as_undergo_has_it);
  args.source = source;
  args.options_ = options_;
  return undergo_instance_invoke(instance, &markdown_signatures[0], &args, options, result, arena);
}

// As markdown_render, of whichever instance is free.
static inline undergo_error_t *markdown_pool_render(
    const undergo_pool_t *pool,
    undergo_bytes_t source,
    const markdown_options_t *options_,
    const undergo_call_options_t *options,
    undergo_string_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_bytes_t source;
    const markdown_options_t *options_;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 24 : 12), args_as_undergo_has_it);
  args.source = source;
  args.options_ = options_;
  return undergo_pool_invoke(pool, &markdown_signatures[0], &args, options, result, arena);
}

// Outline gives the headings of a Markdown document.
static inline undergo_error_t *markdown_outline(
    const undergo_instance_t *instance,
    undergo_bytes_t source,
    const undergo_call_options_t *options,
    markdown_list_heading_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_bytes_t source;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 16 : 8), args_as_undergo_has_it);
  args.source = source;
  return undergo_instance_invoke(instance, &markdown_signatures[1], &args, options, result, arena);
}

// As markdown_outline, of whichever instance is free.
static inline undergo_error_t *markdown_pool_outline(
    const undergo_pool_t *pool,
    undergo_bytes_t source,
    const undergo_call_options_t *options,
    markdown_list_heading_t *result,
    undergo_arena_t **arena) {
  struct {
    undergo_bytes_t source;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 16 : 8), args_as_undergo_has_it);
  args.source = source;
  return undergo_pool_invoke(pool, &markdown_signatures[1], &args, options, result, arena);
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif
