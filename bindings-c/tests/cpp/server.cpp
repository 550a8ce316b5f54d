// Servers of HTTP.
//
// Usage: server server.wasm asking.wasm

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <undergo.hpp>

#include "check.hpp"

using namespace std::chrono_literals;

namespace {

static_assert(!std::is_copy_constructible_v<undergo::Server> && std::is_nothrow_move_constructible_v<undergo::Server>);

// The status of the answer to a GET; 0 if nobody answers.
int get(const std::string &address, const std::string &path) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  std::string got;
  if (connect(connection, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0) {
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    CHECK(write(connection, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    char part[1000];
    for (ssize_t count = 0; (count = read(connection, part, sizeof part)) > 0;) {
      got.append(part, static_cast<std::size_t>(count));
    }
  }
  close(connection);
  return got.rfind("HTTP/1.1 ", 0) == 0 ? std::stoi(got.substr(9)) : 0;
}

undergo::ServeOptions local() { return undergo::ServeOptions().address("127.0.0.1:0").instances(4); }

void requests_are_answered(const char *file) {
  std::mutex mutex;
  std::vector<undergo::Kind> told;
  auto failed = [&](const undergo::Error &error) {
    const std::lock_guard<std::mutex> lock(mutex);
    told.push_back(error.kind());
    throw std::runtime_error("which concerns nobody");
  };
  undergo::Server server = undergo::Plugin(file).serve(local().failed(failed), undergo::Options().limits(undergo::Limits().timeout(500ms)));
  const std::string address = server.address();
  CHECK(get(address, "/") == 200 && get(address, "/trap") == 500 && get(address, "/spin") == 504);
  CHECK((told == std::vector<undergo::Kind>{undergo::Kind::trap, undergo::Kind::timeout}));
  CHECK(server.stats().requests == 3 && server.stats().failed == 2 && server.plugin().name() == "server.wasm");
  const undergo::Server moved = std::move(server);
  CHECK(!moved.closed() && get(address, "/") == 200);
  moved.close(20s);
  moved.close();
  CHECK(moved.closed() && get(address, "/") == 0 && moved.stats().requests == 4);
}

void host_functions_are_called(const undergo::Plugin &asking) {
  std::atomic<int> asked{0};
  std::optional<undergo::Server> server;
  undergo::Options options;
  options.imports().set("test:host/ask", "ask", [&](int what) -> int {
    asked++;
    if (what == 'c') {
      THROWS(server->close(), undergo::BusyError, std::string(error.what()).find("can't be waited for") != std::string::npos);
    } else if (what == 'd') {
      server.reset();
    } else if (what == 'e') {
      throw std::runtime_error("the host has failed");
    }
    return 203;
  });
  std::atomic<int> failed{0};
  const auto count = [&](const undergo::Error &error) { failed += std::string(error.what()).find("the host has failed") != std::string::npos; };
  server.emplace(asking.serve(local().failed(count), options));
  std::string address = server->address();
  CHECK(get(address, "/a1") == 203 && get(address, "/ae") == 500 && failed == 1 && asked == 2);
  CHECK(get(address, "/ac") == 203 && server->closed());
  server->close(20s);
  server.reset();

  server.emplace(asking.serve(local(), options));
  address = server->address();
  get(address, "/ad");
  while (get(address, "/") != 0) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(!server.has_value());
}

void it_ends_when_it_is_destroyed(const undergo::Plugin &plugin) {
  std::string address;
  {
    const undergo::Server server = plugin.serve(local());
    address = server.address();
    CHECK(get(address, "/") == 200);
  }
  while (get(address, "/") != 0) {
    std::this_thread::sleep_for(10ms);
  }
}

void what_is_wrong_is_refused(const undergo::Plugin &plugin, const undergo::Plugin &asking) {
  const auto gone = std::make_shared<int>(1);
  const auto failed = [gone](const undergo::Error &) {};
  THROWS(plugin.serve(local().address("localhost").failed(failed)), undergo::TypeMismatchError, true);
  THROWS(asking.serve(local().failed(failed)), undergo::MissingImportError, true);
  CHECK(gone.use_count() == 2);
  const undergo::Server server = plugin.serve(local().queue(0).body(0).connections(10));
  THROWS(plugin.serve(local().address(server.address())), undergo::DeniedError, true);
  CHECK(plugin.try_serve(local().address(server.address())).error().kind() == undergo::Kind::denied);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    return 2;
  }
  const undergo::Plugin plugin(argv[1]), asking(argv[2]);
  requests_are_answered(argv[1]);
  host_functions_are_called(asking);
  it_ends_when_it_is_destroyed(plugin);
  what_is_wrong_is_refused(plugin, asking);
  return finish();
}
