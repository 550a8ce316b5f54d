// Runs jq's queries over a JSON document of some megabytes.
//
// Usage: main jq.wasm

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "jq_plugin.h"

enum { ORDERS = 30000, CITIES = 8, LONGEST = 400 };
static const char *const cities[CITIES] = {"Aachen", "Bogotá", "Cairo", "Dhaka", "Essen", "Fukuoka", "Graz", "Hà Nội"};

// Ends the program when something has failed that should not.
static void must(undergo_error_t *error) {
  if (error != NULL) {
    fprintf(stderr, "%s: %s\n", undergo_kind_name(undergo_error_kind(error)), undergo_error_text(error));
    exit(1);
  }
}

// Makes an order: always the same for the same number. Gives its length.
static int write_order(char *out, uint32_t number, int *in_city) {
  static const uint32_t shifts[] = {3, 9, 17};
  const uint32_t mixed = number * UINT32_C(2654435761);
  const uint32_t city = mixed / 7 % CITIES;
  in_city[city]++;
  int len = sprintf(
      out,
      "{\"id\": %u, \"city\": \"%s\", \"express\": %s, \"note\": null, \"lines\": [",
      (unsigned)number,
      cities[city],
      mixed % 7 == 0 ? "true" : "false");
  for (uint32_t i = 0; i < 1 + mixed % 3; i++) {
    const uint32_t part = mixed >> shifts[i];
    len += sprintf(
        out + len,
        "%s{\"article\": \"A%03u\", \"count\": %u, \"cents\": %u}",
        i == 0 ? "" : ", ",
        (unsigned)(part % 500),
        (unsigned)(1 + part % 4),
        (unsigned)(99 + mixed % 5000));
  }
  return len + sprintf(out + len, "]}");
}

// A result that is a JSON text, without its quotes. There are no escapes in it.
static void print_text(undergo_string_t json) {
  printf("%.*s", (int)json.len - 2, json.ptr + 1);
}

static undergo_list_string_t query(const undergo_instance_t *jq, const char *text, undergo_arena_t **arena) {
  undergo_list_string_t results;
  must(jq_query(jq, undergo_text("orders"), undergo_text(text), NULL, &results, arena));
  return results;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s jq.wasm\n", argv[0]);
    return 2;
  }
  char *document = malloc((size_t)ORDERS * LONGEST);
  if (document == NULL) {
    return 1;
  }
  int in_city[CITIES] = {0};
  size_t len = 0;
  for (uint32_t number = 0; number < ORDERS; number++) {
    len += (size_t)sprintf(document + len, "%s", number == 0 ? "[" : ", ");
    len += (size_t)write_order(document + len, number, in_city);
  }
  len += (size_t)sprintf(document + len, "]");
  printf("a document of %.1f MB\n", (double)len / 1e6);

  undergo_plugin_t *plugin;
  undergo_instance_t *jq;
  const undergo_limits_t limits = {.memory = 512 << 20, .timeout = 60 * UNDERGO_SECOND};
  must(jq_plugin_load(argv[1], NULL, &plugin));
  must(undergo_plugin_instantiate(plugin, NULL, NULL, &limits, &jq));
  int64_t orders;
  must(jq_load(jq, undergo_text("orders"), (undergo_bytes_t){(const uint8_t *)document, len}, NULL, &orders));
  printf("%d orders\n", (int)orders);
  free(document);

  // The document stays in the plugin; a query crosses, and its results come back as JSON.
  undergo_arena_t *arena;
  undergo_list_string_t found = query(jq, "group_by(.city)[] | \"\\(.[0].city): \\(length)\"", &arena);
  for (size_t i = 0; i < found.len; i++) {
    char wanted[100];
    snprintf(wanted, sizeof wanted, "\"%s: %d\"", cities[i], in_city[i]);
    if (strcmp(found.ptr[i].ptr, wanted) != 0) {
      fprintf(stderr, "%s is not %s\n", found.ptr[i].ptr, wanted);
      return 1;
    }
    printf("  ");
    print_text(found.ptr[i]);
    printf("\n");
  }
  undergo_arena_delete(arena);

  found = query(jq, "[.[].lines[] | .count * .cents] | add", &arena);
  printf("sold for %.2f\n", strtod(found.ptr[0].ptr, NULL) / 100);
  undergo_arena_delete(arena);

  found = query(
      jq,
      "[.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})"
      "| sort_by(-.count, .article) | limit(3; .[]) | \"\\(.article) (\\(.count))\"",
      &arena);
  printf("sold most:");
  for (size_t i = 0; i < found.len; i++) {
    printf(" ");
    print_text(found.ptr[i]);
  }
  printf("\n");
  undergo_arena_delete(arena);

  // Any value that JSON can hold may be given.
  const undergo_string_t values = undergo_text("[null, true, 7, 0.25, \"grüße\", [1], {\"a\": {}}]");
  must(jq_eval(jq, undergo_text(".[] | type"), values, NULL, &found, &arena));
  for (size_t i = 0; i < found.len; i++) {
    printf("%s", i == 0 ? "" : " ");
    print_text(found.ptr[i]);
  }
  printf("\n");
  undergo_arena_delete(arena);

  // An error in a query, and one of its run, are errors of a call. The plugin and its document live
  // on.
  static const char *const wrong[] = {"map(.city", ".[0] | .city + 1", "missing(.)"};
  for (size_t i = 0; i < 3; i++) {
    undergo_error_t *error = jq_query(jq, undergo_text("orders"), undergo_text(wrong[i]), NULL, &found, &arena);
    printf("%s: %s\n", wrong[i], undergo_error_message(error));
    undergo_error_delete(error);
  }
  found = query(jq, ".[12345].city", &arena);
  print_text(found.ptr[0]);
  printf("\n");
  undergo_arena_delete(arena);

  // A query that never ends is stopped.
  const undergo_call_options_t soon = {.timeout = 200 * UNDERGO_MILLISECOND};
  undergo_error_t *late = jq_eval(jq, undergo_text("def forever: forever; forever"), undergo_text("null"), &soon, &found, &arena);
  printf("%s: %s\n", undergo_kind_name(undergo_error_kind(late)), undergo_instance_is_alive(jq) ? "alive" : "ended");
  undergo_error_delete(late);
  undergo_instance_delete(jq);
  undergo_plugin_delete(plugin);
  return 0;
}
