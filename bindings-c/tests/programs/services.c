// Services under standard names: keys and values, configuration, logs.
//
// services PLUGIN

#include "check.h"

struct log {
  int lines;
  int gone;
  char last[100];
};

static void line(void *data, uint32_t level, const char *context, const char *message) {
  struct log *log = data;
  log->lines++;
  snprintf(log->last, sizeof log->last, "%u %s %s", level, context, message);
}

static void gone(void *data) {
  struct log *log = data;
  log->gone++;
}

static undergo_value_t *call(const undergo_instance_t *instance, const char *name, undergo_value_t *first, undergo_value_t *second) {
  const undergo_value_t *args[] = {first, second};
  undergo_value_t *result = NULL;
  OK(undergo_instance_call(instance, name, args, second == NULL ? 1 : 2, NULL, &result));
  undergo_value_delete(first);
  undergo_value_delete(second);
  return result;
}

static void expect(undergo_value_t *value, const char *wanted) {
  undergo_string_t text;
  CHECK(undergo_value_get_string(value, &text) && is(text, wanted));
  undergo_value_delete(value);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  undergo_plugin_t *plugin;
  OK(undergo_plugin_load(argv[1], compiling(), &plugin));
  const char *names[] = {"a"}, *values[] = {"1"};
  undergo_keyvalue_t *stores;
  OK(undergo_keyvalue_new(NULL, names, 1, 10, 1000, &stores));
  struct log log = {0};
  undergo_imports_t *imports = undergo_imports_new();
  OK(undergo_imports_keyvalue(imports, stores));
  OK(undergo_imports_config(imports, names, values, 1));
  OK(undergo_imports_logging(imports, line, &log, gone));
  undergo_instance_t *instance;
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));

  OK(undergo_keyvalue_set(stores, "a", "k", "vv", 2));
  expect(call(instance, "get", undergo_value_string("a"), undergo_value_string("k")), "vv");
  undergo_value_t *found;
  OK(undergo_keyvalue_get(stores, "a", "none", &found));
  CHECK(found == NULL);
  OK(undergo_keyvalue_get(stores, "a", "k", &found));
  undergo_bytes_t bytes;
  CHECK(undergo_value_get_bytes(found, &bytes) && bytes.len == 2);
  undergo_value_delete(found);
  expect(call(instance, "failure", undergo_value_string("b"), NULL), "no-such-store");
  expect(call(instance, "config", undergo_value_string("a"), NULL), "1");

  undergo_value_t *level = undergo_value_int(3), *context = undergo_value_string("c"), *message = undergo_value_string("\x1b[1m\n");
  const undergo_value_t *logged[] = {level, context, message};
  OK(undergo_instance_call(instance, "log", logged, 3, NULL, NULL));
  CHECK(log.lines == 1 && strcmp(log.last, "3 c \\u{1b}[1m\\n") == 0);
  undergo_value_delete(level);
  undergo_value_delete(context);
  undergo_value_delete(message);

  FAILS(undergo_keyvalue_set(stores, "b", "k", NULL, 0), UNDERGO_HOST_ERROR, "no such store");
  undergo_keyvalue_t *none;
  FAILS(undergo_keyvalue_new("http://x", NULL, 0, 0, 0, &none), UNDERGO_TYPE_MISMATCH, "the address of Redis is");
  FAILS(undergo_imports_logging(imports, NULL, NULL, NULL), UNDERGO_TYPE_MISMATCH, "log is NULL");
  CHECK(none == NULL);
  undergo_keyvalue_delete(stores);
  undergo_instance_delete(instance);
  CHECK(log.gone == 0);
  undergo_imports_delete(imports);
  undergo_plugin_delete(plugin);
  CHECK(log.gone == 1);
  printf("ok\n");
  return 0;
}
