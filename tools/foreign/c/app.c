// The greeter in C, with wit-bindgen. What a function is given is its own to free, and what it
// gives is freed by the code that wit-bindgen has written.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "greeter.h"

// Adds text to what grows.
static void add(greeter_string_t *text, const void *bytes, size_t len) {
  text->ptr = realloc(text->ptr, text->len + len + 1);
  if (!text->ptr) abort();
  memcpy(text->ptr + text->len, bytes, len);
  text->len += len;
}

static void add_text(greeter_string_t *text, const char *words) { add(text, words, strlen(words)); }

static void *room(size_t count, size_t size) {
  void *place = calloc(count ? count : 1, size);
  if (!place) abort();
  return place;
}

bool exports_greeter_greet(greeter_person_t *who, greeter_string_t *ret, greeter_string_t *err) {
  if (!who->name.len) {
    greeter_string_dup(err, "nobody to greet");
    greeter_person_free(who);
    return false;
  }
  greeter_list_string_t friends;
  if (!test_greeter_directory_lookup(&who->name, &friends, err)) {
    greeter_person_free(who);
    return false;
  }
  *ret = (greeter_string_t){0};
  add_text(ret, "Hello ");
  add(ret, who->name.ptr, who->name.len);
  if (who->email.is_some) {
    add_text(ret, " <");
    add(ret, who->email.val.ptr, who->email.val.len);
    add_text(ret, ">");
  }
  add_text(ret, ": ");
  for (size_t i = 0; i < who->tags.len + friends.len; i++) {
    greeter_string_t *next = i < who->tags.len ? &who->tags.ptr[i] : &friends.ptr[i - who->tags.len];
    if (i) add_text(ret, ", ");
    add(ret, next->ptr, next->len);
  }
  greeter_list_string_free(&friends);
  greeter_person_free(who);
  return true;
}

void exports_greeter_turn(greeter_list_f64_t *numbers, greeter_list_f64_t *ret) {
  ret->len = numbers->len;
  ret->ptr = room(ret->len, sizeof *ret->ptr);
  for (size_t i = 0; i < ret->len; i++) ret->ptr[i] = numbers->ptr[ret->len - 1 - i];
  greeter_list_f64_free(numbers);
}

void exports_greeter_areas(greeter_list_shape_t *shapes, greeter_list_option_f64_t *ret) {
  ret->len = shapes->len;
  ret->ptr = room(ret->len, sizeof *ret->ptr);
  for (size_t i = 0; i < ret->len; i++) {
    greeter_shape_t *shape = &shapes->ptr[i];
    if (shape->tag == TEST_GREETER_TYPES_SHAPE_CIRCLE) {
      ret->ptr[i] = (greeter_option_f64_t){true, 3 * shape->val.circle * shape->val.circle};
    }
  }
  greeter_list_shape_free(shapes);
}

void exports_greeter_names(greeter_list_person_t *people, greeter_list_result_string_u32_t *ret) {
  ret->len = people->len;
  ret->ptr = room(ret->len, sizeof *ret->ptr);
  for (size_t i = 0; i < ret->len; i++) {
    greeter_string_t *name = &people->ptr[i].name;
    if (name->len) {
      greeter_string_dup_n(&ret->ptr[i].val.ok, (const char *)name->ptr, name->len);
    } else {
      ret->ptr[i].is_err = true;
      ret->ptr[i].val.err = (uint32_t)i;
    }
  }
  greeter_list_person_free(people);
}

double exports_greeter_first(greeter_list_f64_t *numbers) {
  if (!numbers->len) {
    fputs("there is no number\n", stderr);
    abort();
  }
  double first = numbers->ptr[0];
  greeter_list_f64_free(numbers);
  return first;
}

uint64_t exports_greeter_press(uint32_t rounds, greeter_list_u8_t *data) {
  uint8_t *kept[10] = {0};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < rounds; round++) {
    free(kept[round % 10]);
    kept[round % 10] = room(data->len, 1);
    if (data->len) memcpy(kept[round % 10], data->ptr, data->len);
  }
  for (size_t i = 0; i < 10; i++) free(kept[i]);
  for (size_t i = 0; i < data->len; i++) sum += data->ptr[i];
  greeter_list_u8_free(data);
  return sum;
}
