// Calls the greeter: values and errors there and back.
//
// Usage: main greeter.wasm

#include <stdio.h>
#include <stdlib.h>

#include "greeter_plugin.h"

// Ends the program when something has failed that should not.
static void must(undergo_error_t *error) {
  if (error != NULL) {
    fprintf(stderr, "%s: %s\n", undergo_kind_name(undergo_error_kind(error)), undergo_error_text(error));
    exit(1);
  }
}

// Prints an error that was to be expected, and frees it.
static void show(undergo_error_t *error, const char *between, const char *(*part)(const undergo_error_t *)) {
  printf("%s: %s%s\n", undergo_kind_name(undergo_error_kind(error)), between, part(error));
  undergo_error_delete(error);
}

static bool is(undergo_string_t text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

// Gives a person's tags; the plugin calls this.
static undergo_error_t *lookup(void *user_data, undergo_string_t name, undergo_list_string_t *result, undergo_arena_t *arena) {
  (void)user_data;
  (void)arena;
  static const undergo_string_t ada[] = {{"mathematics", 11}, {"engines", 7}};
  if (is(name, "Ada")) {
    result->ptr = ada;
    result->len = 2;
    return NULL;
  }
  if (is(name, "Grace")) {
    return NULL;
  }
  char text[200];
  snprintf(text, sizeof text, "%.*s is not in the directory", (int)name.len, name.ptr);
  return undergo_error_new(text);
}

static undergo_instance_t *start(const undergo_plugin_t *plugin) {
  undergo_imports_t *imports = undergo_imports_new();
  const greeter_directory_t directory = {lookup};
  must(greeter_set_directory(imports, &directory, NULL, NULL));
  const undergo_limits_t limits = {.memory = 64 << 20, .timeout = 5 * UNDERGO_SECOND};
  undergo_instance_t *instance;
  must(undergo_plugin_instantiate(plugin, imports, NULL, &limits, &instance));
  undergo_imports_delete(imports);
  return instance;
}

static void greet(const undergo_instance_t *greeter, greeter_person_t person, bool shout) {
  undergo_string_t text;
  undergo_arena_t *arena;
  must(greeter_greet(greeter, person, shout, NULL, &text, &arena));
  printf("%s\n", text.ptr);
  undergo_arena_delete(arena);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s greeter.wasm\n", argv[0]);
    return 2;
  }
  undergo_plugin_t *plugin;
  must(greeter_plugin_load(argv[1], NULL, &plugin));
  undergo_instance_t *greeter = start(plugin);

  // What the plugin has, with the comments of its Go source.
  undergo_function_t function;
  printf("exports:");
  for (size_t i = 0; undergo_plugin_export(plugin, i, &function); i++) {
    printf("%s %s", i == 0 ? "" : ",", function.name);
  }
  undergo_plugin_export(plugin, 0, &function);
  printf("\n%s\n\n", function.docs);

  // What is optional is NULL where there is nothing.
  const greeter_person_t ada = {.name = undergo_text("Ada")};
  greet(greeter, ada, false);

  const undergo_string_t email = undergo_text("grace@example.com"), compilers = undergo_text("compilers");
  const greeter_person_t grace = {.name = undergo_text("Grace"), .email = &email, .tags = {&compilers, 1}};
  greet(greeter, grace, true);
  printf("\n");

  // An error that the Go function returns.
  undergo_string_t text;
  undergo_arena_t *arena;
  const greeter_person_t unnamed = {.name = undergo_text("")};
  show(greeter_greet(greeter, unnamed, false, NULL, &text, &arena), "", undergo_error_message);

  // An error of a C function reaches Go as an error, where the Go function has one among its
  // results.
  const greeter_person_t nobody = {.name = undergo_text("Nobody")};
  show(greeter_greet(greeter, nobody, false, NULL, &text, &arena), "", undergo_error_message);

  // Without the header's types, a value may not fit: the path says which.
  undergo_value_t *tags = undergo_value_list(), *person = undergo_value_record(), *shout = undergo_value_bool(false);
  must(undergo_value_push(tags, undergo_value_string("a")));
  must(undergo_value_push(tags, undergo_value_string("b")));
  must(undergo_value_push(tags, undergo_value_int(3)));
  must(undergo_value_set(person, "name", undergo_value_string("Ada")));
  must(undergo_value_set(person, "tags", tags));
  const undergo_value_t *args[] = {person, shout};
  show(undergo_instance_call(greeter, "greet", args, 2, NULL, NULL), "at ", undergo_error_path);

  // A name that is misspelt.
  show(undergo_instance_call(greeter, "great", args, 2, NULL, NULL), "", undergo_error_message);
  undergo_value_delete(person);
  undergo_value_delete(shout);

  // The instance has lived through all of these. A panic ends it.
  printf("%s\n", undergo_instance_is_alive(greeter) ? "alive" : "ended");
  undergo_error_t *panic = greeter_initial(greeter, unnamed, NULL, &text, &arena);
  undergo_frame_t frame;
  undergo_error_frame(panic, 0, &frame);
  printf("%s: %s\nin %s\n", undergo_kind_name(undergo_error_kind(panic)), undergo_error_message(panic), frame.function);
  undergo_error_delete(panic);
  printf("%s\n", undergo_instance_is_alive(greeter) ? "alive" : "ended");
  undergo_instance_delete(greeter);

  // The plugin itself is as good as ever, and a new instance is quickly made.
  greeter = start(plugin);
  must(greeter_initial(greeter, grace, NULL, &text, &arena));
  printf("%s\n", text.ptr);
  undergo_arena_delete(arena);
  undergo_instance_delete(greeter);
  undergo_plugin_delete(plugin);
  return 0;
}
