// Runs the conformance list and the hostile guest: it reads commands, runs them by the dynamic API,
// and writes the results. test_conformance.py and test_hostile.py drive it.
//
// Usage: driver PLUGIN
//
// White space separates words; texts and bytes are a letter and hexadecimal digits, so that an
// empty one is a word, too.
//
//   new MEMORY TIMEOUT HANDLES COUNT ARG... COUNT NAME VALUE...    make an instance; 0 is no limit
//   keep                                                   keep the instance for `other`
//   call NAME TIMEOUT COUNT VALUE...                       call an export
//   other NAME COUNT VALUE...                              call an export of the kept one
//   select NUMBER                                          use that one of two instances
//   construct NAME TIMEOUT COUNT VALUE...                  make an object of a resource
//   method HANDLE NAME TIMEOUT COUNT VALUE...              call a method of an object
//   next HANDLE, read HANDLE MOST, write HANDLE BYTES      use an iterator, or a stream
//   close HANDLE, free HANDLE                              end a handle
//   written NAME                                           what the guest wrote to that writer
//   reset                                                  reset the instance
//   alive                                                  whether the instance answers
//   signature NAME                                         the signature of an export
//   exports                                                the names of all

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <undergo.h>

// Texts by their keys, shared by the objects that stand for it.
typedef struct store_t {
  undergo_value_t *texts;
  size_t owners;
} store_t;

// What the module host has for one instance.
typedef struct host_t {
  undergo_instance_t *instance;
  undergo_value_t *notes;
  store_t *store;
} host_t;

// What a writer has collected, by its name, until the end.
typedef struct collected_t {
  char *name;
  char *bytes;
  size_t len, most;
  struct collected_t *before;
} collected_t;

static undergo_instance_t *instances[2];
static host_t *hosts[2];
static size_t selected;
static undergo_handle_t **handles;
static size_t handle_count;
static collected_t *collections;

static void fail(const char *what) {
  fprintf(stderr, "driver: %s\n", what);
  exit(3);
}

static void must(undergo_error_t *error) {
  if (error != NULL) {
    fail(undergo_error_text(error));
  }
}

// Reads a word, which lives until the next one is read. NULL at the end.
static const char *word(void) {
  static char *buffer;
  static size_t room;
  size_t len = 0;
  int c;
  do {
    c = getchar();
  } while (c == ' ' || c == '\n');
  while (c != EOF && c != ' ' && c != '\n') {
    if (len + 2 > room) {
      room = room == 0 ? 256 : 2 * room;
      buffer = realloc(buffer, room);
      if (buffer == NULL) {
        fail("no memory");
      }
    }
    buffer[len++] = (char)c;
    c = getchar();
  }
  if (len == 0) {
    free(buffer);
    buffer = NULL;
    room = 0;
    return NULL;
  }
  buffer[len] = 0;
  return buffer;
}

static const char *need(void) {
  const char *found = word();
  if (found == NULL) {
    fail("a word is missing");
  }
  return found;
}

static uint64_t number(void) { return strtoull(need(), NULL, 10); }

// The bytes of a hexadecimal word behind its letter, with a NUL behind them; the caller frees them.
static char *unhex(const char *digits, size_t *len) {
  *len = strlen(digits) / 2;
  char *bytes = malloc(*len + 1);
  if (bytes == NULL) {
    fail("no memory");
  }
  for (size_t i = 0; i < *len; i++) {
    unsigned byte;
    const char pair[] = {digits[2 * i], digits[2 * i + 1], 0};
    byte = (unsigned)strtoul(pair, NULL, 16);
    bytes[i] = (char)byte;
  }
  bytes[*len] = 0;
  return bytes;
}

// The text of a word; the caller frees it.
static char *text(void) {
  size_t len;
  return unhex(need() + 1, &len);
}

static void hex(char letter, const char *bytes, size_t len) {
  printf(" %c", letter);
  for (size_t i = 0; i < len; i++) {
    printf("%02x", (unsigned char)bytes[i]);
  }
}

static undergo_value_t *read_value(void);

static undergo_handle_t *handle_at(uint64_t number) {
  if (number >= handle_count || handles[number] == NULL) {
    fail("there is no such handle");
  }
  return handles[number];
}

// Keeps a handle; gives its number.
static size_t keep_handle(undergo_handle_t *handle) {
  handles = realloc(handles, (handle_count + 1) * sizeof *handles);
  if (handles == NULL) {
    fail("no memory");
  }
  handles[handle_count] = handle;
  return handle_count++;
}

static undergo_value_t *given(undergo_object_t *object) {
  undergo_value_t *value = undergo_value_object(object);
  undergo_object_delete(object);
  return value;
}

// What a handle is as an argument: an iterator and a stream are an iterable and a stream of the
// host, and everything else is itself.
static undergo_value_t *passed(const undergo_handle_t *handle) {
  undergo_object_t *object;
  if (undergo_handle_shape(handle) == UNDERGO_SHAPE_OBJECT) {
    return undergo_value_handle(handle);
  }
  must(undergo_handle_as_object(handle, &object));
  return given(object);
}

static undergo_value_t *callback(const char *name);
static undergo_value_t *store_object(store_t *store);
static undergo_value_t *items(void);
static undergo_value_t *reader(const char *digits);
static undergo_value_t *writer(void);

// Reads a value. Its first letter says what it is.
static undergo_value_t *read_value(void) {
  const char *found = need();
  const char letter = *found++;
  size_t len;
  char *bytes;
  undergo_value_t *value;
  uint64_t count;
  switch (letter) {
  case 'n':
    return undergo_value_none();
  case 't':
    return undergo_value_bool(true);
  case 'f':
    return undergo_value_bool(false);
  case 'i':
    return undergo_value_int(strtoll(found, NULL, 10));
  case 'u':
    return undergo_value_uint(strtoull(found, NULL, 10));
  case 'd':
    return undergo_value_float(strtod(found, NULL));
  case 'D':
    return undergo_value_duration(strtoll(found, NULL, 10));
  case 's':
  case 'j':
  case 'b':
    bytes = unhex(found, &len);
    value = letter == 's'   ? undergo_value_string_n(bytes, len)
            : letter == 'j' ? undergo_value_json(bytes, len)
                            : undergo_value_bytes(bytes, len);
    free(bytes);
    return value;
  case 'T': {
    undergo_time_t time;
    time.seconds = strtoll(found, NULL, 10);
    time.nanoseconds = (uint32_t)number();
    time.offset = (int32_t)strtol(need(), NULL, 10);
    return undergo_value_time(time);
  }
  case 'L':
    value = undergo_value_list();
    for (count = strtoull(found, NULL, 10); count > 0; count--) {
      must(undergo_value_push(value, read_value()));
    }
    return value;
  case 'M':
    value = undergo_value_map();
    for (count = strtoull(found, NULL, 10); count > 0; count--) {
      undergo_value_t *key = read_value();
      must(undergo_value_put(value, key, read_value()));
    }
    return value;
  case 'R':
    value = undergo_value_record();
    for (count = strtoull(found, NULL, 10); count > 0; count--) {
      char *name = text();
      must(undergo_value_set(value, name, read_value()));
      free(name);
    }
    return value;
  case 'V': {
    // 0 or 1 says whether the case has a value.
    const bool has_value = *found == '1';
    char *name = text();
    value = undergo_value_variant(name, has_value ? read_value() : NULL);
    free(name);
    return value;
  }
  case 'h':
    return passed(handle_at(strtoull(found, NULL, 10)));
  case 'c':
    bytes = unhex(found, &len);
    value = callback(bytes);
    free(bytes);
    return value;
  case 'o':
    return store_object(hosts[selected]->store);
  case 'I':
    return items();
  case 'r':
    return reader(found);
  case 'w':
    return writer();
  default:
    fail("that is no value");
    return NULL;
  }
}

static void write_value(const undergo_value_t *value) {
  bool yes;
  int64_t integer;
  uint64_t large;
  double real;
  undergo_string_t name;
  undergo_bytes_t bytes;
  undergo_time_t time;
  const size_t count = undergo_value_len(value);
  const undergo_value_kind_t kind = undergo_value_kind(value);
  switch (kind) {
  case UNDERGO_VALUE_NONE:
    printf(" n");
    break;
  case UNDERGO_VALUE_BOOL:
    undergo_value_get_bool(value, &yes);
    printf(yes ? " t" : " f");
    break;
  case UNDERGO_VALUE_INT:
    undergo_value_get_int(value, &integer);
    printf(" i%" PRId64, integer);
    break;
  case UNDERGO_VALUE_UINT:
    undergo_value_get_uint(value, &large);
    printf(" i%" PRIu64, large);
    break;
  case UNDERGO_VALUE_FLOAT:
    undergo_value_get_float(value, &real);
    printf(" d%a", real);
    break;
  case UNDERGO_VALUE_STRING:
  case UNDERGO_VALUE_JSON:
    undergo_value_get_string(value, &name);
    hex(kind == UNDERGO_VALUE_STRING ? 's' : 'j', name.ptr, name.len);
    break;
  case UNDERGO_VALUE_BYTES:
    undergo_value_get_bytes(value, &bytes);
    hex('b', (const char *)bytes.ptr, bytes.len);
    break;
  case UNDERGO_VALUE_DURATION:
    undergo_value_get_duration(value, &integer);
    printf(" D%" PRId64, integer);
    break;
  case UNDERGO_VALUE_TIME:
    undergo_value_get_time(value, &time);
    printf(" T%" PRId64 " %" PRIu32 " %" PRId32, time.seconds, time.nanoseconds, time.offset);
    break;
  case UNDERGO_VALUE_LIST:
    printf(" L%zu", count);
    for (size_t i = 0; i < count; i++) {
      write_value(undergo_value_at(value, i));
    }
    break;
  case UNDERGO_VALUE_MAP:
    printf(" M%zu", count);
    for (size_t i = 0; i < count; i++) {
      write_value(undergo_value_key_at(value, i));
      write_value(undergo_value_at(value, i));
    }
    break;
  case UNDERGO_VALUE_RECORD:
    printf(" R%zu", count);
    for (size_t i = 0; i < count; i++) {
      undergo_value_name_at(value, i, &name);
      hex('s', name.ptr, name.len);
      write_value(undergo_value_at(value, i));
    }
    break;
  case UNDERGO_VALUE_VARIANT:
    undergo_value_get_variant(value, &name);
    printf(" V%zu", count);
    hex('s', name.ptr, name.len);
    if (count > 0) {
      write_value(undergo_value_at(value, 0));
    }
    break;
  case UNDERGO_VALUE_HANDLE: {
    undergo_handle_t *handle = NULL;
    undergo_value_get_handle(value, instances[selected], &handle);
    printf(" h%zu", keep_handle(handle));
    break;
  }
  case UNDERGO_VALUE_OBJECT:
    fail("objects of the host stay there");
    break;
  }
}

static void write_text(const char *given) { hex('s', given, strlen(given)); }

// Writes an error (kind, path, message, code, the errors in its chain, and the first frame outside
// of Go's runtime), and frees it.
static void write_error(undergo_error_t *error) {
  int32_t code = 0;
  const bool has_code = undergo_error_exit_code(error, &code);
  printf("error %s", undergo_kind_name(undergo_error_kind(error)));
  write_text(undergo_error_path(error));
  write_text(undergo_error_message(error));
  printf(has_code ? " %" PRId32 : " -", code);
  printf(" %zu", undergo_error_chain_count(error));
  undergo_chained_t chained;
  for (size_t i = 0; undergo_error_chained(error, i, &chained); i++) {
    hex('s', chained.text.ptr, chained.text.len);
    write_text(chained.name == NULL ? "" : chained.name);
    write_value(chained.value);
  }
  undergo_frame_t frame;
  bool found = false;
  for (size_t i = 0; !found && undergo_error_frame(error, i, &frame); i++) {
    found = !frame.is_runtime;
  }
  if (found) {
    write_text(frame.function);
    write_text(frame.file);
    printf(" %" PRIu32, frame.line);
  }
  undergo_error_delete(error);
}

static undergo_string_t string_at(const undergo_value_t *args, size_t index) {
  undergo_string_t found = {"", 0};
  undergo_value_get_string(undergo_value_at(args, index), &found);
  return found;
}

static int64_t int_at(const undergo_value_t *args, size_t index) {
  int64_t found = 0;
  undergo_value_get_int(undergo_value_at(args, index), &found);
  return found;
}

static undergo_error_t *echo(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  *result = undergo_value_copy(undergo_value_at(args, 0));
  return NULL;
}

static undergo_error_t *many(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  double e = 0;
  bool f = false;
  undergo_value_get_float(undergo_value_at(args, 4), &e);
  undergo_value_get_bool(undergo_value_at(args, 5), &f);
  char out[400];
  int len = 0;
  for (size_t i = 0; i < 4; i++) {
    len += snprintf(out + len, sizeof out - (size_t)len, "%" PRId64 " ", int_at(args, i));
  }
  len += snprintf(out + len, sizeof out - (size_t)len, "%g %s ", e, f ? "true" : "false");
  for (size_t i = 6; i < 12; i++) {
    const undergo_string_t part = string_at(args, i);
    len += snprintf(out + len, sizeof out - (size_t)len, "%s%.*s", i == 6 ? "" : "|", (int)part.len, part.ptr);
  }
  *result = undergo_value_string(out);
  return NULL;
}

static undergo_error_t *bundle(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  *result = undergo_value_copy(args);
  return NULL;
}

static undergo_error_t *divmod(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  const int64_t a = int_at(args, 0), b = int_at(args, 1);
  *result = undergo_value_list();
  must(undergo_value_push(*result, undergo_value_int(a / b)));
  return undergo_value_push(*result, undergo_value_int(a % b));
}

static undergo_error_t *note(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)result;
  host_t *host = data;
  return undergo_value_push(host->notes, undergo_value_copy(undergo_value_at(args, 0)));
}

static undergo_error_t *notes(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)args;
  host_t *host = data;
  *result = host->notes;
  host->notes = undergo_value_list();
  return NULL;
}

static undergo_error_t *refuse(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)result;
  char out[1000];
  const undergo_string_t message = undergo_value_len(args) == 0 ? undergo_text("refused by the host") : string_at(args, 0);
  snprintf(out, sizeof out, "%.*s", (int)message.len, message.ptr);
  return undergo_error_new(out);
}

static undergo_error_t *check(void *data, const undergo_value_t *args, undergo_value_t **result) {
  return string_at(args, 0).len == 0 ? NULL : refuse(data, args, result);
}

// Fails with an error of the plugin's, in another one.
static undergo_error_t *lookup(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  const undergo_string_t key = string_at(args, 0);
  if (key.len == 0) {
    *result = undergo_value_string("");
    return NULL;
  }
  char outer[1000], inner[900];
  snprintf(inner, sizeof inner, "not found: %.*s", (int)key.len, key.ptr);
  snprintf(outer, sizeof outer, "looking up: %s", inner);
  undergo_value_t *fields = undergo_value_record();
  must(undergo_value_set(fields, "key", undergo_value_string_n(key.ptr, key.len)));
  must(undergo_value_set(fields, "code", undergo_value_int(404)));
  undergo_chained_t own = {0};
  own.name = "not-found";
  own.value = fields;
  undergo_error_t *error = undergo_error_wrap(outer, undergo_error_with_chain(undergo_error_new(inner), &own, 1));
  undergo_value_delete(fields);
  return error;
}

static undergo_error_t *wrong(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)args;
  *result = undergo_value_string(data);
  return NULL;
}

static undergo_error_t *reenter(void *data, const undergo_value_t *args, undergo_value_t **result) {
  host_t *host = data;
  undergo_value_t *depth = undergo_value_int(int_at(args, 0) - 1), *found = NULL;
  const undergo_value_t *given = depth;
  undergo_error_t *error = undergo_instance_call(host->instance, "reenter", &given, 1, NULL, &found);
  int64_t reached = 0;
  undergo_value_get_int(found, &reached);
  undergo_value_delete(depth);
  undergo_value_delete(found);
  *result = undergo_value_int(reached + 1);
  return error;
}

// The hostile guest's way to itself.
static undergo_error_t *again(void *data, const undergo_value_t *args, undergo_value_t **result) {
  host_t *host = data;
  if (host->instance == NULL) {
    *result = undergo_value_string("nothing done");
    return NULL;
  }
  const undergo_value_t *given[] = {undergo_value_at(args, 0), undergo_value_at(args, 1)};
  return undergo_instance_call(host->instance, "do", given, 2, NULL, result);
}

// A text that ends with a NUL, which the caller frees.
static char *copied(undergo_string_t text) {
  char *copy = malloc(text.len + 1);
  if (copy == NULL) {
    fail("no memory");
  }
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = 0;
  return copy;
}

static store_t *new_store(void) {
  store_t *store = malloc(sizeof *store);
  if (store == NULL) {
    fail("no memory");
  }
  store->texts = undergo_value_record();
  store->owners = 1;
  return store;
}

static void drop_store(void *data) {
  store_t *store = data;
  if (--store->owners == 0) {
    undergo_value_delete(store->texts);
    free(store);
  }
}

static undergo_error_t *store_get(void *data, const undergo_value_t *args, undergo_value_t **result) {
  store_t *store = data;
  char *key = copied(string_at(args, 0)), out[1000];
  const undergo_value_t *found = undergo_value_get(store->texts, key);
  snprintf(out, sizeof out, "no such key: %s", key);
  free(key);
  if (found == NULL) {
    return undergo_error_new(out);
  }
  *result = undergo_value_copy(found);
  return NULL;
}

static undergo_error_t *store_put(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)result;
  store_t *store = data;
  char *key = copied(string_at(args, 0));
  undergo_error_t *error = undergo_value_set(store->texts, key, undergo_value_copy(undergo_value_at(args, 1)));
  free(key);
  return error;
}

static undergo_error_t *store_size(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)args;
  *result = undergo_value_int((int64_t)undergo_value_len(((store_t *)data)->texts));
  return NULL;
}

// A new store, with that text under the key name.
static undergo_error_t *store_child(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  store_t *child = new_store();
  must(undergo_value_set(child->texts, "name", undergo_value_copy(undergo_value_at(args, 0))));
  *result = store_object(child);
  drop_store(child);
  return NULL;
}

static undergo_error_t *open_store(void *data, const undergo_value_t *args, undergo_value_t **result) {
  return string_at(args, 0).len == 0 ? undergo_error_new("no name") : store_child(data, args, result);
}

static undergo_value_t *store_object(store_t *store) {
  // In another order than the plugin has them.
  static const undergo_method_t methods[] = {{"size", store_size}, {"get", store_get}, {"put", store_put}, {"child", store_child}};
  undergo_object_t *object;
  store->owners++;
  must(undergo_object_new(methods, 4, store, drop_store, &object));
  return given(object);
}

static undergo_error_t *twice(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  *result = undergo_value_int(2 * int_at(args, 0));
  return NULL;
}

static undergo_error_t *failing(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)args;
  (void)result;
  return undergo_error_new("the callback failed");
}

static undergo_error_t *reenter_echo(void *data, const undergo_value_t *args, undergo_value_t **result) {
  host_t *host = data;
  const undergo_value_t *given[] = {undergo_value_at(args, 0)};
  return undergo_instance_call(host->instance, "echo-int64", given, 1, NULL, result);
}

static undergo_error_t *reenter_apply(void *data, const undergo_value_t *args, undergo_value_t **result) {
  host_t *host = data;
  undergo_value_t *list = undergo_value_list(), *function = callback("double"), *found = NULL;
  must(undergo_value_push(list, undergo_value_copy(undergo_value_at(args, 0))));
  const undergo_value_t *given[] = {list, function};
  undergo_error_t *error = undergo_instance_call(host->instance, "apply", given, 2, NULL, &found);
  if (error == NULL) {
    *result = undergo_value_copy(undergo_value_at(found, 0));
  }
  undergo_value_delete(found);
  undergo_value_delete(list);
  undergo_value_delete(function);
  return error;
}

static undergo_error_t *no_number(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)args;
  *result = undergo_value_string("not a number");
  return NULL;
}

static undergo_value_t *callback(const char *name) {
  static const struct {
    const char *name;
    undergo_host_fn function;
  } all[] = {
      {"double", twice}, {"fail", failing},         {"reenter", reenter_echo}, {"apply-reenter", reenter_apply},
      {"note", note},    {"open-store", open_store}, {"wrong-type", no_number},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (strcmp(all[i].name, name) == 0) {
      undergo_object_t *object;
      must(undergo_callback_new(all[i].function, hosts[selected], NULL, &object));
      return given(object);
    }
  }
  fail("there is no such callback");
  return NULL;
}

// An iterable: a list, and how it goes on behind it.
typedef struct items_t {
  undergo_value_t *list;
  size_t at;
  char then;
} items_t;

static undergo_error_t *next_item(void *data, undergo_value_t **item) {
  items_t *items = data;
  const size_t count = undergo_value_len(items->list);
  if (items->at < count) {
    *item = undergo_value_copy(undergo_value_at(items->list, items->at++));
  } else if (items->then == 'e') {
    *item = undergo_value_copy(undergo_value_at(items->list, 0));
  } else if (items->then == 'f') {
    return undergo_error_new("no more items");
  }
  return NULL;
}

static void drop_items(void *data) {
  items_t *items = data;
  undergo_value_delete(items->list);
  free(items);
}

// Reads what comes behind the items (e: the first one again and again, f: an error, -: nothing),
// and the items as a list.
static undergo_value_t *items(void) {
  items_t *items = malloc(sizeof *items);
  if (items == NULL) {
    fail("no memory");
  }
  items->then = *need();
  items->list = read_value();
  items->at = 0;
  undergo_object_t *object;
  must(undergo_items_new(next_item, items, drop_items, &object));
  return given(object);
}

// A stream to read from: bytes, and what comes behind them (e: the same again, f: an error,
// -: the end).
typedef struct reader_t {
  char *bytes;
  size_t at, len;
  char then;
} reader_t;

static undergo_error_t *read_some(void *data, void *buffer, size_t most, size_t *len) {
  reader_t *reader = data;
  if (reader->at == reader->len && reader->then == 'e') {
    reader->at = 0;
  }
  const size_t left = reader->len - reader->at;
  if (left == 0 && reader->then == 'f') {
    return undergo_error_new("broken reader");
  }
  *len = left < most ? left : most;
  memcpy(buffer, reader->bytes + reader->at, *len);
  reader->at += *len;
  return NULL;
}

static void drop_reader(void *data) {
  reader_t *reader = data;
  free(reader->bytes);
  free(reader);
}

static undergo_value_t *reader(const char *digits) {
  reader_t *reader = malloc(sizeof *reader);
  if (reader == NULL) {
    fail("no memory");
  }
  reader->bytes = unhex(digits, &reader->len);
  reader->at = 0;
  reader->then = *need();
  undergo_object_t *object;
  must(undergo_reader_new(read_some, NULL, reader, drop_reader, &object));
  return given(object);
}

static undergo_error_t *write_all(void *data, const void *bytes, size_t len) {
  collected_t *to = data;
  if (len > to->most - to->len) {
    return undergo_error_new("broken writer");
  }
  to->bytes = realloc(to->bytes, to->len + len + 1);
  if (to->bytes == NULL) {
    fail("no memory");
  }
  memcpy(to->bytes + to->len, bytes, len);
  to->len += len;
  return NULL;
}

// Reads the name of a writer, and how many bytes it takes at most; 0 is no limit.
static undergo_value_t *writer(void) {
  collected_t *made = calloc(1, sizeof *made);
  if (made == NULL) {
    fail("no memory");
  }
  made->name = text();
  made->most = (size_t)number();
  made->most = made->most == 0 ? SIZE_MAX : made->most;
  made->before = collections;
  collections = made;
  undergo_object_t *object;
  must(undergo_writer_new(write_all, NULL, made, NULL, &object));
  return given(object);
}

static void drop_host(void *data) {
  host_t *host = data;
  drop_store(host->store);
  undergo_value_delete(host->notes);
  free(host);
}

static undergo_imports_t *give_functions(host_t *host) {
  static const struct {
    const char *name;
    undergo_host_fn function;
    const char *text;
  } all[] = {
      {"echo-string", echo, NULL}, {"echo-bytes", echo, NULL},    {"echo-int", echo, NULL},    {"echo-strings", echo, NULL},
      {"echo-floats", echo, NULL}, {"echo-person", echo, NULL},   {"echo-maybe", echo, NULL},  {"echo-color", echo, NULL},
      {"echo-counts", echo, NULL}, {"echo-time", echo, NULL},     {"echo-duration", echo, NULL}, {"echo-json", echo, NULL},
      {"echo-raw", echo, NULL},    {"many", many, NULL},          {"divmod", divmod, NULL},    {"note", note, NULL},
      {"notes", notes, NULL},      {"fail", refuse, NULL},        {"check", check, NULL},      {"crash", refuse, NULL},
      {"reenter", reenter, NULL},  {"echo", echo, NULL},          {"do", again, NULL},         {"wrong-type", wrong, "not a number"},
      {"echo-shape", echo, NULL},  {"lookup", lookup, NULL},      {"wrong-result", wrong, "not a list"},
      {"open-store", open_store, NULL}, {"bundle", bundle, NULL},
  };
  undergo_imports_t *imports = undergo_imports_new();
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    void *data = all[i].text == NULL ? (void *)host : (void *)all[i].text;
    must(undergo_imports_set(imports, "host", all[i].name, all[i].function, data, NULL));
  }
  must(undergo_imports_keep(imports, host, drop_host));
  return imports;
}

// Makes an instance, and says so, or why not. `host` is what its functions have.
static undergo_instance_t *begin(const undergo_plugin_t *plugin, host_t **host) {
  undergo_limits_t limits = {0};
  limits.memory = number();
  limits.timeout = number();
  limits.handles = (uint32_t)number();
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  must(undergo_sandbox_discard(sandbox, UNDERGO_STDOUT));
  must(undergo_sandbox_discard(sandbox, UNDERGO_STDERR));
  for (uint64_t count = number(); count > 0; count--) {
    char *arg = text();
    must(undergo_sandbox_add_arg(sandbox, arg));
    free(arg);
  }
  for (uint64_t count = number(); count > 0; count--) {
    char *name = text(), *value = text();
    must(undergo_sandbox_set_env(sandbox, name, value));
    free(name);
    free(value);
  }
  *host = calloc(1, sizeof **host);
  if (*host == NULL) {
    fail("no memory");
  }
  (*host)->notes = undergo_value_list();
  (*host)->store = new_store();
  undergo_imports_t *imports = give_functions(*host);
  undergo_instance_t *instance = NULL;
  undergo_error_t *error = undergo_plugin_instantiate(plugin, imports, sandbox, &limits, &instance);
  undergo_sandbox_delete(sandbox);
  if (error == NULL) {
    (*host)->instance = instance;
    printf("made");
  } else {
    write_error(error);
  }
  undergo_imports_delete(imports);
  return instance;
}

// Reads values.
static undergo_value_t **read_values(size_t *count) {
  *count = (size_t)number();
  undergo_value_t **args = calloc(*count + 1, sizeof *args);
  if (args == NULL) {
    fail("no memory");
  }
  for (size_t i = 0; i < *count; i++) {
    args[i] = read_value();
  }
  return args;
}

// Writes how a call has ended, and frees what it gave and what it got.
static void conclude(undergo_error_t *error, undergo_value_t *result, undergo_value_t **args, size_t count) {
  for (size_t i = 0; i < count; i++) {
    undergo_value_delete(args[i]);
  }
  free(args);
  if (error != NULL) {
    write_error(error);
    return;
  }
  printf("value");
  write_value(result);
  undergo_value_delete(result);
}

static void call(const undergo_instance_t *instance, const char *name, uint64_t timeout) {
  size_t count;
  undergo_value_t **args = read_values(&count), *result = NULL;
  const undergo_call_options_t options = {timeout, NULL};
  undergo_error_t *error = undergo_instance_call(instance, name, (const undergo_value_t *const *)args, count, &options, &result);
  conclude(error, result, args, count);
}

static void method(const undergo_handle_t *handle) {
  char *name = text();
  const undergo_call_options_t options = {number(), NULL};
  size_t count;
  undergo_value_t **args = read_values(&count), *result = NULL;
  undergo_error_t *error = undergo_handle_call(handle, name, (const undergo_value_t *const *)args, count, &options, &result);
  free(name);
  conclude(error, result, args, count);
}

static void construct(const undergo_instance_t *instance) {
  char *name = text();
  const undergo_call_options_t options = {number(), NULL};
  size_t count;
  undergo_value_t **args = read_values(&count);
  undergo_handle_t *made = NULL;
  undergo_error_t *error = undergo_instance_construct(instance, name, (const undergo_value_t *const *)args, count, &options, &made);
  free(name);
  undergo_value_t *result = error == NULL ? undergo_value_handle(made) : NULL;
  undergo_handle_delete(made);
  conclude(error, result, args, count);
}

static void read_stream(const undergo_handle_t *handle) {
  const size_t most = (size_t)number();
  char *buffer = malloc(most + 1);
  if (buffer == NULL) {
    fail("no memory");
  }
  size_t all = 0, len = 1;
  undergo_error_t *error = NULL;
  // A stream may give less than it could.
  while (error == NULL && len > 0 && all < most) {
    error = undergo_stream_read(handle, buffer + all, most - all, NULL, &len);
    all += len;
  }
  conclude(error, error == NULL ? undergo_value_bytes(buffer, all) : NULL, NULL, 0);
  free(buffer);
}

static void write_stream(const undergo_handle_t *handle) {
  size_t len;
  char *bytes = unhex(need() + 1, &len);
  conclude(undergo_stream_write(handle, bytes, len, NULL), NULL, NULL, 0);
  free(bytes);
}

static void next(const undergo_handle_t *handle) {
  undergo_value_t *item = NULL;
  undergo_error_t *error = undergo_iterator_next(handle, NULL, &item);
  if (error == NULL && item == NULL) {
    printf("end");
  } else {
    conclude(error, item, NULL, 0);
  }
}

static void written(const char *name) {
  const collected_t *found = collections;
  while (found != NULL && strcmp(found->name, name) != 0) {
    found = found->before;
  }
  if (found == NULL) {
    fail("there is no such writer");
  }
  conclude(NULL, undergo_value_bytes(found->bytes, found->len), NULL, 0);
}

static void drop_collections(void) {
  while (collections != NULL) {
    collected_t *before = collections->before;
    free(collections->name);
    free(collections->bytes);
    free(collections);
    collections = before;
  }
}

static void signature(const undergo_plugin_t *plugin, const char *name) {
  undergo_function_t function;
  for (size_t i = 0; undergo_plugin_export(plugin, i, &function); i++) {
    if (name == NULL) {
      printf("%s ", function.name);
    } else if (strcmp(function.name, name) == 0) {
      printf("%s", function.signature);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fail("usage: driver PLUGIN");
  }
  undergo_plugin_t *plugin;
  const undergo_plugin_options_t fast = {.compile = UNDERGO_COMPILE_FAST};
  // Under valgrind the better compiler would take minutes.
  must(undergo_plugin_load(argv[1], getenv("UNDERGO_TEST_FAST") != NULL ? &fast : NULL, &plugin));
  must(undergo_plugin_wait_compiled(plugin));
  undergo_instance_t *bystander = NULL;
  const char *verb;
  while ((verb = word()) != NULL) {
    if (strcmp(verb, "new") == 0) {
      undergo_instance_delete(instances[selected]);
      instances[selected] = begin(plugin, &hosts[selected]);
    } else if (strcmp(verb, "select") == 0) {
      selected = (size_t)number();
      printf("selected");
    } else if (strcmp(verb, "keep") == 0) {
      bystander = instances[selected];
      instances[selected] = NULL;
    } else if (strcmp(verb, "call") == 0 || strcmp(verb, "other") == 0) {
      const bool own = strcmp(verb, "call") == 0;
      char *name = text();
      const uint64_t timeout = own ? number() : 0;
      call(own ? instances[selected] : bystander, name, timeout);
      free(name);
    } else if (strcmp(verb, "construct") == 0) {
      construct(instances[selected]);
    } else if (strcmp(verb, "method") == 0) {
      method(handle_at(number()));
    } else if (strcmp(verb, "next") == 0) {
      next(handle_at(number()));
    } else if (strcmp(verb, "read") == 0) {
      read_stream(handle_at(number()));
    } else if (strcmp(verb, "write") == 0) {
      write_stream(handle_at(number()));
    } else if (strcmp(verb, "close") == 0) {
      conclude(undergo_handle_close(handle_at(number())), NULL, NULL, 0);
    } else if (strcmp(verb, "free") == 0) {
      const uint64_t at = number();
      undergo_handle_delete(handle_at(at));
      handles[at] = NULL;
      printf("freed");
    } else if (strcmp(verb, "written") == 0) {
      char *name = text();
      written(name);
      free(name);
    } else if (strcmp(verb, "reset") == 0) {
      conclude(undergo_instance_reset(instances[selected], NULL), NULL, NULL, 0);
    } else if (strcmp(verb, "alive") == 0) {
      printf(undergo_instance_is_alive(instances[selected]) ? "yes" : "no");
    } else if (strcmp(verb, "signature") == 0) {
      char *name = text();
      signature(plugin, name);
      free(name);
    } else if (strcmp(verb, "exports") == 0) {
      signature(plugin, NULL);
    } else {
      fail("that is no verb");
    }
    printf("\n");
    fflush(stdout);
  }
  undergo_instance_delete(instances[0]);
  undergo_instance_delete(instances[1]);
  undergo_instance_delete(bystander);
  undergo_plugin_delete(plugin);
  for (size_t i = 0; i < handle_count; i++) {
    undergo_handle_delete(handles[i]);
  }
  free(handles);
  drop_collections();
  return 0;
}
