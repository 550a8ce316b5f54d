// What the measured plugin imports, and what becomes of errors. The header that was generated for
// the plugin is included before.

#include <stdio.h>
#include <stdlib.h>

static void must(undergo_error_t *error) {
  if (error != NULL) {
    fprintf(stderr, "%s\n", undergo_error_text(error));
    exit(1);
  }
}

static undergo_error_t *upper(void *user_data, undergo_string_t s, undergo_string_t *result, undergo_arena_t *arena) {
  (void)user_data;
  *result = undergo_arena_copy(arena, s.ptr, s.len);
  return NULL;
}

static undergo_error_t *wait(void *user_data, int32_t n, int32_t *result) {
  (void)user_data;
  *result = n;
  return NULL;
}
