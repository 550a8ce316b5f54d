// What of the network a sandbox gives: rules, listeners, and what was denied.
//
// Usage: network command.wasm hostile.wasm

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <undergo.hpp>

#include "check.hpp"

using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

undergo::Options with_args(const Texts &args) {
  undergo::Options options;
  for (const std::string &arg : args) {
    options.sandbox().arg(arg);
  }
  return options;
}

// A listener of this program's own.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    socklen_t len = sizeof at;
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd_, reinterpret_cast<sockaddr *>(&at), len) == 0 && listen(fd_, 8) == 0);
    CHECK(getsockname(fd_, reinterpret_cast<sockaddr *>(&at), &len) == 0);
    port_ = ntohs(at.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Answers one.
  void welcome() const {
    const int client = accept(fd_, nullptr, nullptr);
    CHECK(client >= 0 && write(client, "welcome", 7) == 7);
    close(client);
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

// What is said at a port, as soon as somebody listens there.
std::string said_at(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  for (;;) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    char text[10];
    const bool connected = connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0;
    const ssize_t len = connected ? recv(fd, text, sizeof text, MSG_WAITALL) : 0;
    close(fd);
    if (connected) {
      CHECK(len >= 0);
      return std::string(text, static_cast<std::size_t>(len));
    }
    std::this_thread::sleep_for(5ms);
  }
}

void rules(const undergo::Plugin &command) {
  const Listener listener;
  const std::string address = listener.address();
  undergo::Options options = with_args({"dial", address});
  undergo::Completed done = command.run(options);
  CHECK(done.code == 1 && done.denied.size() == 1 && done.denied[0].find("it takes the rule any, or one for less") != std::string::npos);
  options.sandbox().network("127.0.0.1:1");
  done = command.run(options);
  CHECK(done.code == 1);
  CHECK(done.denied == Texts{"the sandbox denied connecting to " + address + "; it takes the rule connect=" + address});
  options.sandbox().network(address);
  std::thread thread([&] { listener.welcome(); });
  done = command.run(options);
  thread.join();
  CHECK(done.code == 0 && done.standard_output == "welcome" && done.denied.empty());
}

void handed_in(const undergo::Plugin &command) {
  undergo::Options options = with_args({"answer"});
  std::uint16_t port = 0;
  {
    const Listener listener;
    port = listener.port();
    options.sandbox().listener(listener.address());
    THROWS(command.run(options), undergo::DeniedError, std::strstr(error.what(), "refuses to listen at") != nullptr);
  }
  std::string said;
  std::thread thread([&] { said = said_at(port); });
  const undergo::Completed done = command.run(options, 60s);
  thread.join();
  CHECK(done.code == 0 && done.denied.empty() && said == "hello");
}

void instances(const undergo::Plugin &hostile) {
  undergo::Options options;
  for (const undergo::Function &import : hostile.imports()) {
    options.imports().set(import.interface, import.name, [](const undergo::List &) { return undergo::Value(); });
  }
  options.sandbox().network("127.0.0.1:1");
  const undergo::Instance instance = hostile.instantiate(options);
  CHECK(instance.denied().empty());
  THROWS(instance.call("connect", "127.0.0.1:2"), undergo::GuestError, error.denied() == std::string_view(instance.denied().at(0)));
  CHECK(instance.denied() == Texts{"the sandbox denied connecting to 127.0.0.1:2; it takes the rule connect=127.0.0.1:2"});
  THROWS(instance.call("files", "read", "/nothing", ""), undergo::GuestError, !error.denied().has_value());
}

void mistakes(const undergo::Plugin &command) {
  undergo::Options options = with_args({"answer"});
  options.sandbox().network("example.org");
  THROWS(command.run(options), undergo::TypeMismatchError, std::strstr(error.what(), "example.org") != nullptr);
}

}  // namespace

int main(int argc, char **argv) {
  CHECK(argc == 3);
  const undergo::Plugin command{std::string(argv[1])};
  const undergo::Plugin hostile{std::string(argv[2])};
  rules(command);
  handed_in(command);
  instances(hostile);
  mistakes(command);
  return finish();
}
