// Objects of the program that a component gets, and passes back.
//
// components ITEMS

#include "check.h"
#include "items.h"

static int alive;

struct item {
  int rank;
};

static void drop(void *data) {
  alive--;
  free(data);
}

static void keep(void *data) { (void)data; }

static undergo_error_t *rank(void *data, const undergo_value_t *args, undergo_value_t **result) {
  CHECK(undergo_value_len(args) == 0);
  *result = undergo_value_int(((struct item *)data)->rank);
  return NULL;
}

static undergo_object_t *item(int rank_of) {
  struct item *made = malloc(sizeof *made);
  made->rank = rank_of;
  alive++;
  const undergo_method_t methods[] = {{"rank", rank}};
  undergo_object_t *object;
  OK(undergo_object_new(methods, 1, made, drop, &object));
  return object;
}

static undergo_value_t *given(int rank_of) {
  undergo_object_t *object = item(rank_of);
  undergo_value_t *value = undergo_value_object(object);
  undergo_object_delete(object);
  return value;
}

// What the object of a value has been made with.
static int rank_of(const undergo_value_t *value) {
  undergo_object_t *object;
  CHECK(undergo_value_kind(value) == UNDERGO_VALUE_OBJECT && undergo_value_get_object(value, &object));
  const struct item *found = undergo_object_data_of(object, drop);
  CHECK(found != NULL && found == undergo_object_data(object) && undergo_object_data_of(object, keep) == NULL);
  const int value_of = found->rank;
  undergo_object_delete(object);
  return value_of;
}

static undergo_error_t *construct(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  undergo_string_t name;
  CHECK(undergo_value_get_string(undergo_value_at(args, 0), &name));
  *result = given((int)name.len);
  return NULL;
}

static undergo_error_t *open_item(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  int64_t n;
  CHECK(undergo_value_get_int(undergo_value_at(args, 0), &n));
  *result = given((int)n);
  return NULL;
}

static undergo_error_t *compare(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  *result = undergo_value_int(rank_of(undergo_value_at(args, 0)) < rank_of(undergo_value_at(args, 1)));
  return NULL;
}

static undergo_error_t *store(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)result;
  undergo_object_t **stored = data;
  undergo_object_delete(*stored);
  CHECK(undergo_value_get_object(undergo_value_at(args, 0), stored));
  return NULL;
}

static undergo_value_t *call(const undergo_instance_t *instance, const char *name, undergo_value_t *first, undergo_value_t *second) {
  const undergo_value_t *args[] = {first, second};
  undergo_value_t *result = NULL;
  OK(undergo_instance_call(instance, name, args, second != NULL ? 2 : first != NULL ? 1 : 0, NULL, &result));
  undergo_value_delete(first);
  undergo_value_delete(second);
  return result;
}

static int64_t number(undergo_value_t *value) {
  int64_t found;
  CHECK(undergo_value_get_int(value, &found));
  undergo_value_delete(value);
  return found;
}

// The same by a generated header.

static undergo_error_t *typed_rank(void *data, uint32_t *result) {
  *result = (uint32_t)((struct item *)data)->rank;
  return NULL;
}

static root_item_t *typed_item(uint32_t rank_of_it) {
  struct item *made = malloc(sizeof *made);
  made->rank = (int)rank_of_it;
  alive++;
  const root_item_methods_t methods = {typed_rank};
  root_item_t *object;
  OK(root_item_new(&methods, made, drop, &object));
  return object;
}

static uint32_t typed_rank_of(const root_item_t *item_of) {
  return (uint32_t)((struct item *)undergo_object_data_of((const undergo_object_t *)item_of, drop))->rank;
}

static undergo_error_t *typed_construct(void *data, undergo_string_t name, root_item_t **result) {
  (void)data;
  *result = typed_item((uint32_t)name.len);
  return NULL;
}

static undergo_error_t *typed_open(void *data, uint32_t n, root_item_t **result) {
  (void)data;
  *result = typed_item(n);
  return NULL;
}

static undergo_error_t *typed_compare(void *data, const root_item_t *a, const root_item_t *b, uint32_t *result) {
  (void)data;
  *result = typed_rank_of(a) < typed_rank_of(b);
  return NULL;
}

static undergo_error_t *typed_store(void *data, root_item_t *given_item) {
  undergo_object_t **stored = data;
  // It is the call's.
  *stored = undergo_object_copy((const undergo_object_t *)given_item);
  return NULL;
}

static void typed(const char *file) {
  undergo_plugin_t *plugin;
  OK(root_plugin_load(file, compiling(), &plugin));
  undergo_object_t *stored = NULL;
  const root_test_items_host_t host = {typed_construct, typed_open, typed_compare, typed_store};
  undergo_imports_t *imports = undergo_imports_new();
  OK(root_set_test_items_host(imports, &host, &stored, NULL));
  undergo_instance_t *instance;
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));
  root_item_t *own = typed_item(3), *other = typed_item(4), *back;
  uint32_t n;
  OK(root_peek(instance, own, NULL, &n));
  CHECK(n == 3);
  OK(root_made(instance, true, NULL, &n));
  CHECK(n == 20);
  OK(root_order(instance, own, other, NULL, &n));
  CHECK(n == 1);
  undergo_arena_t *arena;
  OK(root_back(instance, own, NULL, &back, &arena));
  CHECK(typed_rank_of(back) == 3 && undergo_object_is_same((undergo_object_t *)back, (undergo_object_t *)own));
  OK(root_peek(instance, back, NULL, &n));
  CHECK(n == 3);
  undergo_arena_delete(arena);
  OK(root_pass_on(instance, other, NULL));
  CHECK(undergo_object_is_same(stored, (undergo_object_t *)other));
  root_item_delete(other);
  root_item_delete(own);
  CHECK(alive == 1);
  undergo_object_delete(stored);
  CHECK(alive == 0);
  undergo_instance_delete(instance);
  undergo_imports_delete(imports);
  undergo_plugin_delete(plugin);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  typed(argv[1]);
  undergo_plugin_t *plugin;
  OK(undergo_plugin_load(argv[1], compiling(), &plugin));
  undergo_object_t *stored = NULL;
  undergo_imports_t *imports = undergo_imports_new();
  OK(undergo_imports_set(imports, "test:items/host", "item", construct, NULL, NULL));
  OK(undergo_imports_set(imports, "test:items/host", "item-open", open_item, NULL, NULL));
  OK(undergo_imports_set(imports, "test:items/host", "compare", compare, NULL, NULL));
  OK(undergo_imports_set(imports, "test:items/host", "store", store, &stored, NULL));
  undergo_instance_t *instance;
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));

  CHECK(number(call(instance, "peek", given(3), NULL)) == 3);
  CHECK(number(call(instance, "take", given(4), NULL)) == 4);
  CHECK(number(call(instance, "made", undergo_value_bool(false), NULL)) == 5);
  CHECK(number(call(instance, "made", undergo_value_bool(true), NULL)) == 20);
  CHECK(number(call(instance, "order", given(1), given(2))) == 1);
  CHECK(number(call(instance, "order", given(2), given(1))) == 0);
  CHECK(alive == 0);

  undergo_object_t *own = item(6), *back;
  undergo_value_t *value = call(instance, "back", undergo_value_object(own), NULL);
  CHECK(rank_of(value) == 6 && undergo_value_get_object(value, &back));
  undergo_value_delete(value);
  CHECK(undergo_object_is_same(own, back) && undergo_object_data(own) == undergo_object_data(back));
  // It is as good as the one that was given.
  CHECK(number(call(instance, "peek", undergo_value_object(back), NULL)) == 6);
  undergo_object_delete(back);
  undergo_value_delete(call(instance, "pass-on", undergo_value_object(own), NULL));
  CHECK(undergo_object_is_same(stored, own) && !undergo_object_is_same(stored, NULL));
  undergo_object_t *copy = undergo_object_copy(stored);
  undergo_object_delete(stored);
  undergo_object_delete(own);
  CHECK(alive == 1 && ((struct item *)undergo_object_data(copy))->rank == 6);
  undergo_object_delete(copy);
  CHECK(alive == 0 && undergo_object_copy(NULL) == NULL && undergo_object_data(NULL) == NULL);
  uint64_t id;
  own = item(1);
  CHECK(!undergo_object_dispatched(own, &id));
  undergo_object_delete(own);

  undergo_value_delete(call(instance, "hold", given(7), NULL));
  CHECK(alive == 1 && number(call(instance, "held", NULL, NULL)) == 7);
  undergo_instance_delete(instance);
  CHECK(alive == 0);
  undergo_imports_delete(imports);
  undergo_plugin_delete(plugin);
  printf("ok\n");
  return 0;
}
