// A plugin that serves HTTP.

#ifndef UNDERGO_SERVER_HPP
#define UNDERGO_SERVER_HPP

#include <memory>
#include <optional>
#include <string>

#include "config.hpp"
#include "error.hpp"
#include "result.hpp"

namespace undergo {

class Plugin;

// A component that serves HTTP, on threads of its own. It ends at once when it is destroyed;
// `close` lets running requests finish first. It may be closed or destroyed by a host function that
// one of its requests has called.
class Server {
 public:
  // Takes over a handle of undergo.h.
  explicit Server(undergo_server_t *server) : server_(server) {}

  // Where it listens: "127.0.0.1:8080", with the port that the system chose for 0.
  std::string address() const { return undergo_server_address(server_.get()); }

  // The plugin that serves.
  Plugin plugin() const;

  // What it has done so far, and what it has now.
  Result<ServerStats> try_stats() const {
    ServerStats stats{};
    undergo_error_t *error = undergo_server_stats(server_.get(), &stats);
    return error == nullptr ? Result<ServerStats>(stats) : Result<ServerStats>(Error(error));
  }

  // Accepts no more connections, and waits for running requests, without limit or for this time.
  // Fails with timeout if requests are still running then, which are ended, and with busy from
  // within a host function that a request of this server has called. The server is closed in both
  // cases.
  Result<void> try_close(std::optional<Duration> timeout = std::nullopt) const {
    return detail::check(undergo_server_close(server_.get(), detail::nanoseconds(timeout)));
  }

  // Whether it is closed.
  bool closed() const noexcept { return undergo_server_is_closed(server_.get()); }

#if UNDERGO_EXCEPTIONS
  ServerStats stats() const { return try_stats().value(); }
  void close(std::optional<Duration> timeout = std::nullopt) const { try_close(timeout).value(); }
#endif

  const undergo_server_t *get() const noexcept { return server_.get(); }

 private:
  std::unique_ptr<undergo_server_t, detail::Deleter<undergo_server_delete>> server_;
};

}  // namespace undergo

#endif  // UNDERGO_SERVER_HPP
