// The result of a command.

#ifndef UNDERGO_COMPLETED_HPP
#define UNDERGO_COMPLETED_HPP

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "handles.hpp"

namespace undergo {

// The result of a command: a program that runs to completion and returns an exit code.
struct Completed {
  // Its exit code: that of os.Exit, 0 when main returned, 2 after a panic, whose text is on its
  // standard error.
  std::int32_t code = 0;
  // What it wrote to its standard output, if that is captured. (stdout is a macro.)
  std::string standard_output;
  // The same for its standard error.
  std::string standard_error;
  // Whether it wrote more than is captured, or than the limits allow.
  bool truncated = false;
  // What the sandbox denied it of the network, each denial once, with the rule that would allow it;
  // at most 64.
  std::vector<std::string> denied;
  // What it used.
  Usage usage;
};

namespace detail {

inline Usage usage(const undergo_usage_t &usage) {
  return Usage{Duration(usage.time), usage.memory, usage.has_fuel ? std::optional<std::uint64_t>(usage.fuel) : std::nullopt};
}

inline std::string text(undergo_bytes_t bytes) {
  return bytes.len == 0 ? std::string() : std::string(reinterpret_cast<const char *>(bytes.ptr), bytes.len);
}

// Takes over a handle of undergo.h.
inline Completed completed(undergo_completed_t *given) {
  const std::unique_ptr<undergo_completed_t, Deleter<undergo_completed_delete>> handle(given);
  return Completed{undergo_completed_code(given), text(undergo_completed_stdout(given)), text(undergo_completed_stderr(given)),
                   undergo_completed_is_truncated(given), take_texts(undergo_completed_denied(given)), usage(undergo_completed_usage(given))};
}

}  // namespace detail
}  // namespace undergo

#endif  // UNDERGO_COMPLETED_HPP
