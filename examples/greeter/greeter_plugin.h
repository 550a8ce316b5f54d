// Typed access to the plugin greeter.wasm. Written by undergo bindgen; don't edit it, but write it anew.
//
// All that a result points to lies in the arena that comes with it, and is freed at once by undergo_arena_delete. Each
// function returns NULL, or an error, which the caller frees with undergo_error_delete; then there is no result, and
// nothing else to free.

#ifndef UNDERGO_BINDGEN_GREETER_H
#define UNDERGO_BINDGEN_GREETER_H

#include <undergo.h>

#ifdef __cplusplus
extern "C" {
#endif

// Person is somebody to be greeted.
typedef struct greeter_person_t {
  undergo_string_t name;
  // optional
  const undergo_string_t *email;  // or NULL
  undergo_list_string_t tags;
} greeter_person_t;
UNDERGO_STATIC_ASSERT(
    sizeof(greeter_person_t) == (sizeof(void *) == 8 ? 40 : 20) &&
    offsetof(greeter_person_t, name) == 0 &&
    offsetof(greeter_person_t, email) == (sizeof(void *) == 8 ? 16 : 8) &&
    offsetof(greeter_person_t, tags) == (sizeof(void *) == 8 ? 24 : 12),
    greeter_person_t_as_undergo_has_it);

// The functions that this header was generated for: the exports by their numbers, the imports, and those
// of resources.
static const undergo_signature_t greeter_signatures[] = {
  {NULL, "greet", "greet(p: person, shout: bool) -> result<string, string>", UINT64_C(0x28c108d1edd86768), 0},
  {NULL, "initial", "initial(p: person) -> string", UINT64_C(0x5e1dcf0149a988d1), 1},
  {"directory", "lookup", "lookup(name: string) -> result<list<string>, string>", UINT64_C(0xda65a573b2f4c18d), 0},
};

// Fails with signature-mismatch, and all that differs, unless the plugin has what this header was generated for.
static inline undergo_error_t *greeter_plugin_check(const undergo_plugin_t *plugin) {
  return undergo_plugin_expect(plugin, greeter_signatures, 3);
}

// Loads greeter.wasm, and checks it. The caller frees the plugin with undergo_plugin_delete.
static inline undergo_error_t *greeter_plugin_load(
    const char *file,
    const undergo_plugin_options_t *options,
    undergo_plugin_t **plugin) {
  undergo_error_t *error = undergo_plugin_load(file, options, plugin);
  if (error == NULL) {
    error = greeter_plugin_check(*plugin);
    if (error != NULL) {
      undergo_plugin_delete(*plugin);
      *plugin = NULL;
    }
  }
  return error;
}

// Greet says hello to p, and names what p likes: the tags of p, and those that
// the host's directory has.
static inline undergo_error_t *greeter_greet(
    const undergo_instance_t *instance,
    greeter_person_t p,
    bool shout,
    const undergo_call_options_t *options,
    undergo_string_t *result,
    undergo_arena_t **arena) {
  struct {
    greeter_person_t p;
    bool shout;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 48 : 24), args_as_undergo_has_it);
  args.p = p;
  args.shout = shout;
  return undergo_instance_invoke(instance, &greeter_signatures[0], &args, options, result, arena);
}

// As greeter_greet, of whichever instance is free.
static inline undergo_error_t *greeter_pool_greet(
    const undergo_pool_t *pool,
    greeter_person_t p,
    bool shout,
    const undergo_call_options_t *options,
    undergo_string_t *result,
    undergo_arena_t **arena) {
  struct {
    greeter_person_t p;
    bool shout;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 48 : 24), args_as_undergo_has_it);
  args.p = p;
  args.shout = shout;
  return undergo_pool_invoke(pool, &greeter_signatures[0], &args, options, result, arena);
}

// Initial is the first letter of the name of p. It panics when there is none.
static inline undergo_error_t *greeter_initial(
    const undergo_instance_t *instance,
    greeter_person_t p,
    const undergo_call_options_t *options,
    undergo_string_t *result,
    undergo_arena_t **arena) {
  struct {
    greeter_person_t p;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 40 : 20), args_as_undergo_has_it);
  args.p = p;
  return undergo_instance_invoke(instance, &greeter_signatures[1], &args, options, result, arena);
}

// As greeter_initial, of whichever instance is free.
static inline undergo_error_t *greeter_pool_initial(
    const undergo_pool_t *pool,
    greeter_person_t p,
    const undergo_call_options_t *options,
    undergo_string_t *result,
    undergo_arena_t **arena) {
  struct {
    greeter_person_t p;
  } args;
  UNDERGO_STATIC_ASSERT(sizeof(args) == (sizeof(void *) == 8 ? 40 : 20), args_as_undergo_has_it);
  args.p = p;
  return undergo_pool_invoke(pool, &greeter_signatures[1], &args, options, result, arena);
}

// What the host gives as directory. Each function gets the user data that comes with them.
// Arguments live as long as the call; a result, too: what it points to may lie in the arena (undergo_arena_alloc,
// undergo_arena_copy). It returns NULL, or an error.
typedef struct greeter_directory_t {
  // Lookup asks the host for a person's tags.
  undergo_error_t *(*lookup)(
      void *user_data,
      undergo_string_t name,
      undergo_list_string_t *result,
      undergo_arena_t *arena);
} greeter_directory_t;

static inline undergo_error_t *greeter_directory_lookup_adapter(
    undergo_any_fn function,
    void *user_data,
    const void *args,
    void *result,
    undergo_arena_t *arena) {
  typedef undergo_error_t *(*call_t)(
      void *user_data,
      undergo_string_t name,
      undergo_list_string_t *result,
      undergo_arena_t *arena);
  typedef struct {
    undergo_string_t name;
  } given_t;
  UNDERGO_STATIC_ASSERT(sizeof(given_t) == (sizeof(void *) == 8 ? 16 : 8), given_t_as_undergo_has_it);
  const given_t *given = (const given_t *)args;
  return ((call_t)function)(user_data, given->name, (undergo_list_string_t *)result, arena);
}

// Gives the functions of directory. destroy, which may be NULL, is called once with the user data, when the imports and
// all instances that were made with them are gone.
static inline undergo_error_t *greeter_set_directory(
    undergo_imports_t *imports,
    const greeter_directory_t *functions,
    void *user_data,
    undergo_destroy_fn destroy) {
  undergo_error_t *error = undergo_imports_keep(imports, user_data, destroy);
  if (error == NULL) {
    error = undergo_imports_set_typed(
        imports, &greeter_signatures[2], greeter_directory_lookup_adapter, (undergo_any_fn)functions->lookup, user_data);
  }
  return error;
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif
