// Calls with the structs of a generated header: each kind of type there and back, and through
// functions of the host.
//
// Usage: typed conformance.wasm

#include <math.h>

#include "check.h"
#include "guest.h"

typedef struct host_t {
  undergo_instance_t *instance;
  undergo_string_t notes[10];
  size_t noted;
  int mark;
  bool gives_no_shape;
  bool gives_no_key;
  bool passes_on;
} host_t;

// The functions of the module host; what they are given they give back, in the arena or not.

static undergo_error_t *echo_string(void *data, undergo_string_t s, undergo_string_t *result, undergo_arena_t *arena) {
  (void)data;
  *result = undergo_arena_copy(arena, s.ptr, s.len);
  return NULL;
}

static undergo_error_t *echo_bytes(void *data, undergo_bytes_t v, undergo_bytes_t *result, undergo_arena_t *arena) {
  (void)data;
  uint8_t *copy = undergo_arena_alloc(arena, v.len);
  CHECK(copy != NULL);
  for (size_t i = 0; i < v.len; i++) {
    copy[i] = v.ptr[i];
  }
  *result = (undergo_bytes_t){copy, v.len};
  return NULL;
}

static undergo_error_t *echo_int(void *data, int64_t v, int64_t *result) {
  (void)data;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_strings(void *data, undergo_list_string_t v, undergo_list_string_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_floats(void *data, undergo_list_f64_t v, undergo_list_f64_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_person(void *data, guest_person_t p, guest_person_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  *result = p;
  return NULL;
}

static undergo_error_t *echo_maybe(void *data, const undergo_string_t *v, const undergo_string_t **result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_color(void *data, guest_color_t v, guest_color_t *result) {
  (void)data;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_counts(void *data, guest_map_string_s64_t v, guest_map_string_s64_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_time(void *data, undergo_time_t v, undergo_time_t *result) {
  (void)data;
  *result = v;
  return NULL;
}

static undergo_error_t *echo_json(void *data, undergo_string_t v, undergo_string_t *result, undergo_arena_t *arena) {
  return echo_string(data, v, result, arena);
}

static undergo_error_t *echo_shape(void *data, guest_shape_t s, guest_shape_t *result, undergo_arena_t *arena) {
  (void)arena;
  *result = s;
  // A host that gives what is no shape.
  const host_t *host = data;
  if (host->gives_no_shape) {
    result->tag = 7;
  }
  return NULL;
}

static undergo_error_t *many(
    void *data, int8_t a, uint16_t b, int32_t c, int64_t d, double e, bool f, undergo_string_t g, undergo_string_t h,
    undergo_string_t i, undergo_string_t j, undergo_string_t k, undergo_string_t l, undergo_string_t *result, undergo_arena_t *arena) {
  (void)data;
  char out[200];
  const int len = snprintf(
      out, sizeof out, "%d %d %d %d %g %s %s|%s|%s|%s|%s|%s", a, b, (int)c, (int)d, e, f ? "true" : "false", g.ptr, h.ptr, i.ptr,
      j.ptr, k.ptr, l.ptr);
  *result = undergo_arena_copy(arena, out, (size_t)len);
  return NULL;
}

static undergo_error_t *bundle(
    void *data, int8_t id, guest_shape_t s, const guest_shape_t *m, guest_drawing_t d, guest_list_shape_t v, undergo_string_t name,
    guest_tuple_s8_shape_option_shape_drawing_list_shape_string_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  *result = (guest_tuple_s8_shape_option_shape_drawing_list_shape_string_t){id, s, m, d, v, name};
  return NULL;
}

static undergo_error_t *divide(void *data, int64_t a, int64_t b, guest_tuple_s64_s64_t *result) {
  (void)data;
  *result = (guest_tuple_s64_s64_t){a / b, a % b};
  return NULL;
}

static undergo_error_t *note(void *data, undergo_string_t s) {
  host_t *host = data;
  CHECK(host->noted < 10);
  char *copy = malloc(s.len + 1);
  CHECK(copy != NULL);
  memcpy(copy, s.ptr, s.len + 1);
  host->notes[host->noted++] = (undergo_string_t){copy, s.len};
  return NULL;
}

static void forget(host_t *host) {
  while (host->noted > 0) {
    free((void *)host->notes[--host->noted].ptr);
  }
}

static undergo_error_t *notes(void *data, undergo_list_string_t *result, undergo_arena_t *arena) {
  host_t *host = data;
  undergo_string_t *all = undergo_arena_alloc(arena, sizeof host->notes);
  CHECK(all != NULL);
  for (size_t i = 0; i < host->noted; i++) {
    all[i] = undergo_arena_copy(arena, host->notes[i].ptr, host->notes[i].len);
  }
  *result = (undergo_list_string_t){all, host->noted};
  forget(host);
  return NULL;
}

static undergo_error_t *refuse(void *data, undergo_string_t msg, undergo_string_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)result;
  (void)arena;
  return undergo_error_new(msg.ptr);
}

static undergo_error_t *check_text(void *data, undergo_string_t msg) {
  (void)data;
  return msg.len == 0 ? NULL : undergo_error_new(msg.ptr);
}

static undergo_error_t *crash(void *data, undergo_string_t msg) {
  host_t *host = data;
  return undergo_error_new_with(msg.ptr, &host->mark, NULL);
}

// Fails with an error of the plugin's, in another one.
static undergo_error_t *lookup(void *data, undergo_string_t key, undergo_string_t *result, undergo_arena_t *arena) {
  const host_t *host = data;
  if (key.len == 0) {
    *result = key;
    return NULL;
  }
  if (host->passes_on) {
    return guest_fail_with(host->instance, key, NULL);
  }
  guest_not_found_t fields = {key, 404};
  if (host->gives_no_key) {
    fields.key = undergo_arena_copy(arena, "\xff", 1);
  }
  char inner[100], outer[120];
  snprintf(inner, sizeof inner, "not found: %s", key.ptr);
  snprintf(outer, sizeof outer, "looking up: %s", inner);
  return undergo_error_wrap(outer, guest_error_not_found(inner, &fields));
}

static undergo_error_t *wrong_type(void *data, int32_t *result) {
  (void)data;
  *result = 7;
  return NULL;
}

static undergo_error_t *wrong_result(void *data, undergo_list_s32_t *result, undergo_arena_t *arena) {
  (void)data;
  (void)arena;
  static const int32_t *const nowhere = NULL;
  *result = (undergo_list_s32_t){nowhere, 3};
  return NULL;
}

static undergo_error_t *reenter(void *data, int32_t depth, int32_t *result) {
  host_t *host = data;
  undergo_error_t *error = guest_reenter(host->instance, depth - 1, NULL, result);
  *result += 1;
  return error;
}

static const guest_host_t FUNCTIONS = {
    .echo_string = echo_string, .echo_bytes = echo_bytes, .echo_int = echo_int, .echo_strings = echo_strings, .echo_floats = echo_floats,
    .echo_person = echo_person, .echo_maybe = echo_maybe, .echo_color = echo_color, .echo_counts = echo_counts, .echo_time = echo_time,
    .echo_duration = echo_int, .echo_json = echo_json, .echo_raw = echo_json, .many = many, .divmod = divide, .note = note,
    .notes = notes, .fail = refuse, .check = check_text, .crash = crash, .wrong_type = wrong_type, .wrong_result = wrong_result,
    .reenter = reenter, .echo_shape = echo_shape, .lookup = lookup, .bundle = bundle,
};

static undergo_instance_t *start(const undergo_plugin_t *plugin, host_t *host) {
  undergo_imports_t *imports = undergo_imports_new();
  OK(guest_set_host(imports, &FUNCTIONS, host, NULL));
  OK(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &host->instance));
  undergo_imports_delete(imports);
  return host->instance;
}

static guest_person_t ada(void) {
  static undergo_string_t email, tags[3];
  static uint32_t zip = 12345, none = 0;
  static guest_address_t others[2];
  static guest_map_string_f64_entry_t scores[2];
  static guest_level_t level = GUEST_LEVEL_HIGH;
  email = undergo_text("ada@example.com");
  tags[0] = undergo_text("math");
  tags[1] = undergo_text("\xc3\xbcn\xc3\xaf");
  tags[2] = undergo_text("");
  others[0] = (guest_address_t){undergo_text(""), NULL};
  others[1] = (guest_address_t){undergo_text("Second"), &none};
  scores[0] = (guest_map_string_f64_entry_t){undergo_text("chess"), 1.5};
  scores[1] = (guest_map_string_f64_entry_t){undergo_text("go"), -0.5};
  return (guest_person_t){
      .name = undergo_text("Ada"), .email = &email, .age = 36, .tags = {tags, 3}, .home = {undergo_text("Main"), &zip},
      .others = {others, 2}, .scores = {scores, 2}, .favorite = GUEST_COLOR_DARK_BLUE, .level = &level,
      .born = {-488160000, 250000000, 3600}, .nap = 1500000000, .user_id = UINT32_MAX,
  };
}

static void is_ada(guest_person_t p) {
  CHECK(is(p.name, "Ada") && is(*p.email, "ada@example.com") && p.age == 36);
  CHECK(p.tags.len == 3 && is(p.tags.ptr[0], "math") && is(p.tags.ptr[1], "\xc3\xbcn\xc3\xaf") && is(p.tags.ptr[2], ""));
  CHECK(is(p.home.street, "Main") && *p.home.zip == 12345);
  CHECK(p.others.len == 2 && p.others.ptr[0].zip == NULL && is(p.others.ptr[1].street, "Second") && *p.others.ptr[1].zip == 0);
  CHECK(p.scores.len == 2);
  for (size_t i = 0; i < 2; i++) {
    const bool chess = is(p.scores.ptr[i].key, "chess");
    CHECK((chess || is(p.scores.ptr[i].key, "go")) && p.scores.ptr[i].value == (chess ? 1.5 : -0.5));
  }
  CHECK(p.favorite == GUEST_COLOR_DARK_BLUE && *p.level == GUEST_LEVEL_HIGH);
  CHECK(p.born.seconds == -488160000 && p.born.nanoseconds == 250000000 && p.born.offset == 3600);
  CHECK(p.nap == 1500000000 && p.user_id == UINT32_MAX);
}

#define ECHO(function, type, ...)                                  \
  do {                                                             \
    static const type values[] = {__VA_ARGS__};                    \
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {  \
      type found;                                                  \
      OK(function(guest, values[i], NULL, &found));                \
      CHECK(found == values[i]);                                   \
    }                                                              \
  } while (0)

static void scalars(const undergo_instance_t *guest) {
  ECHO(guest_echo_bool, bool, true, false);
  ECHO(guest_echo_int8, int8_t, INT8_MIN, -1, 0, INT8_MAX);
  ECHO(guest_echo_int16, int16_t, INT16_MIN, -1, 0, INT16_MAX);
  ECHO(guest_echo_int32, int32_t, INT32_MIN, -1, 0, INT32_MAX);
  ECHO(guest_echo_int64, int64_t, INT64_MIN, -1, 0, INT64_MAX);
  ECHO(guest_echo_uint8, uint8_t, 0, UINT8_MAX);
  ECHO(guest_echo_uint16, uint16_t, 0, UINT16_MAX);
  ECHO(guest_echo_uint32, uint32_t, 0, UINT32_MAX);
  ECHO(guest_echo_uint64, uint64_t, 0, UINT64_MAX);
  ECHO(guest_echo_float32, float, 0.5F, -1e30F, INFINITY);
  ECHO(guest_echo_float64, double, 0.1, -1e300, -INFINITY);
  ECHO(guest_echo_duration, int64_t, 0, -1, INT64_MAX);
  ECHO(guest_echo_color, guest_color_t, GUEST_COLOR_RED, GUEST_COLOR_GREEN, GUEST_COLOR_DARK_BLUE);
  double nan;
  OK(guest_echo_float64(guest, NAN, NULL, &nan));
  CHECK(isnan(nan));
  undergo_time_t time = {1700000000, 123456789, -3600}, same;
  OK(guest_echo_time(guest, time, NULL, &same));
  CHECK(same.seconds == time.seconds && same.nanoseconds == time.nanoseconds && same.offset == time.offset);
  int32_t sum;
  OK(guest_sixteen(guest, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, NULL, &sum));
  CHECK(sum == -8);
  OK(guest_nothing(guest, NULL));
}

#define LIST(function, type, item, ...)                                                        \
  do {                                                                                         \
    static const item items[] = {__VA_ARGS__};                                                 \
    const type given = {items, sizeof items / sizeof *items}, empty = {NULL, 0};               \
    type found;                                                                                \
    OK(function(guest, given, NULL, &found, &arena));                                          \
    CHECK(found.len == given.len && memcmp(found.ptr, items, sizeof items) == 0);              \
    undergo_arena_delete(arena);                                                               \
    OK(function(guest, empty, NULL, &found, &arena));                                          \
    CHECK(found.len == 0);                                                                     \
    undergo_arena_delete(arena);                                                               \
  } while (0)

static void lists(const undergo_instance_t *guest) {
  undergo_arena_t *arena;
  LIST(guest_echo_bools, undergo_list_bool_t, bool, true, false, true);
  LIST(guest_echo_bytes, undergo_bytes_t, uint8_t, 0, 255, 7);
  LIST(guest_echo_int8s, undergo_list_s8_t, int8_t, INT8_MIN, INT8_MAX);
  LIST(guest_echo_int16s, undergo_list_s16_t, int16_t, INT16_MIN, INT16_MAX);
  LIST(guest_echo_int32s, undergo_list_s32_t, int32_t, INT32_MIN, INT32_MAX);
  LIST(guest_echo_int64s, undergo_list_s64_t, int64_t, INT64_MIN, INT64_MAX);
  LIST(guest_echo_uint16s, undergo_list_u16_t, uint16_t, 1, UINT16_MAX);
  LIST(guest_echo_uint32s, undergo_list_u32_t, uint32_t, 1, UINT32_MAX);
  LIST(guest_echo_uint64s, undergo_list_u64_t, uint64_t, 1, UINT64_MAX);
  LIST(guest_echo_float32s, undergo_list_f32_t, float, 0.5F, -0.25F);
  LIST(guest_echo_float64s, undergo_list_f64_t, double, 0.1, -0.2, 0.3);
  LIST(guest_echo_colors, guest_list_color_t, guest_color_t, GUEST_COLOR_DARK_BLUE, GUEST_COLOR_RED);

  const undergo_string_t names[] = {undergo_text("a"), undergo_text(""), undergo_text("\xc3\xbc")};
  const undergo_list_string_t inner[] = {{names, 3}, {NULL, 0}, {names + 2, 1}};
  guest_list_list_string_t found;
  OK(guest_echo_string_lists(guest, (guest_list_list_string_t){inner, 3}, NULL, &found, &arena));
  CHECK(found.len == 3 && found.ptr[0].len == 3 && found.ptr[1].len == 0 && is(found.ptr[2].ptr[0], "\xc3\xbc"));
  undergo_arena_delete(arena);

  // Enough for an arena of several pieces.
  enum { MANY = 20000 };
  undergo_string_t *all = malloc(MANY * sizeof *all);
  CHECK(all != NULL);
  for (size_t i = 0; i < MANY; i++) {
    all[i] = names[i % 3];
  }
  undergo_list_string_t strings;
  OK(guest_echo_strings(guest, (undergo_list_string_t){all, MANY}, NULL, &strings, &arena));
  CHECK(strings.len == MANY);
  for (size_t i = 0; i < MANY; i++) {
    CHECK(is(strings.ptr[i], names[i % 3].ptr) && strings.ptr[i].ptr[strings.ptr[i].len] == 0);
  }
  undergo_arena_delete(arena);
  free(all);

  const undergo_string_t *maybe[] = {&names[0], NULL, &names[2]};
  guest_list_option_string_t maybes;
  OK(guest_list_of_maybe(guest, (guest_list_option_string_t){maybe, 3}, NULL, &maybes, &arena));
  CHECK(maybes.len == 3 && is(*maybes.ptr[0], "a") && maybes.ptr[1] == NULL && is(*maybes.ptr[2], "\xc3\xbc"));
  undergo_arena_delete(arena);
}

static void records(const undergo_instance_t *guest) {
  undergo_arena_t *arena;
  guest_person_t p;
  OK(guest_echo_person(guest, ada(), NULL, &p, &arena));
  is_ada(p);
  undergo_arena_delete(arena);

  const guest_person_t two[] = {ada(), {.name = undergo_text("nobody")}};
  guest_list_person_t people;
  OK(guest_echo_people(guest, (guest_list_person_t){two, 2}, NULL, &people, &arena));
  CHECK(people.len == 2 && people.ptr[1].email == NULL && people.ptr[1].level == NULL && people.ptr[1].tags.len == 0);
  is_ada(people.ptr[0]);
  undergo_arena_delete(arena);

  const guest_point_t point = {1.5, -2, 255};
  guest_point_t same;
  OK(guest_echo_point(guest, point, NULL, &same));
  CHECK(same.x == 1.5 && same.y == -2 && same.tag == 255);

  const int32_t seven = 7, *number;
  OK(guest_maybe_int(guest, &seven, NULL, &number, &arena));
  CHECK(*number == 7);
  undergo_arena_delete(arena);
  OK(guest_maybe_int(guest, NULL, NULL, &number, &arena));
  CHECK(number == NULL && arena == NULL);

  const guest_map_string_point_entry_t points[] = {{undergo_text("p"), point}};
  const guest_map_bool_map_string_point_entry_t flags[] = {{true, {points, 1}}, {false, {NULL, 0}}};
  guest_map_bool_map_string_point_t found;
  OK(guest_echo_flags(guest, (guest_map_bool_map_string_point_t){flags, 2}, NULL, &found, &arena));
  CHECK(found.len == 2);
  for (size_t i = 0; i < 2; i++) {
    CHECK(found.ptr[i].value.len == (found.ptr[i].key ? 1 : 0));
    CHECK(!found.ptr[i].key || (is(found.ptr[i].value.ptr[0].key, "p") && found.ptr[i].value.ptr[0].value.tag == 255));
  }
  undergo_arena_delete(arena);

  // Of equal keys the last one counts.
  const guest_map_string_s64_entry_t repeated[] = {{undergo_text("a"), 1}, {undergo_text("a"), 2}, {undergo_text("a"), 3}};
  guest_map_string_s64_t counted;
  OK(guest_echo_counts(guest, (guest_map_string_s64_t){repeated, 3}, NULL, &counted, &arena));
  CHECK(counted.len == 1 && is(counted.ptr[0].key, "a") && counted.ptr[0].value == 3);
  undergo_arena_delete(arena);

  undergo_string_t text;
  const undergo_string_t m = undergo_text("m");
  const int32_t k[] = {1, 2};
  OK(guest_many(
      guest, -1, 2, -3, 4, 0.5F, 0.25, true, undergo_text("h"), undergo_text(""), undergo_text("j"), (undergo_list_s32_t){k, 2},
      GUEST_COLOR_GREEN, &m, point, NULL, &text, &arena));
  CHECK(is(text, "-1 2 -3 4 0.5 0.25 true h  j [1 2] 1 m {1.5 -2 255}"));
  undergo_arena_delete(arena);
}

static guest_shape_t circle(double radius) {
  guest_shape_t shape = {.tag = GUEST_SHAPE_CIRCLE};
  shape.value.circle.radius = radius;
  return shape;
}

static guest_shape_t label(const char *text) {
  guest_shape_t shape = {.tag = GUEST_SHAPE_LABEL};
  shape.value.label = undergo_text(text);
  return shape;
}

static void variants(const undergo_instance_t *guest) {
  undergo_arena_t *arena;
  guest_shape_t found;
  OK(guest_echo_shape(guest, circle(1.5), NULL, &found, &arena));
  CHECK(found.tag == GUEST_SHAPE_CIRCLE && found.value.circle.radius == 1.5 && arena == NULL);
  OK(guest_echo_shape(guest, label("gr\xc3\xbcn"), NULL, &found, &arena));
  CHECK(found.tag == GUEST_SHAPE_LABEL && is(found.value.label, "gr\xc3\xbcn"));
  undergo_arena_delete(arena);

  const guest_point_t points[] = {{1.5, -2, 255}, {0, 0, 0}};
  const guest_color_t fill = GUEST_COLOR_DARK_BLUE;
  guest_shape_t polygon = {.tag = GUEST_SHAPE_POLYGON};
  polygon.value.polygon = (guest_polygon_t){.points = {points, 2}, .name = undergo_text("p"), .fill = &fill};
  OK(guest_echo_shape(guest, polygon, NULL, &found, &arena));
  CHECK(found.tag == GUEST_SHAPE_POLYGON && found.value.polygon.points.len == 2 && *found.value.polygon.fill == fill);
  CHECK(found.value.polygon.points.ptr[0].tag == 255 && is(found.value.polygon.name, "p"));
  undergo_arena_delete(arena);

  // More than WebAssembly passes one by one.
  const guest_shape_t several[] = {polygon, label("l")};
  guest_drawing_t framed = {.title = undergo_text("t"), .shapes = {several, 2}, .cover = &polygon};
  framed.border = (guest_round_t){.tag = GUEST_ROUND_LABEL, .value.label = undergo_text("b")};
  guest_tuple_s8_shape_option_shape_drawing_list_shape_string_t bundle;
  OK(guest_bundle_through_host(guest, -128, circle(0.5), several, framed, (guest_list_shape_t){several, 2}, undergo_text("n"), NULL, &bundle, &arena));
  CHECK(bundle.f0 == -128 && bundle.f1.value.circle.radius == 0.5 && bundle.f2->value.polygon.points.ptr[1].tag == 0 && is(bundle.f5, "n"));
  CHECK(is(bundle.f3.title, "t") && is(bundle.f3.border.value.label, "b") && is(bundle.f3.shapes.ptr[1].value.label, "l"));
  CHECK(bundle.f3.cover->tag == GUEST_SHAPE_POLYGON && bundle.f3.back == NULL && bundle.f4.len == 2 && *bundle.f4.ptr[0].value.polygon.fill == fill);
  undergo_arena_delete(arena);

  // What no case uses of the union means nothing.
  guest_shape_t empty;
  memset(&empty, 0xff, sizeof empty);
  empty.tag = GUEST_SHAPE_EMPTY;
  OK(guest_echo_shape(guest, empty, NULL, &found, &arena));
  CHECK(found.tag == GUEST_SHAPE_EMPTY && arena == NULL);

  const guest_shape_t all[] = {circle(2), label(""), polygon, empty, circle(-1)};
  guest_list_shape_t shapes;
  OK(guest_echo_shapes(guest, (guest_list_shape_t){all, 5}, NULL, &shapes, &arena));
  CHECK(shapes.len == 5 && shapes.ptr[0].value.circle.radius == 2 && is(shapes.ptr[1].value.label, ""));
  CHECK(shapes.ptr[2].value.polygon.points.len == 2 && shapes.ptr[3].tag == GUEST_SHAPE_EMPTY && shapes.ptr[4].value.circle.radius == -1);
  undergo_arena_delete(arena);

  const guest_shape_t *maybe;
  OK(guest_echo_maybe_shape(guest, &all[1], NULL, &maybe, &arena));
  CHECK(maybe->tag == GUEST_SHAPE_LABEL);
  undergo_arena_delete(arena);
  OK(guest_echo_maybe_shape(guest, NULL, NULL, &maybe, &arena));
  CHECK(maybe == NULL && arena == NULL);

  // Names that mean something in C.
  guest_token_t token = {.tag = GUEST_TOKEN_CLASS}, same;
  token.value.class_ = undergo_text("c");
  OK(guest_echo_token(guest, token, NULL, &same, &arena));
  CHECK(same.tag == GUEST_TOKEN_CLASS && is(same.value.class_, "c"));
  undergo_arena_delete(arena);

  const guest_map_string_shape_entry_t named[] = {{undergo_text("a"), all[0]}, {undergo_text("b"), all[3]}};
  guest_drawing_t drawing = {.title = undergo_text("t"), .shapes = {all, 5}, .named = {named, 2}, .cover = &all[1], .back = &token}, drawn;
  drawing.border.tag = GUEST_ROUND_WHEEL;
  drawing.border.value.wheel.spokes = UINT16_MAX;
  OK(guest_echo_drawing(guest, drawing, NULL, &drawn, &arena));
  CHECK(drawn.shapes.len == 5 && drawn.named.len == 2 && is(drawn.cover->value.label, "") && is(drawn.back->value.class_, "c"));
  CHECK(drawn.border.tag == GUEST_ROUND_WHEEL && drawn.border.value.wheel.spokes == UINT16_MAX && drawn.extra == NULL);
  undergo_arena_delete(arena);

  OK(guest_shape_through_host(guest, polygon, NULL, &found, &arena));
  CHECK(found.tag == GUEST_SHAPE_POLYGON && is(found.value.polygon.name, "p"));
  undergo_arena_delete(arena);

  // What is no case, or has no value where one must be.
  const int32_t tags[] = {7, -1, INT32_MAX, INT32_MIN, 256};
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
    guest_shape_t wrong = circle(1);
    wrong.tag = tags[i];
    FAILS(guest_echo_shape(guest, wrong, NULL, &found, &arena), UNDERGO_TYPE_MISMATCH, "is not a case of shape, whose cases are 0 to 6");
    const guest_shape_t second[] = {circle(1), wrong};
    FAILS(guest_echo_shapes(guest, (guest_list_shape_t){second, 2}, NULL, &shapes, &arena), UNDERGO_TYPE_MISMATCH, "echo-shapes(v[1]): ");
  }
  guest_shape_t nowhere = label("");
  nowhere.value.label = (undergo_string_t){NULL, 3};
  FAILS(guest_echo_shape(guest, nowhere, NULL, &found, &arena), UNDERGO_TYPE_MISMATCH, "echo-shape(s.label): 3 bytes at NULL");
  drawing.back = &token;
  token.value.class_ = undergo_text("\xff");
  FAILS(guest_echo_drawing(guest, drawing, NULL, &drawn, &arena), UNDERGO_TYPE_MISMATCH, "echo-drawing(d.back.class): the text is not UTF-8");
  FAILS(guest_bad_shape(guest, undergo_text("nil"), NULL, &found, &arena), UNDERGO_TYPE_MISMATCH, "bad-shape -> result");
  CHECK(found.tag == 0 && arena == NULL);
}

static void through_the_host(const undergo_instance_t *guest, host_t *host) {
  undergo_arena_t *arena;
  guest_person_t p;
  OK(guest_person_through_host(guest, ada(), NULL, &p, &arena));
  is_ada(p);
  undergo_arena_delete(arena);

  const undergo_string_t names[] = {undergo_text("a"), undergo_text(""), undergo_text("\xc3\xbc")};
  const double floats[] = {0.5, -1};
  const uint8_t bytes[] = {0, 255};
  guest_tuple_string_list_u8_s64_list_string_list_f64_t all;
  OK(guest_through_host(
      guest, names[2], (undergo_bytes_t){bytes, 2}, INT64_MIN, (undergo_list_string_t){names, 3}, (undergo_list_f64_t){floats, 2},
      NULL, &all, &arena));
  CHECK(is(all.f0, "\xc3\xbc") && all.f1.len == 2 && all.f1.ptr[1] == 255 && all.f2 == INT64_MIN && all.f3.len == 3 && all.f4.ptr[1] == -1);
  undergo_arena_delete(arena);

  const guest_map_string_s64_entry_t counts[] = {{names[0], 1}, {names[2], INT64_MAX}};
  guest_tuple_option_string_color_map_string_s64_t more;
  OK(guest_more_through_host(guest, names, GUEST_COLOR_GREEN, (guest_map_string_s64_t){counts, 2}, NULL, &more, &arena));
  CHECK(is(*more.f0, "a") && more.f1 == GUEST_COLOR_GREEN && more.f2.len == 2);
  undergo_arena_delete(arena);
  OK(guest_more_through_host(guest, NULL, GUEST_COLOR_RED, (guest_map_string_s64_t){NULL, 0}, NULL, &more, &arena));
  CHECK(more.f0 == NULL && more.f2.len == 0);
  undergo_arena_delete(arena);

  undergo_string_t text;
  OK(guest_many_through_host(guest, NULL, &text, &arena));
  CHECK(is(text, "-1 2 -3 4 0.5 true g||i|j|k|\xc3\xbc"));
  undergo_arena_delete(arena);
  guest_tuple_s64_s64_t both;
  OK(guest_divmod_through_host(guest, 17, 5, NULL, &both));
  CHECK(both.f0 == 3 && both.f1 == 2);
  undergo_list_string_t noted;
  OK(guest_notes(guest, (undergo_list_string_t){names, 3}, NULL, &noted, &arena));
  CHECK(noted.len == 3 && is(noted.ptr[2], "\xc3\xbc") && host->noted == 0);
  undergo_arena_delete(arena);
  OK(guest_catch_failure(guest, undergo_text("no luck"), NULL, &text, &arena));
  CHECK(is(text, "caught: no luck"));
  undergo_arena_delete(arena);
  int32_t depth;
  OK(guest_reenter(guest, 20, NULL, &depth));
  CHECK(depth == 20);
}

static void errors(const undergo_plugin_t *plugin, const undergo_instance_t *guest) {
  undergo_arena_t *arena;
  undergo_string_t text;
  undergo_list_string_t strings;
  guest_tuple_string_s32_t split;
  FAILS(guest_split(guest, undergo_text(" "), NULL, &split, &arena), UNDERGO_GUEST_ERROR, "no words");
  CHECK(arena == NULL && split.f0.ptr == NULL);
  FAILS(guest_fail(guest, undergo_text("oh"), NULL), UNDERGO_GUEST_ERROR, "oh");
  OK(guest_fail(guest, undergo_text(""), NULL));
  FAILS(guest_pass_failure(guest, undergo_text("no luck"), NULL), UNDERGO_GUEST_ERROR, "host: no luck");
  FAILS(guest_echo_string(guest, undergo_text("\xff"), NULL, &text, &arena), UNDERGO_TYPE_MISMATCH, "echo-string(s): the text is not UTF-8");
  FAILS(guest_echo_color(guest, 9, NULL, &(guest_color_t){0}), UNDERGO_TYPE_MISMATCH, "9 is not a case of color, whose cases are 0 to 2");
  FAILS(guest_echo_color(guest, -1, NULL, &(guest_color_t){0}), UNDERGO_TYPE_MISMATCH, "-1 is not a case");
  const undergo_list_string_t nowhere = {NULL, 2}, endless = {(const undergo_string_t *)&text, SIZE_MAX};
  FAILS(guest_echo_strings(guest, nowhere, NULL, &strings, &arena), UNDERGO_TYPE_MISMATCH, "echo-strings(v): 32 bytes at NULL");
  FAILS(guest_echo_strings(guest, endless, NULL, &strings, &arena), UNDERGO_TYPE_MISMATCH, "more than there can be");
  FAILS(guest_bad_string(guest, NULL, &text, &arena), UNDERGO_TYPE_MISMATCH, "bad-string -> result: the guest gave a string that is not UTF-8");
  FAILS(guest_bad_strings(guest, NULL, &strings, &arena), UNDERGO_TYPE_MISMATCH, "[1]");
  CHECK(strings.ptr == NULL && strings.len == 0 && arena == NULL);
  FAILS(guest_echo_string(guest, undergo_text("x"), NULL, NULL, &arena), UNDERGO_TYPE_MISMATCH, "result is NULL");
  FAILS(guest_echo_string(guest, undergo_text("x"), NULL, &text, NULL), UNDERGO_TYPE_MISMATCH, "arena is NULL");
  FAILS(guest_echo_string(NULL, undergo_text("x"), NULL, &text, &arena), UNDERGO_TYPE_MISMATCH, "instance is NULL");
  CHECK(undergo_instance_is_alive(guest));
  (void)plugin;
}

static void chains(const undergo_instance_t *guest, host_t *host) {
  undergo_error_t *error = guest_fail_with(guest, undergo_text("twice"), NULL);
  CHECK(undergo_error_kind(error) == UNDERGO_GUEST_ERROR && undergo_error_chain_count(error) == 3);
  const guest_not_found_t *missing = guest_error_as_not_found(error);
  CHECK(missing != NULL && is(missing->key, "x") && missing->code == 4);
  CHECK(guest_error_as_denied(error) == NULL && guest_error_as_clash(error) == NULL);
  undergo_chained_t chained;
  CHECK(undergo_error_chained(error, 1, &chained) && is(chained.text, "loading: not found: x") && chained.name == NULL && chained.fields == NULL);
  CHECK(undergo_error_chained(error, 2, &chained) && is(chained.text, "not found: x") && strcmp(chained.name, "not-found") == 0);
  CHECK(chained.fields == missing && chained.size == sizeof *missing && undergo_value_kind(chained.value) == UNDERGO_VALUE_RECORD);
  CHECK(!undergo_error_chained(error, 3, &chained));
  // Each handle keeps them.
  undergo_error_t *copy = undergo_error_copy(error);
  undergo_error_delete(error);
  CHECK(guest_error_as_not_found(copy) == missing && is(missing->key, "x"));
  undergo_error_delete(copy);

  error = guest_fail_with(guest, undergo_text("value"), NULL);
  const guest_denied_t *denied = guest_error_as_denied(error);
  CHECK(denied != NULL && denied->roles.len == 2 && is(denied->roles.ptr[1], "\xc3\xbc") && denied->level == GUEST_LEVEL_HIGH);
  CHECK(denied->shape->tag == GUEST_SHAPE_CIRCLE && denied->shape->value.circle.radius == 1.5);
  undergo_error_delete(error);
  error = guest_fail_with(guest, undergo_text("marked around marked"), NULL);
  CHECK(undergo_error_chain_count(error) == 3 && guest_error_as_denied(error) != NULL && guest_error_as_not_found(error) != NULL);
  undergo_error_delete(error);
  error = guest_fail_with(guest, undergo_text("just text"), NULL);
  CHECK(undergo_error_chain_count(error) == 1 && guest_error_as_not_found(error) == NULL);
  undergo_error_delete(error);
  CHECK(guest_error_as_not_found(NULL) == NULL);

  // What the host fails with is such an error for Go.
  undergo_list_string_t said;
  undergo_string_t text;
  undergo_arena_t *arena;
  OK(guest_looked(guest, undergo_text("k"), NULL, &said, &arena));
  CHECK(said.len == 5 && is(said.ptr[0], "looking up: not found: k") && is(said.ptr[1], "k 404") && is(said.ptr[3], "is"));
  undergo_arena_delete(arena);
  OK(guest_lookup(guest, undergo_text(""), NULL, &text, &arena));
  undergo_arena_delete(arena);
  error = guest_lookup_wrapped(guest, undergo_text("k"), NULL, &text, &arena);
  missing = guest_error_as_not_found(error);
  CHECK(undergo_error_chain_count(error) == 3 && missing != NULL && is(missing->key, "k") && missing->code == 404);
  undergo_error_delete(error);
  // So is one that the host has got itself.
  host->passes_on = true;
  error = guest_lookup(guest, undergo_text("twice"), NULL, &text, &arena);
  missing = guest_error_as_not_found(error);
  CHECK(undergo_error_chain_count(error) == 3 && missing != NULL && missing->code == 4);
  undergo_error_delete(error);
  host->passes_on = false;
  // Without fields there is no error of the type.
  FAILS(guest_error_not_found("mine", NULL), UNDERGO_TYPE_MISMATCH, "bytes at NULL");
}

// The signature of an export.
static undergo_signature_t signature(const char *name) {
  const undergo_signature_t *found = guest_signatures;
  while (found->interface != NULL || strcmp(found->name, name) != 0) {
    found++;
  }
  return *found;
}

static void ends(const undergo_plugin_t *plugin, host_t *host) {
  // What a host function fails with is what the caller gets, with what belongs to it.
  undergo_instance_t *guest = start(plugin, host);
  undergo_error_t *error = guest_crash(guest, undergo_text("boom"), NULL);
  CHECK(undergo_error_kind(error) == UNDERGO_HOST_ERROR && strcmp(undergo_error_message(error), "boom") == 0);
  CHECK(undergo_error_payload(error) == &host->mark);
  undergo_error_delete(error);
  CHECK(!undergo_instance_is_alive(guest));
  FAILS(guest_nothing(guest, NULL), UNDERGO_DEAD_INSTANCE, "its end was host-error: boom");
  undergo_instance_delete(guest);

  guest = start(plugin, host);
  undergo_list_s32_t list;
  undergo_arena_t *arena;
  FAILS(guest_wrong_result(guest, NULL, &list, &arena), UNDERGO_TYPE_MISMATCH, "12 bytes at NULL");
  undergo_instance_delete(guest);

  guest = start(plugin, host);
  guest_shape_t shape;
  host->gives_no_shape = true;
  FAILS(guest_shape_through_host(guest, circle(1), NULL, &shape, &arena), UNDERGO_TYPE_MISMATCH, "host.echo-shape -> result: 7 is not a case");
  host->gives_no_shape = false;
  undergo_instance_delete(guest);

  guest = start(plugin, host);
  undergo_string_t text;
  host->gives_no_key = true;
  FAILS(
      guest_lookup(guest, undergo_text("k"), NULL, &text, &arena), UNDERGO_TYPE_MISMATCH,
      "host.lookup -> not-found.key: the text is not UTF-8");
  CHECK(!undergo_instance_is_alive(guest));
  host->gives_no_key = false;
  undergo_instance_delete(guest);

  guest = start(plugin, host);
  FAILS(guest_exit(guest, 7, NULL), UNDERGO_EXIT, "7");
  undergo_instance_delete(guest);

  // The number of an export is a hint; its digest decides.
  guest = start(plugin, host);
  const undergo_signature_t own = signature("divmod");
  undergo_signature_t moved = own, other = own, gone = own;
  moved.number = 4711;
  struct {
    int64_t a, b;
  } args = {17, 5};
  guest_tuple_s64_s64_t both;
  OK(undergo_instance_invoke(guest, &moved, &args, NULL, &both, NULL));
  CHECK(both.f0 == 3 && both.f1 == 2);
  other.digest++;
  FAILS(undergo_instance_invoke(guest, &other, &args, NULL, &both, NULL), UNDERGO_SIGNATURE_MISMATCH, "divmod");
  FAILS(undergo_plugin_expect(plugin, &other, 1), UNDERGO_SIGNATURE_MISMATCH, "run 'undergo bindgen' again");
  gone.name = "gone";
  gone.signature = "gone() -> s32";
  gone.digest = 1;
  const undergo_signature_t wrong[] = {gone, other};
  FAILS(undergo_plugin_expect(plugin, wrong, 2), UNDERGO_SIGNATURE_MISMATCH, "it has no gone, which the header has as gone() -> s32; the types of divmod(");
  undergo_instance_delete(guest);

  // A host function of another signature is refused before anything runs.
  undergo_signature_t import = {0};
  for (size_t i = 0; import.name == NULL; i++) {
    if (guest_signatures[i].interface != NULL && strcmp(guest_signatures[i].name, "echo-int") == 0) {
      import = guest_signatures[i];
    }
  }
  import.digest++;
  undergo_imports_t *imports = undergo_imports_new();
  OK(guest_set_host(imports, &FUNCTIONS, host, NULL));
  OK(undergo_imports_set_typed(imports, &import, guest_host_echo_int_adapter, (undergo_any_fn)echo_int, host));
  FAILS(undergo_plugin_instantiate(plugin, imports, NULL, NULL, &guest), UNDERGO_SIGNATURE_MISMATCH, "echo-int");
  CHECK(guest == NULL);
  undergo_imports_delete(imports);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  undergo_plugin_t *plugin;
  OK(guest_plugin_load(argv[1], compiling(), &plugin));
  OK(undergo_plugin_wait_compiled(plugin));
  host_t host = {0};
  undergo_instance_t *guest = start(plugin, &host);
  scalars(guest);
  lists(guest);
  records(guest);
  variants(guest);
  through_the_host(guest, &host);
  errors(plugin, guest);
  chains(guest, &host);
  undergo_instance_delete(guest);
  ends(plugin, &host);
  forget(&host);
  undergo_plugin_delete(plugin);
  printf("ok\n");
  return 0;
}
