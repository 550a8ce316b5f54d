// Handles of a guest's objects, and objects of the program, by a generated header: what each use
// gives after the end of either side, and that each data is freed once.
//
// Usage: handles conformance.wasm

#include "check.h"
#include "guest.h"

static int drops;

static void dropped(void *data) {
  CHECK(data == &drops);
  drops++;
}

static undergo_error_t *twice(void *data, int64_t n, int64_t *result) {
  CHECK(data == &drops);
  if (n == 13) {
    return undergo_error_new("bad luck");
  }
  *result = 2 * n;
  return NULL;
}

static undergo_error_t *get(void *data, undergo_string_t key, undergo_string_t *result, undergo_arena_t *arena) {
  (void)data;
  *result = undergo_arena_copy(arena, key.ptr, key.len);
  return NULL;
}

static undergo_error_t *put(void *data, undergo_string_t key, undergo_string_t value) {
  (void)data;
  (void)key;
  (void)value;
  return NULL;
}

static undergo_error_t *size(void *data, int64_t *result) {
  (void)data;
  *result = 7;
  return NULL;
}

static undergo_error_t *child(void *data, undergo_string_t name, guest_store_t **result) {
  (void)name;
  static const guest_store_methods_t methods = {get, put, size, child};
  return guest_store_new(&methods, data, dropped, result);
}

static const guest_store_methods_t STORE = {get, put, size, child};

static void resources(undergo_instance_t *instance, undergo_instance_t *other) {
  guest_tally_t *a, *b, *theirs, *none;
  int64_t n;
  OK(guest_tally_new(instance, 5, NULL, &a));
  OK(guest_tally_new(instance, 7, NULL, &b));
  OK(guest_tally_new(other, 9, NULL, &theirs));
  FAILS(guest_tally_new(instance, -1, NULL, &none), UNDERGO_GUEST_ERROR, "below zero");
  OK(guest_tally_add(a, 3, NULL, &n));
  CHECK(n == 8);
  OK(guest_sum_tallies(instance, a, b, NULL, &n));
  CHECK(n == 15);
  FAILS(guest_tally_take(a, 100, NULL, &n), UNDERGO_GUEST_ERROR, "too little");
  FAILS(guest_sum_tallies(instance, a, theirs, NULL, &n), UNDERGO_TYPE_MISMATCH, "another instance");
  FAILS(guest_sum_tallies(instance, a, NULL, NULL, &n), UNDERGO_TYPE_MISMATCH, "NULL");
  FAILS(guest_tally_add(NULL, 1, NULL, &n), UNDERGO_TYPE_MISMATCH, "NULL");
  int32_t order;
  FAILS(guest_tally_compare(a, theirs, NULL, &order), UNDERGO_TYPE_MISMATCH, "another instance");

  CHECK(guest_tally_is_open(b));
  OK(guest_tally_close(b));
  CHECK(!guest_tally_is_open(b));
  OK(guest_tally_close(b));
  FAILS(guest_tally_add(b, 1, NULL, &n), UNDERGO_TYPE_MISMATCH, "closed");
  int32_t closed;
  OK(guest_closed_tallies(instance, NULL, &closed));
  CHECK(closed == 1);
  guest_tally_delete(b);
  guest_tally_delete(NULL);

  // Each item of a list is the caller's.
  guest_list_tally_t list;
  undergo_arena_t *arena;
  OK(guest_count_up(instance, 3, NULL, &list, &arena));
  undergo_handle_counts_t counts;
  OK(undergo_instance_handles(instance, &counts));
  CHECK(counts.given == 4);
  for (size_t i = 0; i < list.len; i++) {
    guest_tally_delete(list.ptr[i]);
  }
  undergo_arena_delete(arena);
  OK(guest_closed_tallies(instance, NULL, &closed));
  CHECK(closed == 3);
  OK(undergo_instance_handles(instance, &counts));
  CHECK(counts.given == 1 && counts.held == 0);

  OK(undergo_instance_reset(instance, NULL));
  CHECK(!guest_tally_is_open(a));
  FAILS(guest_tally_add(a, 1, NULL, &n), UNDERGO_TYPE_MISMATCH, "reset");
  FAILS(guest_sum_tallies(instance, a, a, NULL, &n), UNDERGO_TYPE_MISMATCH, "reset");
  guest_tally_delete(a);
  guest_tally_delete(theirs);
}

static void callbacks(undergo_instance_t *instance) {
  const int64_t given[] = {1, 2, 13};
  undergo_list_s64_t xs = {given, 2}, found;
  undergo_arena_t *arena;
  guest_apply_f_t *f;
  drops = 0;
  OK(guest_apply_f_new(twice, &drops, dropped, &f));
  OK(guest_apply(instance, xs, f, NULL, &found, &arena));
  CHECK(found.len == 2 && found.ptr[1] == 4);
  undergo_arena_delete(arena);
  xs.len = 3;
  FAILS(guest_apply(instance, xs, f, NULL, &found, &arena), UNDERGO_GUEST_ERROR, "bad luck");
  // The first argument is refused, when the second one was not looked at.
  xs = (undergo_list_s64_t){NULL, 3};
  FAILS(guest_apply(instance, xs, f, NULL, &found, &arena), UNDERGO_TYPE_MISMATCH, "NULL");
  CHECK(drops == 0);
  guest_apply_f_delete(f);
  CHECK(drops == 1);
  FAILS(guest_apply_f_new(NULL, &drops, dropped, &f), UNDERGO_TYPE_MISMATCH, "NULL");
  CHECK(drops == 2);

  // The guest keeps it, also when the program does not.
  guest_op_t *op;
  int32_t kept;
  int64_t n;
  OK(guest_op_new(twice, &drops, dropped, &op));
  OK(guest_keep_op(instance, op, NULL, &kept));
  guest_op_delete(op);
  CHECK(drops == 2);
  OK(guest_call_kept(instance, 4, NULL, &n));
  CHECK(n == 8);
  OK(undergo_instance_reset(instance, NULL));
  CHECK(drops == 3);

  // It keeps it without saying so.
  OK(guest_op_new(twice, &drops, dropped, &op));
  OK(guest_keep_op_wrongly(instance, op, NULL, &kept));
  guest_op_delete(op);
  CHECK(drops == 4);
  FAILS(guest_call_kept(instance, 4, NULL, &n), UNDERGO_PANIC, "was used after the call");
  OK(undergo_instance_reset(instance, NULL));
}

static void objects(undergo_instance_t *instance) {
  drops = 0;
  guest_store_t *store;
  OK(guest_store_new(&STORE, &drops, dropped, &store));
  undergo_string_t text;
  undergo_arena_t *arena;
  OK(guest_store_get(instance, store, undergo_text("key"), NULL, &text, &arena));
  CHECK(is(text, "key"));
  undergo_arena_delete(arena);
  // The two that it gives are the plugin's, which drops them when it likes, or ends.
  OK(guest_child_of_store(instance, store, undergo_text("x"), NULL, &text, &arena));
  undergo_arena_delete(arena);
  OK(guest_keep_store(instance, store, NULL));
  guest_store_delete(store);
  OK(undergo_instance_reset(instance, NULL));
  CHECK(drops == 3);

  // One that has not all methods, and one that is none.
  static const undergo_method_t few[] = {{"get", NULL}};
  undergo_object_t *object;
  FAILS(undergo_object_new(few, 1, &drops, dropped, &object), UNDERGO_TYPE_MISMATCH, "NULL");
  CHECK(drops == 4);
  guest_op_t *op;
  OK(guest_op_new(twice, &drops, dropped, &op));
  FAILS(guest_store_get(instance, (guest_store_t *)op, undergo_text("key"), NULL, &text, &arena), UNDERGO_TYPE_MISMATCH, "has no method get");
  guest_op_delete(op);
  CHECK(drops == 5);
}

// What an iterator or a stream of one instance gives, as an argument of another one.
static void passing_on(undergo_instance_t *instance, undergo_instance_t *other) {
  guest_numbers_items_t *numbers;
  undergo_object_t *rest;
  int64_t n;
  bool has_item;
  OK(guest_numbers(other, 10, NULL, &numbers));
  for (int i = 0; i < 2; i++) {
    OK(guest_numbers_items_next(numbers, NULL, &n, &has_item));
    CHECK(has_item && n == i);
  }
  OK(undergo_handle_as_object((undergo_handle_t *)numbers, &rest));
  // That one was read ahead, and comes first.
  undergo_list_s64_t first;
  undergo_arena_t *arena;
  OK(guest_first_items(instance, (guest_first_items_xs_t *)rest, 1, NULL, &first, &arena));
  CHECK(first.len == 1 && first.ptr[0] == 2);
  undergo_arena_delete(arena);
  guest_numbers_items_delete(numbers);
  OK(guest_sum_items(instance, (guest_sum_items_xs_t *)rest, NULL, &n));
  CHECK(n == 3 + 4 + 5 + 6 + 7 + 8 + 9);
  OK(guest_sum_items(instance, (guest_sum_items_xs_t *)rest, NULL, &n));
  CHECK(n == 0);
  undergo_object_delete(rest);
  undergo_handle_counts_t counts;
  OK(undergo_instance_handles(other, &counts));
  CHECK(counts.given == 0);

  // Of another type, and after its end.
  guest_fields_items_t *words;
  OK(guest_fields(other, undergo_text("a b"), NULL, &words));
  OK(undergo_handle_as_object((undergo_handle_t *)words, &rest));
  FAILS(guest_sum_items(instance, (guest_sum_items_xs_t *)rest, NULL, &n), UNDERGO_TYPE_MISMATCH, "expected s64");
  undergo_object_delete(rest);
  guest_fields_items_delete(words);
  OK(undergo_instance_reset(instance, NULL));
  OK(guest_numbers(other, 10, NULL, &numbers));
  OK(undergo_handle_as_object((undergo_handle_t *)numbers, &rest));
  OK(guest_numbers_items_close(numbers));
  FAILS(guest_sum_items(instance, (guest_sum_items_xs_t *)rest, NULL, &n), UNDERGO_TYPE_MISMATCH, "closed");
  undergo_object_delete(rest);
  guest_numbers_items_delete(numbers);
  OK(undergo_instance_reset(instance, NULL));

  guest_tally_t *tally;
  OK(guest_tally_new(other, 1, NULL, &tally));
  FAILS(undergo_handle_as_object((undergo_handle_t *)tally, &rest), UNDERGO_TYPE_MISMATCH, "neither an iterator nor a stream");
  FAILS(undergo_handle_as_object(NULL, &rest), UNDERGO_TYPE_MISMATCH, "NULL");
  guest_tally_delete(tally);

  undergo_handle_t *stream;
  undergo_bytes_t bytes;
  OK(guest_repeat_stream(other, undergo_text("ab"), 2, NULL, &stream));
  OK(undergo_handle_as_object(stream, &rest));
  undergo_handle_delete(stream);
  OK(guest_read_stream(instance, rest, NULL, &bytes, &arena));
  CHECK(bytes.len == 4 && memcmp(bytes.ptr, "abab", 4) == 0);
  undergo_arena_delete(arena);
  undergo_object_delete(rest);
}

// What was read ahead in one way is not lost in the other. A slow guest's items are not read ahead.
static void items_in_two_ways(undergo_instance_t *instance) {
  guest_numbers_items_t *numbers;
  undergo_value_t *value;
  int64_t n;
  bool has_item;
  OK(guest_numbers(instance, 5, NULL, &numbers));
  for (int i = 0; i < 2; i++) {
    OK(guest_numbers_items_next(numbers, NULL, &n, &has_item));
  }
  undergo_error_t *refused = undergo_iterator_next((undergo_handle_t *)numbers, NULL, &value);
  if (refused != NULL) {
    CHECK(undergo_error_kind(refused) == UNDERGO_SIGNATURE_MISMATCH && value == NULL);
    undergo_error_delete(refused);
    OK(guest_numbers_items_next(numbers, NULL, &n, &has_item));
    CHECK(has_item && n == 2);
  }
  undergo_value_delete(value);
  guest_numbers_items_delete(numbers);

  OK(guest_numbers(instance, 5, NULL, &numbers));
  for (int i = 0; i < 2; i++) {
    OK(undergo_iterator_next((undergo_handle_t *)numbers, NULL, &value));
    undergo_value_delete(value);
  }
  refused = guest_numbers_items_next(numbers, NULL, &n, &has_item);
  CHECK(refused == NULL ? has_item && n == 2 : undergo_error_kind(refused) == UNDERGO_SIGNATURE_MISMATCH && !has_item);
  undergo_error_delete(refused);
  guest_numbers_items_delete(numbers);
}

static void the_end_of_an_instance(undergo_plugin_t *plugin, undergo_imports_t *imports) {
  undergo_instance_t *instance;
  guest_tally_t *tally;
  guest_op_t *op;
  int32_t kept;
  int64_t n;
  drops = 0;
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));
  OK(guest_tally_new(instance, 1, NULL, &tally));
  OK(guest_op_new(twice, &drops, dropped, &op));
  OK(guest_keep_op(instance, op, NULL, &kept));
  guest_op_delete(op);
  undergo_instance_delete(instance);
  CHECK(drops == 1 && !guest_tally_is_open(tally));
  FAILS(guest_tally_add(tally, 1, NULL, &n), UNDERGO_DEAD_INSTANCE, "has ended");
  OK(guest_tally_close(tally));
  guest_tally_delete(tally);

  // Beyond the limit, none of what was passed stays.
  const undergo_limits_t limits = {.handles = 1};
  OK(undergo_plugin_instantiate(plugin, imports, NULL, &limits, &instance));
  guest_store_t *store;
  OK(guest_store_new(&STORE, &drops, dropped, &store));
  undergo_list_string_t keys = {NULL, 0};
  FAILS(guest_copy_texts(instance, store, store, keys, NULL, &n), UNDERGO_OUT_OF_MEMORY, "limit (handles)");
  guest_store_delete(store);
  CHECK(drops == 2);
  undergo_instance_delete(instance);

  // One that a pool lends.
  const undergo_pool_options_t one = {.size = 1};
  undergo_pool_t *pool;
  OK(undergo_plugin_pool(plugin, &one, imports, NULL, NULL, &pool));
  OK(undergo_pool_take(pool, NULL, &instance));
  OK(guest_tally_new(instance, 1, NULL, &tally));
  OK(guest_tally_add(tally, 1, NULL, &n));
  undergo_instance_delete(instance);
  CHECK(!guest_tally_is_open(tally));
  guest_tally_delete(tally);
  guest_list_tally_t list;
  undergo_arena_t *arena;
  FAILS(guest_pool_count_up(pool, 1, NULL, &list, &arena), UNDERGO_SIGNATURE_MISMATCH, "belong to one instance");
  undergo_pool_delete(pool);
}

static undergo_error_t *refuse(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)args;
  (void)result;
  return undergo_error_new("refused");
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  undergo_plugin_t *plugin;
  OK(guest_plugin_load(argv[1], compiling(), &plugin));
  undergo_imports_t *imports = undergo_imports_new();
  undergo_function_t function;
  for (size_t i = 0; undergo_plugin_import(plugin, i, &function); i++) {
    OK(undergo_imports_set(imports, function.interface, function.name, refuse, NULL, NULL));
  }
  undergo_instance_t *instance, *other;
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &instance));
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &other));
  resources(instance, other);
  callbacks(instance);
  objects(instance);
  passing_on(instance, other);
  items_in_two_ways(instance);
  the_end_of_an_instance(plugin, imports);
  undergo_imports_delete(imports);
  undergo_instance_delete(instance);
  undergo_instance_delete(other);
  undergo_plugin_delete(plugin);
  printf("ok\n");
  return 0;
}
