// Servers of HTTP: what they answer, how they end, and who may end them when.
//
// server SERVER ASKING PLUGIN [open]

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static const char *const LOCAL = "127.0.0.1:0";

// A connection to a server; -1 if nobody listens.
static int connect_to(const char *address) {
  const char *colon = strrchr(address, ':');
  CHECK(colon != NULL);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int made = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(made >= 0);
  const struct timeval patience = {.tv_sec = 30};
  CHECK(setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  if (connect(made, (const struct sockaddr *)&to, sizeof to) != 0) {
    close(made);
    return -1;
  }
  return made;
}

// The status of the answer to a GET; 0 if the connection ended without one.
static int get(const char *address, const char *path) {
  const int connection = connect_to(address);
  CHECK(connection >= 0);
  char text[1000];
  const int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", path);
  CHECK(write(connection, text, (size_t)length) == length);
  size_t got = 0;
  for (ssize_t more; (more = read(connection, text + got, sizeof text - 1 - got)) > 0; got += (size_t)more) {
  }
  close(connection);
  text[got] = '\0';
  return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

static void until_nobody_listens(const char *address) {
  for (int i = 0; i < 1000; i++) {
    const int connection = connect_to(address);
    if (connection < 0) {
      return;
    }
    close(connection);
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
  }
  CHECK(false);
}

struct host {
  // The server that the functions below end.
  undergo_server_t *_Atomic server;
  char address[100];
  atomic_int asked;
  atomic_int failed;
  atomic_int gone;
  undergo_kind_t kind;
};

static void gone(void *data) {
  struct host *host = data;
  host->gone++;
}

// What a server had is given back soon after it was freed.
static void until_gone(const struct host *host) {
  for (int i = 0; host->gone < 2; i++) {
    CHECK(i < 1000);
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
  }
  CHECK(host->gone == 2);
}

static void failed(void *data, const undergo_error_t *error) {
  struct host *host = data;
  host->failed++;
  CHECK(strlen(undergo_error_text(error)) > 0);
  host->kind = undergo_error_kind(error);
}

// What a request asks: 'c' closes the server, 'd' frees it, 'w' waits.
static undergo_error_t *ask(void *data, const undergo_value_t *args, undergo_value_t **result) {
  struct host *host = data;
  host->asked++;
  int64_t what = 0;
  CHECK(undergo_value_get_int(undergo_value_at(args, 0), &what));
  if (what == 'c') {
    FAILS(undergo_server_close(host->server, 0), UNDERGO_BUSY, "can't be waited for");
  } else if (what == 'd') {
    undergo_server_delete(atomic_exchange(&host->server, NULL));
  } else if (what == 'w') {
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
  } else if (what == 'e') {
    return undergo_error_new("the host has failed");
  }
  *result = undergo_value_int(203);
  return NULL;
}

static undergo_plugin_t *load(const char *file) {
  undergo_plugin_t *plugin;
  OK(undergo_plugin_load(file, compiling(), &plugin));
  return plugin;
}

static undergo_server_t *serve(const undergo_plugin_t *plugin, struct host *host, size_t instances) {
  undergo_imports_t *imports = undergo_imports_new();
  OK(undergo_imports_set(imports, "test:host/ask", "ask", ask, host, gone));
  const undergo_serve_options_t options = {.address = LOCAL, .instances = instances, .failed = failed, .user_data = host, .destroy = gone};
  undergo_server_t *server;
  OK(undergo_plugin_serve(plugin, &options, imports, NULL, NULL, &server));
  undergo_imports_delete(imports);
  host->server = server;
  snprintf(host->address, sizeof host->address, "%s", undergo_server_address(server));
  return server;
}

static void requests_are_answered(const char *file) {
  undergo_plugin_t *plugin = load(file);
  struct host host = {0};
  undergo_server_t *server = serve(plugin, &host, 2);
  // It needs the plugin's handle no more.
  undergo_plugin_delete(plugin);
  CHECK(get(host.address, "/") == 200 && get(host.address, "/") == 200);
  CHECK(get(host.address, "/trap") == 500 && host.failed == 1 && host.kind == UNDERGO_TRAP);
  undergo_server_stats_t stats;
  OK(undergo_server_stats(server, &stats));
  CHECK(stats.requests == 3 && stats.failed == 1 && stats.refused == 0 && stats.pool.calls == 3 && stats.pool.died == 1);
  plugin = undergo_server_plugin(server);
  CHECK(strcmp(undergo_plugin_name(plugin), "server.wasm") == 0);
  undergo_plugin_delete(plugin);

  CHECK(!undergo_server_is_closed(server));
  OK(undergo_server_close(server, 20 * UNDERGO_SECOND));
  CHECK(undergo_server_is_closed(server) && connect_to(host.address) < 0);
  OK(undergo_server_close(server, 0));
  // It can still be asked.
  OK(undergo_server_stats(server, &stats));
  CHECK(stats.requests == 3 && strcmp(undergo_server_address(server), host.address) == 0);
  undergo_server_delete(server);
  // The function that is told, and the one that the plugin does not import.
  until_gone(&host);
}

static void *get_slowly(void *data) {
  struct host *host = data;
  CHECK(get(host->address, "/aw") == 203);
  return NULL;
}

static void host_functions_are_called(const undergo_plugin_t *plugin) {
  struct host host = {0};
  undergo_server_t *server = serve(plugin, &host, 4);
  CHECK(get(host.address, "/a1") == 203 && get(host.address, "/") == 200 && host.asked == 1);
  CHECK(get(host.address, "/ae") == 500 && host.kind == UNDERGO_HOST_ERROR);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    CHECK(pthread_create(&threads[i], NULL, get_slowly, &host) == 0);
  }
  while (host.asked < 6) {
    nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
  }
  // All four wait, and are waited for.
  OK(undergo_server_close(server, 0));
  for (int i = 0; i < 4; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
  }
  undergo_server_delete(server);
  until_gone(&host);
}

static void *get_in_vain(void *data) {
  struct host *host = data;
  get(host->address, "/spin");
  return NULL;
}

static void what_runs_too_long_is_ended(const undergo_plugin_t *plugin) {
  struct host host = {0};
  undergo_server_t *server = serve(plugin, &host, 1);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, get_in_vain, &host) == 0);
  undergo_server_stats_t stats;
  do {
    OK(undergo_server_stats(server, &stats));
  } while (stats.pool.busy == 0);
  FAILS(undergo_server_close(server, 50 * UNDERGO_MILLISECOND), UNDERGO_TIMEOUT, "still running");
  CHECK(pthread_join(thread, NULL) == 0);
  undergo_server_delete(server);
  until_gone(&host);
}

static void a_request_may_end_its_server(const undergo_plugin_t *plugin) {
  struct host host = {0};
  undergo_server_t *server = serve(plugin, &host, 1);
  CHECK(get(host.address, "/ac") == 203 && undergo_server_is_closed(server));
  OK(undergo_server_close(server, 20 * UNDERGO_SECOND));
  CHECK(connect_to(host.address) < 0);
  undergo_server_delete(server);
  until_gone(&host);

  struct host deleted = {0};
  serve(plugin, &deleted, 2);
  get(deleted.address, "/ad");
  until_nobody_listens(deleted.address);
  CHECK(deleted.server == NULL);
  until_gone(&deleted);
}

static void what_is_wrong_is_refused(const undergo_plugin_t *server, const undergo_plugin_t *asking, const char *other) {
  struct host host = {0};
  undergo_server_t *none = NULL;
  undergo_serve_options_t options = {.address = LOCAL, .failed = failed, .user_data = &host, .destroy = gone};
  FAILS(undergo_plugin_serve(asking, &options, NULL, NULL, NULL, &none), UNDERGO_MISSING_IMPORT, "test:host/ask");
  FAILS(undergo_plugin_serve(NULL, &options, NULL, NULL, NULL, &none), UNDERGO_TYPE_MISMATCH, "plugin is NULL");
  FAILS(undergo_plugin_serve(server, &options, NULL, NULL, NULL, NULL), UNDERGO_TYPE_MISMATCH, "server is NULL");
  undergo_plugin_t *plugin = load(other);
  FAILS(undergo_plugin_serve(plugin, &options, NULL, NULL, NULL, &none), UNDERGO_INVALID_PLUGIN, "incoming-handler");
  undergo_plugin_delete(plugin);
  options.address = "localhost";
  FAILS(undergo_plugin_serve(server, &options, NULL, NULL, NULL, &none), UNDERGO_TYPE_MISMATCH, "no address");
  options.address = "127.0.0.1:99999";
  FAILS(undergo_plugin_serve(server, &options, NULL, NULL, NULL, &none), UNDERGO_TYPE_MISMATCH, "no address");
  // Whatever has failed, the user data was given back.
  CHECK(none == NULL && host.gone == 6);

  const undergo_serve_options_t first = {.address = LOCAL};
  undergo_server_t *taken;
  OK(undergo_plugin_serve(server, &first, NULL, NULL, NULL, &taken));
  const undergo_serve_options_t second = {.address = undergo_server_address(taken)};
  FAILS(undergo_plugin_serve(server, &second, NULL, NULL, NULL, &none), UNDERGO_DENIED, "listen");
  FAILS(undergo_server_stats(taken, NULL), UNDERGO_TYPE_MISMATCH, "stats is NULL");
  FAILS(undergo_server_close(NULL, 0), UNDERGO_TYPE_MISMATCH, "server is NULL");
  CHECK(undergo_server_is_closed(NULL) && undergo_server_address(NULL) == NULL && undergo_server_plugin(NULL) == NULL);
  undergo_server_delete(NULL);
  undergo_server_delete(taken);
}

static void sizes_are_limited(const undergo_plugin_t *plugin) {
  const undergo_serve_options_t options = {.address = LOCAL, .instances = 1, .no_queue = true, .no_body = true, .max_calls = 1};
  undergo_server_t *server;
  OK(undergo_plugin_serve(plugin, &options, NULL, NULL, NULL, &server));
  const int connection = connect_to(undergo_server_address(server));
  const char *const request = "POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\n";
  CHECK(write(connection, request, strlen(request)) == (ssize_t)strlen(request));
  char text[12];
  CHECK(read(connection, text, sizeof text) == sizeof text && memcmp(text, "HTTP/1.1 413", sizeof text) == 0);
  close(connection);
  CHECK(get(undergo_server_address(server), "/") == 200 && get(undergo_server_address(server), "/") == 200);
  undergo_server_stats_t stats;
  OK(undergo_server_stats(server, &stats));
  CHECK(stats.pool.made == 2);
  undergo_server_delete(server);
}

static void a_child_has_no_server(const undergo_plugin_t *plugin) {
  struct host host = {0};
  undergo_server_t *server = serve(plugin, &host, 1);
  CHECK(get(host.address, "/") == 200);
  const pid_t child = fork();
  if (child == 0) {
    FAILS(undergo_server_close(server, 0), UNDERGO_DEAD_INSTANCE, "before this process forked");
    CHECK(undergo_server_is_closed(server));
    undergo_server_delete(server);
    _exit(7);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
  CHECK(get(host.address, "/") == 200);
  undergo_server_delete(server);
  until_gone(&host);
}

int main(int argc, char **argv) {
  CHECK(argc == 4 || argc == 5);
  undergo_plugin_t *server = load(argv[1]), *asking = load(argv[2]);
  requests_are_answered(argv[1]);
  host_functions_are_called(asking);
  what_runs_too_long_is_ended(server);
  a_request_may_end_its_server(asking);
  what_is_wrong_is_refused(server, asking, argv[3]);
  sizes_are_limited(server);
  a_child_has_no_server(server);

  static struct host host;
  if (argc == 5) {
    // The process ends with a server that is answering.
    serve(server, &host, 2);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, get_in_vain, &host) == 0);
    CHECK(get(host.address, "/trap") == 500);
  }
  undergo_plugin_delete(server);
  undergo_plugin_delete(asking);
  printf("ok\n");
  return 0;
}
