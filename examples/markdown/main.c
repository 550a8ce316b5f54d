// Renders the README of this project with goldmark, a Markdown library that is written in Go.
//
// Usage: main markdown.wasm [FILE]

#include <stdio.h>
#include <stdlib.h>

#include "markdown_plugin.h"

// Ends the program when something has failed that should not.
static void must(undergo_error_t *error) {
  if (error != NULL) {
    fprintf(stderr, "%s: %s\n", undergo_kind_name(undergo_error_kind(error)), undergo_error_text(error));
    exit(1);
  }
}

static undergo_bytes_t read_file(const char *name) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) {
    perror(name);
    exit(1);
  }
  uint8_t *content = NULL;
  size_t len = 0, got;
  do {
    content = realloc(content, len + 65536);
    if (content == NULL) {
      fprintf(stderr, "%s is too large\n", name);
      exit(1);
    }
    got = fread(content + len, 1, 65536, file);
    len += got;
  } while (got > 0);
  fclose(file);
  return (undergo_bytes_t){content, len};
}

static size_t count(const char *text, const char *word) {
  size_t found = 0;
  while ((text = strstr(text, word)) != NULL) {
    found++;
    text += strlen(word);
  }
  return found;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s markdown.wasm [FILE]\n", argv[0]);
    return 2;
  }
  const undergo_bytes_t source = read_file(argc > 2 ? argv[2] : "../../README.md");

  undergo_plugin_t *plugin;
  undergo_instance_t *markdown;
  const undergo_limits_t limits = {.memory = 64 << 20, .timeout = 10 * UNDERGO_SECOND};
  must(markdown_plugin_load(argv[1], NULL, &plugin));
  must(undergo_plugin_instantiate(plugin, NULL, NULL, &limits, &markdown));

  undergo_string_t html;
  undergo_arena_t *html_arena;
  const markdown_options_t options = {.github = true};
  must(markdown_render(markdown, source, &options, NULL, &html, &html_arena));
  markdown_list_heading_t headings;
  undergo_arena_t *headings_arena;
  must(markdown_outline(markdown, source, NULL, &headings, &headings_arena));

  // Each heading of the source is one of the HTML, in the same order.
  const char *rest = html.ptr;
  for (size_t i = 0; i < headings.len; i++) {
    char tag[300];
    snprintf(tag, sizeof tag, "<h%d id=\"%s\">", (int)headings.ptr[i].level, headings.ptr[i].id.ptr);
    rest = strstr(rest, tag);
    if (rest == NULL) {
      fprintf(stderr, "%s is not there\n", tag);
      return 1;
    }
    rest += strlen(tag);
  }

  printf("%zu bytes of Markdown, %zu bytes of HTML\n%zu headings:\n", source.len, html.len, headings.len);
  for (size_t i = 0; i < headings.len; i++) {
    const markdown_heading_t *heading = &headings.ptr[i];
    printf("%5d  %*s%s\n", (int)heading->line, 2 * ((int)heading->level - 1), "", heading->text.ptr);
  }
  printf("%zu blocks of code, %zu tables, %zu links\n", count(html.ptr, "<pre>"), count(html.ptr, "<table>"), count(html.ptr, "<a href="));
  undergo_arena_delete(headings_arena);
  undergo_arena_delete(html_arena);

  // HTML in a document is left out, unless the host wants it.
  static const char script[] = "*Safe* <script>alert(1)</script>";
  const undergo_bytes_t unsafe = {(const uint8_t *)script, strlen(script)};
  must(markdown_render(markdown, unsafe, NULL, NULL, &html, &html_arena));
  printf("%s", html.ptr);
  undergo_arena_delete(html_arena);
  undergo_instance_delete(markdown);
  undergo_plugin_delete(plugin);
  free((void *)source.ptr);
  return 0;
}
