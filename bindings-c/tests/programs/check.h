// What the test programs share: a check that says where it failed.

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <undergo.h>

#define CHECK(condition)                                                         \
  do {                                                                           \
    if (!(condition)) {                                                          \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)

// An error that must not be there.
#define OK(call)                                                                                              \
  do {                                                                                                        \
    undergo_error_t *failed = (call);                                                                         \
    if (failed != NULL) {                                                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, undergo_error_text(failed));                         \
      exit(1);                                                                                                \
    }                                                                                                         \
  } while (0)

// An error of that kind, with that in its text; it is freed.
#define FAILS(call, wanted, part)                                                                             \
  do {                                                                                                        \
    undergo_error_t *failed = (call);                                                                         \
    if (undergo_error_kind(failed) != (wanted) || strstr(undergo_error_text(failed), (part)) == NULL) {       \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, failed == NULL ? "success" : undergo_error_text(failed)); \
      exit(1);                                                                                                \
    }                                                                                                         \
    undergo_error_delete(failed);                                                                             \
  } while (0)

// How plugins are compiled: by the quick compiler under valgrind, where the other one would take
// minutes.
static inline const undergo_plugin_options_t *compiling(void) {
  static const undergo_plugin_options_t fast = {.compile = UNDERGO_COMPILE_FAST};
  return getenv("UNDERGO_TEST_FAST") != NULL ? &fast : NULL;
}

static inline bool is(undergo_string_t text, const char *wanted) {
  return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

#endif
