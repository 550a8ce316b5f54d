// Values as handles, and what the handles of undergo.h say to mistakes.
//
// Usage: values conformance.wasm

#include "check.h"

static int destroyed;

static void count(void *data) { destroyed += *(int *)data; }

static void getters(void) {
  bool yes = false;
  int64_t integer = 1;
  uint64_t large = 1;
  double real = 1;
  undergo_string_t text;
  undergo_bytes_t bytes;
  undergo_time_t time = {-5, 6, 7};

  undergo_value_t *value = undergo_value_bool(true);
  CHECK(undergo_value_kind(value) == UNDERGO_VALUE_BOOL && undergo_value_get_bool(value, &yes) && yes);
  CHECK(!undergo_value_get_int(value, &integer) && integer == 1 && undergo_value_len(value) == 0);
  undergo_value_delete(value);

  value = undergo_value_int(-7);
  CHECK(undergo_value_get_int(value, &integer) && integer == -7 && !undergo_value_get_uint(value, &large) && large == 1);
  CHECK(undergo_value_get_int(value, NULL));
  undergo_value_delete(value);

  value = undergo_value_uint(UINT64_MAX);
  CHECK(undergo_value_kind(value) == UNDERGO_VALUE_UINT && undergo_value_get_uint(value, &large) && large == UINT64_MAX);
  CHECK(!undergo_value_get_int(value, &integer));
  undergo_value_delete(value);

  value = undergo_value_uint(5);
  CHECK(undergo_value_kind(value) == UNDERGO_VALUE_INT);
  undergo_value_delete(value);

  value = undergo_value_float(0.25);
  CHECK(undergo_value_get_float(value, &real) && real == 0.25 && !undergo_value_get_string(value, &text));
  undergo_value_delete(value);

  value = undergo_value_string_n("a\0b", 3);
  CHECK(undergo_value_get_string(value, &text) && text.len == 3 && memcmp(text.ptr, "a\0b", 3) == 0);
  undergo_value_delete(value);

  // What is not UTF-8 is no text.
  value = undergo_value_string("\xff");
  CHECK(undergo_value_kind(value) == UNDERGO_VALUE_BYTES && undergo_value_get_bytes(value, &bytes) && bytes.len == 1);
  undergo_value_delete(value);

  value = undergo_value_string(NULL);
  CHECK(undergo_value_kind(value) == UNDERGO_VALUE_NONE);
  undergo_value_delete(value);

  value = undergo_value_time(time);
  time.seconds = 0;
  CHECK(undergo_value_get_time(value, &time) && time.seconds == -5 && time.nanoseconds == 6 && time.offset == 7);
  undergo_value_delete(value);

  value = undergo_value_duration(9);
  CHECK(undergo_value_get_duration(value, &integer) && integer == 9);
  undergo_value_delete(value);

  CHECK(undergo_value_kind(NULL) == UNDERGO_VALUE_NONE && undergo_value_at(NULL, 0) == NULL && undergo_value_get(NULL, "x") == NULL);
  undergo_value_delete(NULL);
}

static void trees(void) {
  undergo_value_t *list = undergo_value_list(), *map = undergo_value_map(), *record = undergo_value_record();
  OK(undergo_value_push(list, undergo_value_int(1)));
  OK(undergo_value_push(list, undergo_value_int(2)));
  OK(undergo_value_put(map, undergo_value_string("key"), undergo_value_copy(list)));
  OK(undergo_value_set(record, "map", map));
  OK(undergo_value_set(record, "n", undergo_value_none()));
  OK(undergo_value_set(record, "n", undergo_value_int(5)));
  CHECK(undergo_value_len(record) == 2 && undergo_value_len(undergo_value_get(record, "map")) == 1);
  undergo_string_t name;
  CHECK(undergo_value_name_at(record, 1, &name) && is(name, "n") && !undergo_value_name_at(record, 2, &name));
  const undergo_value_t *inner = undergo_value_at(undergo_value_get(record, "map"), 0);
  int64_t second = 0;
  CHECK(undergo_value_get_int(undergo_value_at(inner, 1), &second) && second == 2 && undergo_value_at(inner, 2) == NULL);
  CHECK(undergo_value_get_string(undergo_value_key_at(undergo_value_get(record, "map"), 0), &name) && is(name, "key"));
  CHECK(undergo_value_get(record, "no") == NULL && undergo_value_key_at(list, 0) == NULL);

  // What is handed over is gone, also when this fails.
  FAILS(undergo_value_push(record, undergo_value_string("lost")), UNDERGO_TYPE_MISMATCH, "no list");
  FAILS(undergo_value_put(list, undergo_value_int(1), undergo_value_int(2)), UNDERGO_TYPE_MISMATCH, "no map");
  FAILS(undergo_value_set(list, "x", undergo_value_int(1)), UNDERGO_TYPE_MISMATCH, "no record");
  FAILS(undergo_value_set(record, "\xff", undergo_value_int(1)), UNDERGO_TYPE_MISMATCH, "name is not UTF-8");
  FAILS(undergo_value_push(NULL, undergo_value_int(1)), UNDERGO_TYPE_MISMATCH, "list is NULL");
  FAILS(undergo_value_push(list, NULL), UNDERGO_TYPE_MISMATCH, "item is NULL");
  undergo_value_delete(record);
  undergo_value_delete(list);
}

static void variants(void) {
  undergo_string_t name;
  undergo_value_t *circle = undergo_value_variant("circle", undergo_value_float(1.5));
  CHECK(undergo_value_kind(circle) == UNDERGO_VALUE_VARIANT && undergo_value_get_variant(circle, &name) && is(name, "circle"));
  double radius = 0;
  CHECK(undergo_value_len(circle) == 1 && undergo_value_get_float(undergo_value_at(circle, 0), &radius) && radius == 1.5);
  CHECK(undergo_value_at(circle, 1) == NULL && undergo_value_get(circle, "circle") == NULL && !undergo_value_name_at(circle, 0, &name));
  undergo_value_t *copy = undergo_value_copy(circle);
  undergo_value_delete(circle);
  CHECK(undergo_value_len(copy) == 1);
  FAILS(undergo_value_push(copy, undergo_value_int(1)), UNDERGO_TYPE_MISMATCH, "no list, but of the kind Variant");
  undergo_value_delete(copy);

  undergo_value_t *empty = undergo_value_variant("empty", NULL);
  CHECK(undergo_value_len(empty) == 0 && undergo_value_at(empty, 0) == NULL && undergo_value_get_variant(empty, NULL));
  CHECK(!undergo_value_get_string(empty, &name));
  undergo_value_delete(empty);

  // A name that is none is for the call to report.
  undergo_value_t *odd = undergo_value_variant(NULL, undergo_value_int(1));
  CHECK(undergo_value_get_variant(odd, &name) && name.len == 0 && !undergo_value_get_variant(NULL, &name));
  undergo_value_delete(odd);
}

static void chains(void) {
  int one = 1;
  undergo_chained_t chained;
  undergo_error_t *plain = undergo_error_new("mine");
  CHECK(undergo_error_chain_count(plain) == 0 && !undergo_error_chained(plain, 0, &chained) && undergo_error_chain_count(NULL) == 0);

  // Whatever happens, what is handed over is freed once.
  destroyed = 0;
  undergo_error_t *error = undergo_error_wrap("outer", undergo_error_new_with("inner", &one, count));
  CHECK(undergo_error_chain_count(error) == 2 && undergo_error_payload(error) == &one && destroyed == 0);
  CHECK(undergo_error_chained(error, 1, &chained) && is(chained.text, "inner") && chained.name == NULL && chained.value == NULL);
  CHECK(undergo_error_chained(error, 0, NULL) && !undergo_error_chained(error, 2, &chained));
  undergo_error_t *copy = undergo_error_copy(error);
  undergo_error_delete(error);
  CHECK(destroyed == 0 && undergo_error_chained(copy, 0, &chained) && is(chained.text, "outer"));
  undergo_error_delete(copy);
  CHECK(destroyed == 1);

  undergo_value_t *fields = undergo_value_record();
  OK(undergo_value_set(fields, "key", undergo_value_string("x")));
  const undergo_chained_t chain[] = {{.text = undergo_text("first")}, {.text = undergo_text("second"), .name = "not-found", .value = fields}};
  error = undergo_error_with_chain(plain, chain, 2);
  undergo_value_delete(fields);
  CHECK(undergo_error_kind(error) == UNDERGO_HOST_ERROR && strcmp(undergo_error_message(error), "mine") == 0);
  CHECK(undergo_error_chained(error, 1, &chained) && strcmp(chained.name, "not-found") == 0 && undergo_value_len(chained.value) == 1);
  CHECK(undergo_error_find(error, 0) == NULL && undergo_error_find(error, 1) == NULL);
  undergo_error_delete(error);

  const undergo_chained_t nowhere = {.text = undergo_text("x"), .name = "not-found", .size = 8}, odd = {.name = "\xff"};
  FAILS(undergo_error_with_chain(undergo_error_new_with("mine", &one, count), &nowhere, 1), UNDERGO_TYPE_MISMATCH, "8 bytes at NULL");
  FAILS(undergo_error_with_chain(undergo_error_new_with("mine", &one, count), &odd, 1), UNDERGO_TYPE_MISMATCH, "is not UTF-8");
  FAILS(undergo_error_with_chain(undergo_error_new_with("mine", &one, count), NULL, 1), UNDERGO_TYPE_MISMATCH, "chain is NULL");
  FAILS(undergo_error_with_chain(NULL, chain, 1), UNDERGO_TYPE_MISMATCH, "error is NULL");
  CHECK(destroyed == 4);
  destroyed = 0;
}

static void errors(void) {
  int one = 1;
  undergo_error_t *error = undergo_error_new_with("mine", &one, count);
  CHECK(undergo_error_payload(error) == &one && undergo_error_kind(error) == UNDERGO_HOST_ERROR);
  CHECK(strcmp(undergo_error_text(error), "mine") == 0 && strcmp(undergo_error_path(error), "") == 0);
  int32_t code = 5;
  undergo_frame_t frame;
  CHECK(!undergo_error_exit_code(error, &code) && code == 5 && !undergo_error_frame(error, 0, &frame));
  CHECK(destroyed == 0);
  undergo_error_delete(error);
  CHECK(destroyed == 1);
  CHECK(undergo_error_kind(NULL) == UNDERGO_NONE && undergo_error_message(NULL) == NULL && undergo_error_payload(NULL) == NULL);
  undergo_error_delete(NULL);
  CHECK(undergo_kind_name(UNDERGO_NONE) == NULL && strcmp(undergo_kind_name(UNDERGO_BUSY), "busy") == 0);
}

static void plugins(const char *file) {
  undergo_plugin_t *plugin = NULL;
  undergo_instance_t *instance = NULL;
  FAILS(undergo_plugin_load("nowhere.wasm", NULL, &plugin), UNDERGO_INVALID_PLUGIN, "nowhere.wasm can't be read");
  CHECK(plugin == NULL);
  FAILS(undergo_plugin_load(NULL, NULL, &plugin), UNDERGO_TYPE_MISMATCH, "file is NULL");
  FAILS(undergo_plugin_load(file, NULL, NULL), UNDERGO_TYPE_MISMATCH, "plugin is NULL");
  FAILS(undergo_plugin_from_bytes("junk", 4, NULL, NULL, &plugin), UNDERGO_INVALID_PLUGIN, "");
  FAILS(undergo_plugin_from_bytes(NULL, 4, NULL, NULL, &plugin), UNDERGO_TYPE_MISMATCH, "4 bytes at NULL");
  FAILS(undergo_plugin_load_compiled(file, false, &plugin), UNDERGO_DENIED, "trusted");
  FAILS(undergo_plugin_load_compiled(file, true, &plugin), UNDERGO_INVALID_PLUGIN, "");
  const undergo_plugin_options_t odd = {.compile = 17};
  FAILS(undergo_plugin_load(file, &odd, &plugin), UNDERGO_TYPE_MISMATCH, "compile is 17");

  undergo_cancel_t *cancelled = undergo_cancel_new();
  undergo_cancel_cancel(cancelled);
  const undergo_plugin_options_t hasty = {.compile = UNDERGO_COMPILE_FAST, .no_cache = true, .bounds = 2, .timeout = 1};
  const undergo_plugin_options_t stopped = {.compile = UNDERGO_COMPILE_FAST, .no_cache = true, .cancel = cancelled};
  const undergo_plugin_options_t apart = {.compile = UNDERGO_COMPILE_FAST, .no_cache = true, .compiler = "/nowhere/undergo"};
  FAILS(undergo_plugin_load(file, &hasty, &plugin), UNDERGO_TIMEOUT, "");
  FAILS(undergo_plugin_load(file, &stopped, &plugin), UNDERGO_CANCELLED, "cancelled");
  // Under valgrind the process is started, and then fails with code 127.
  FAILS(undergo_plugin_load(file, &apart, &plugin), UNDERGO_INVALID_PLUGIN, "/nowhere/undergo");
  undergo_cancel_delete(cancelled);
  const undergo_plugin_options_t as_it_is = {.compile = UNDERGO_COMPILE_FAST, .no_optimize = true};
  OK(undergo_plugin_load(file, &as_it_is, &plugin));
  undergo_plugin_delete(plugin);
  plugin = NULL;

  OK(undergo_plugin_load(file, compiling(), &plugin));
  FAILS(undergo_plugin_instantiate(plugin, NULL, NULL, NULL, &instance), UNDERGO_MISSING_IMPORT, "echo-string");
  CHECK(instance == NULL);
  const undergo_limits_t small = {.stack = 5};
  FAILS(undergo_plugin_instantiate(plugin, NULL, NULL, &small, &instance), UNDERGO_TYPE_MISMATCH, "from 64 KiB to 512 MiB");
  CHECK(strcmp(undergo_plugin_kind(plugin), "reactor") == 0 && strstr(undergo_plugin_interface(plugin), "export divmod") != NULL);
  CHECK(strncmp(undergo_plugin_go_version(plugin), "go1.", 4) == 0 && undergo_plugin_diagnostic(plugin, 0) == NULL);
  undergo_function_t function;
  size_t divmod = 0;
  OK(undergo_plugin_find(plugin, "divmod", &divmod));
  CHECK(undergo_plugin_export_count(plugin) > 50 && undergo_plugin_export(plugin, divmod, &function));
  CHECK(strcmp(function.signature, "divmod(a: s64, b: s64) -> tuple<s64, s64>") == 0 && function.interface == NULL);
  CHECK(strcmp(function.docs, "Divmod divides a by b.") == 0 && !undergo_plugin_export(plugin, 10000, &function));
  CHECK(undergo_plugin_import_count(plugin) > 10 && undergo_plugin_import(plugin, 0, &function) && strcmp(function.interface, "host") == 0);
  bool best = false;
  OK(undergo_plugin_wait_compiled(plugin));
  OK(undergo_plugin_is_best(plugin, &best));
  CHECK(best == (compiling() == NULL));
  undergo_plugin_delete(plugin);
  undergo_plugin_delete(NULL);
}

static void sandboxes(void) {
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  FAILS(undergo_sandbox_discard(sandbox, 3), UNDERGO_TYPE_MISMATCH, "the stream is 3");
  FAILS(undergo_sandbox_add_arg(sandbox, "\xff"), UNDERGO_TYPE_MISMATCH, "arg is not UTF-8");
  FAILS(undergo_sandbox_set_env(sandbox, "A", NULL), UNDERGO_TYPE_MISMATCH, "value is NULL");
  FAILS(undergo_sandbox_add_dir(NULL, "/", "/", true), UNDERGO_TYPE_MISMATCH, "sandbox is NULL");
  FAILS(undergo_sandbox_set_temp(NULL, true), UNDERGO_TYPE_MISMATCH, "sandbox is NULL");
  int ten = 10;
  destroyed = 0;
  FAILS(undergo_sandbox_lines(sandbox, UNDERGO_STDOUT, NULL, &ten, count), UNDERGO_TYPE_MISMATCH, "function is NULL");
  CHECK(destroyed == 10);
  undergo_sandbox_delete(sandbox);
  undergo_sandbox_delete(NULL);

  undergo_imports_t *imports = undergo_imports_new();
  FAILS(undergo_imports_set(imports, "host", "x", NULL, &ten, count), UNDERGO_TYPE_MISMATCH, "function is NULL");
  CHECK(destroyed == 20);
  OK(undergo_imports_keep(imports, &ten, count));
  CHECK(destroyed == 20);
  undergo_imports_delete(imports);
  CHECK(destroyed == 30);
  undergo_imports_delete(NULL);
  undergo_instance_delete(NULL);
  undergo_pool_delete(NULL);
  undergo_cancel_delete(NULL);
  undergo_arena_delete(NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  CHECK(strcmp(undergo_version(), "0.1.0") == 0);
  getters();
  trees();
  variants();
  errors();
  chains();
  plugins(argv[1]);
  sandboxes();
  printf("ok\n");
  return 0;
}
