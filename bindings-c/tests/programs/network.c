// What of the network a sandbox gives: rules, listeners, and what was denied.
//
// Usage: network command.wasm hostile.wasm

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

// A listener of this program's own, and its address.
static int listening(char address[32]) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 8) == 0);
  CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
  snprintf(address, 32, "127.0.0.1:%d", ntohs(at.sin_port));
  return fd;
}

static undergo_sandbox_t *with_args(const char *first, const char *second) {
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  OK(undergo_sandbox_add_arg(sandbox, first));
  if (second != NULL) {
    OK(undergo_sandbox_add_arg(sandbox, second));
  }
  return sandbox;
}

// Whether a list that was given has this one text alone, or is empty for NULL. It is freed.
static bool has(undergo_value_t *list, const char *wanted) {
  undergo_string_t text;
  const size_t len = undergo_value_len(list);
  const bool found = wanted == NULL ? len == 0 : len == 1 && undergo_value_get_string(undergo_value_at(list, 0), &text) && is(text, wanted);
  undergo_value_delete(list);
  return found;
}

static void *welcome(void *listener) {
  const int client = accept(*(int *)listener, NULL, NULL);
  CHECK(client >= 0 && write(client, "welcome", 7) == 7 && close(client) == 0);
  return NULL;
}

static void rules(const undergo_plugin_t *command) {
  char address[32], wanted[200];
  int listener = listening(address);

  undergo_sandbox_t *sandbox = with_args("dial", address);
  undergo_completed_t *done;
  OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
  CHECK(undergo_completed_code(done) == 1);
  CHECK(has(undergo_completed_denied(done), "the sandbox denied the use of the network; it takes the rule any, or one for less, such as connect=example.org:443"));
  undergo_completed_delete(done);

  OK(undergo_sandbox_allow_network(sandbox, "127.0.0.1:1"));
  OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
  snprintf(wanted, sizeof wanted, "the sandbox denied connecting to %s; it takes the rule connect=%s", address, address);
  CHECK(undergo_completed_code(done) == 1 && has(undergo_completed_denied(done), wanted));
  undergo_completed_delete(done);

  OK(undergo_sandbox_allow_network(sandbox, address));
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, welcome, &listener) == 0);
  OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
  CHECK(pthread_join(thread, NULL) == 0);
  const undergo_bytes_t said = undergo_completed_stdout(done);
  CHECK(undergo_completed_code(done) == 0 && is((undergo_string_t){(const char *)said.ptr, said.len}, "welcome"));
  CHECK(has(undergo_completed_denied(done), NULL));
  undergo_completed_delete(done);
  undergo_sandbox_delete(sandbox);
  CHECK(close(listener) == 0);
}

static void *greeted(void *port) {
  const struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(*(uint16_t *)port)};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  char text[10];
  CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
  CHECK(recv(fd, text, sizeof text, MSG_WAITALL) == 5 && memcmp(text, "hello", 5) == 0 && close(fd) == 0);
  return NULL;
}

static void handed_in(const undergo_plugin_t *command) {
  undergo_sandbox_t *sandbox = with_args("answer", NULL);
  uint16_t port = 0;
  OK(undergo_sandbox_listen(sandbox, "127.0.0.1:0", &port));
  CHECK(port != 0);
  // It is open: whoever connects before the command accepts waits for it.
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, greeted, &port) == 0);
    undergo_completed_t *done;
    OK(undergo_plugin_run(command, NULL, sandbox, NULL, NULL, &done));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(undergo_completed_code(done) == 0 && has(undergo_completed_denied(done), NULL));
    undergo_completed_delete(done);
  }
  char taken[32];
  snprintf(taken, sizeof taken, "127.0.0.1:%d", port);
  FAILS(undergo_sandbox_listen(sandbox, taken, NULL), UNDERGO_DENIED, "refuses to listen at");
  undergo_sandbox_delete(sandbox);
}

static undergo_error_t *nothing(void *data, const undergo_value_t *args, undergo_value_t **result) {
  (void)data;
  (void)args;
  (void)result;
  return undergo_error_new("not here");
}

static void instances(const undergo_plugin_t *hostile) {
  undergo_imports_t *imports = undergo_imports_new();
  undergo_function_t function;
  for (size_t i = 0; undergo_plugin_import(hostile, i, &function); i++) {
    OK(undergo_imports_set(imports, function.interface, function.name, nothing, NULL, NULL));
  }
  undergo_instance_t *instance;
  OK(undergo_plugin_instantiate(hostile, imports, NULL, NULL, &instance));
  undergo_imports_delete(imports);
  CHECK(has(undergo_instance_denied(instance), NULL));
  undergo_value_t *address = undergo_value_string("127.0.0.1:1");
  undergo_error_t *error = undergo_instance_call(instance, "connect", (const undergo_value_t *[]){address}, 1, NULL, NULL);
  CHECK(undergo_error_kind(error) == UNDERGO_GUEST_ERROR && strstr(undergo_error_denied(error), "it takes the rule any") != NULL);
  CHECK(has(undergo_instance_denied(instance), undergo_error_denied(error)));
  undergo_error_delete(error);
  undergo_value_delete(address);
  undergo_instance_delete(instance);
}

// A module whose export opens a socket, and gives the number for what went wrong.
static const uint8_t opens[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x0f, 0x03, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x01, 0x7f, 0x60, 0x00, 0x00, 0x02, 0x24, 0x01, 0x16, 0x77, 0x61, 0x73,
    0x69, 0x5f, 0x73, 0x6e, 0x61, 0x70, 0x73, 0x68, 0x6f, 0x74, 0x5f, 0x70, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x31, 0x09, 0x73, 0x6f, 0x63, 0x6b, 0x5f, 0x6f, 0x70, 0x65, 0x6e, 0x00, 0x00, 0x03,
    0x03, 0x02, 0x01, 0x02, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x1f, 0x03, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x04, 0x6f, 0x70, 0x65, 0x6e, 0x00, 0x01, 0x0b, 0x5f, 0x69, 0x6e,
    0x69, 0x74, 0x69, 0x61, 0x6c, 0x69, 0x7a, 0x65, 0x00, 0x02, 0x0a, 0x0f, 0x02, 0x0a, 0x00, 0x41, 0x01, 0x41, 0x02, 0x41, 0x00, 0x10, 0x00, 0x0b, 0x02, 0x00, 0x0b,
};

// One that has nothing to do with the network.
static const uint8_t plain[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x18, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72,
    0x79, 0x02, 0x00, 0x0b, 0x5f, 0x69, 0x6e, 0x69, 0x74, 0x69, 0x61, 0x6c, 0x69, 0x7a, 0x65, 0x00, 0x00, 0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b,
};

static void descriptors(void) {
  undergo_plugin_t *plugin;
  OK(undergo_plugin_from_bytes(opens, sizeof opens, NULL, compiling(), &plugin));
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  OK(undergo_sandbox_allow_network(sandbox, "any"));
  for (uint32_t most = 0; most < 4; most++) {
    // 0 is the default.
    const undergo_limits_t limits = {.descriptors = most};
    const uint32_t room = most == 0 ? 128 : most;
    undergo_instance_t *instance;
    OK(undergo_plugin_instantiate(plugin, NULL, sandbox, &limits, &instance));
    for (uint32_t i = 0; i < room + 2; i++) {
      undergo_value_t *said;
      int64_t number;
      OK(undergo_instance_call(instance, "open", NULL, 0, NULL, &said));
      CHECK(undergo_value_get_int(said, &number) && number == (i < room ? 0 : 33));
      undergo_value_delete(said);
    }
    undergo_instance_delete(instance);
  }
  undergo_sandbox_delete(sandbox);
  undergo_plugin_delete(plugin);
}

static void in_vain(void) {
  undergo_plugin_t *plugin;
  OK(undergo_plugin_from_bytes(plain, sizeof plain, NULL, compiling(), &plugin));
  CHECK(undergo_plugin_diagnostic(plugin, 0) == NULL);
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  OK(undergo_sandbox_allow_network(sandbox, "example.org:443"));
  for (int i = 0; i < 2; i++) {
    undergo_instance_t *instance;
    OK(undergo_plugin_instantiate(plugin, NULL, sandbox, NULL, &instance));
    undergo_instance_delete(instance);
  }
  const char *told = undergo_plugin_diagnostic(plugin, 0);
  CHECK(told != NULL && strstr(told, "opens no sockets") != NULL && undergo_plugin_diagnostic(plugin, 0) == told);
  CHECK(undergo_plugin_diagnostic(plugin, 1) == NULL && undergo_plugin_diagnostic(plugin, SIZE_MAX) == NULL);
  undergo_sandbox_delete(sandbox);
  undergo_plugin_delete(plugin);
}

static void mistakes(void) {
  undergo_sandbox_t *sandbox = undergo_sandbox_new();
  FAILS(undergo_sandbox_allow_network(sandbox, "example.org"), UNDERGO_TYPE_MISMATCH, "example.org");
  FAILS(undergo_sandbox_allow_network(sandbox, NULL), UNDERGO_TYPE_MISMATCH, "rule is NULL");
  FAILS(undergo_sandbox_listen(sandbox, "here", NULL), UNDERGO_TYPE_MISMATCH, "no address to listen at");
  FAILS(undergo_sandbox_listen(NULL, "127.0.0.1:0", NULL), UNDERGO_TYPE_MISMATCH, "sandbox is NULL");
  undergo_sandbox_delete(sandbox);
  CHECK(has(undergo_completed_denied(NULL), NULL) && has(undergo_instance_denied(NULL), NULL) && undergo_error_denied(NULL) == NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  undergo_plugin_t *command, *hostile;
  OK(undergo_plugin_load(argv[1], compiling(), &command));
  OK(undergo_plugin_load(argv[2], compiling(), &hostile));
  rules(command);
  handed_in(command);
  instances(hostile);
  descriptors();
  in_vain();
  mistakes();
  undergo_plugin_delete(hostile);
  undergo_plugin_delete(command);
  printf("ok\n");
  return 0;
}
