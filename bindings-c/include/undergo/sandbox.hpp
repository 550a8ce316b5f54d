// What an instance may reach.

#ifndef UNDERGO_SANDBOX_HPP
#define UNDERGO_SANDBOX_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "handles.hpp"

namespace undergo {

// Whether a guest may write to a directory.
enum class Access { read_write, read_only };

// Gets a line of a guest's output, without the newline. What it throws ends the call and the
// instance, and is what the caller gets. Called on the thread of the call; for a pool, on several
// at once. It can't call the instance whose output it gets.
using LineFunction = std::function<void(std::string_view)>;

// What an instance may reach: by default nothing but the standard output and error of this process.
// What is wrong with it is said by whoever gets it to make an instance.
class Sandbox {
 public:
  // Adds one to os.Args, behind the program's name, which is always there.
  Sandbox &arg(std::string value) { return args_.push_back(std::move(value)), *this; }

  // Sets an environment variable. Nothing is taken from this process's own environment.
  Sandbox &env(std::string name, std::string value) { return env_.emplace_back(std::move(name), std::move(value)), *this; }

  // Gives the guest a directory of the host: `guest` is the path at which it sees it, `host` its
  // path on the host, which is opened when an instance, a pool or a run is made with the sandbox.
  // Where none is given at "/", the guest sees an empty root that it can only read.
  Sandbox &dir(std::string guest, std::string host, Access access = Access::read_write) {
    return dirs_.push_back(Dir{std::move(guest), std::move(host), access}), *this;
  }

  // Gives the guest a folder for temporary files at "/tmp", of its own and empty. It is made with
  // the guest, in the host's own place for such folders, and gone when the guest is reset or
  // destroyed. Only the host's disk bounds what the guest writes there.
  Sandbox &temp(bool given = true) { return temp_ = given, *this; }

  // Has the guest read these bytes from its standard input. By default it is empty.
  Sandbox &stdin_bytes(std::string content) { return input_ = Text{std::move(content)}, *this; }
  // Has it read a file (or a FIFO), which each instance reads from its beginning.
  Sandbox &stdin_file(std::string file) { return input_ = File{std::move(file)}, *this; }
  // Has it read the standard input of this process.
  Sandbox &stdin_inherit() { return input_ = Inherit(), *this; }

  // Sends an output to the same stream of this process: the default, but for a command that is run,
  // whose outputs are captured.
  Sandbox &stdout_inherit() { return outputs_[0] = Inherit(), *this; }
  Sandbox &stderr_inherit() { return outputs_[1] = Inherit(), *this; }
  // Drops an output. The end of standard error is kept for the text of a panic in any case.
  Sandbox &stdout_discard() { return outputs_[0] = Discard(), *this; }
  Sandbox &stderr_discard() { return outputs_[1] = Discard(), *this; }
  // Keeps so many bytes of an output (1 MiB for 0), to be read with `take_stdout` or `take_stderr`.
  // What is beyond is dropped.
  Sandbox &stdout_capture(std::size_t limit = 0) { return outputs_[0] = Capture{limit}, *this; }
  Sandbox &stderr_capture(std::size_t limit = 0) { return outputs_[1] = Capture{limit}, *this; }
  // Gives an output to a function, line by line. A line of more than 64 KiB comes in pieces, and
  // one without a newline when the call ends.
  Sandbox &stdout_lines(LineFunction function) { return outputs_[0] = std::move(function), *this; }
  Sandbox &stderr_lines(LineFunction function) { return outputs_[1] = std::move(function), *this; }

  // Gives the guest a clock of its own, for runs that can be repeated. It begins at `start`, which
  // is from 1970 on, anew for each instance and each run; it goes on by a microsecond whenever the
  // guest reads it, and to the end of a wait, which takes no time. Limits of time, and the times of
  // files, are the host's in any case.
  Sandbox &clock(Time start) { return clock_ = start, *this; }
  // Has all random numbers of the guest follow from a seed, those of crypto/rand and the order of
  // maps included, for runs that can be repeated: never for keys.
  Sandbox &seed(std::uint64_t seed) { return seed_ = seed, *this; }

  // Lets the guest reach something over the network, by one rule: "example.org:443" and
  // "10.0.0.0/8:5432" are for connecting, "listen=127.0.0.1:8080" is for listening; docs/network.md
  // of the project has all of them. What was denied is in `denied` of the run, the instance and the
  // error, with the rule that would allow it.
  Sandbox &network(std::string rule) { return rules_.push_back(std::move(rule)), *this; }
  // Listens at an address such as "127.0.0.1:8080" for the guest, which accepts there at descriptor
  // 3 (and behind the directories', one more for each further listener), and needs no rule. It is
  // opened when an instance, a pool or a run is made with the sandbox, and closed with it.
  Sandbox &listener(std::string address) { return listeners_.push_back(std::move(address)), *this; }

  using Handle = std::unique_ptr<undergo_sandbox_t, detail::Deleter<undergo_sandbox_delete>>;

  // As undergo.h has it.
  Result<Handle> make() const {
    Handle made(undergo_sandbox_new());
    undergo_sandbox_t *sandbox = made.get();
    undergo_error_t *error = nullptr;
    for (const std::string &value : args_) {
      error = error != nullptr ? error : undergo_sandbox_add_arg(sandbox, value.c_str());
    }
    for (const auto &[name, value] : env_) {
      error = error != nullptr ? error : undergo_sandbox_set_env(sandbox, name.c_str(), value.c_str());
    }
    for (const Dir &dir : dirs_) {
      const bool readonly = dir.access == Access::read_only;
      error = error != nullptr ? error : undergo_sandbox_add_dir(sandbox, dir.guest.c_str(), dir.host.c_str(), readonly);
    }
    error = error != nullptr ? error : undergo_sandbox_set_temp(sandbox, temp_);
    if (const Text *text = std::get_if<Text>(&input_); text != nullptr && error == nullptr) {
      error = undergo_sandbox_stdin_bytes(sandbox, text->content.data(), text->content.size());
    } else if (const File *file = std::get_if<File>(&input_); file != nullptr && error == nullptr) {
      error = undergo_sandbox_stdin_file(sandbox, file->path.c_str());
    } else if (std::holds_alternative<Inherit>(input_) && error == nullptr) {
      error = undergo_sandbox_stdin_inherit(sandbox);
    }
    if (clock_.has_value() && error == nullptr) {
      error = undergo_sandbox_set_clock(sandbox, undergo_time_t{clock_->seconds, clock_->nanoseconds, clock_->offset});
    }
    if (seed_.has_value() && error == nullptr) {
      error = undergo_sandbox_set_seed(sandbox, *seed_);
    }
    for (const std::string &rule : rules_) {
      error = error != nullptr ? error : undergo_sandbox_allow_network(sandbox, rule.c_str());
    }
    for (const std::string &address : listeners_) {
      error = error != nullptr ? error : undergo_sandbox_listen(sandbox, address.c_str(), nullptr);
    }
    error = error != nullptr ? error : set(sandbox, UNDERGO_STDOUT, outputs_[0]);
    error = error != nullptr ? error : set(sandbox, UNDERGO_STDERR, outputs_[1]);
    return error == nullptr ? Result<Handle>(std::move(made)) : Result<Handle>(Error(error));
  }

 private:
  struct Dir {
    std::string guest;
    std::string host;
    Access access;
  };
  struct Empty {};
  struct Text {
    std::string content;
  };
  struct File {
    std::string path;
  };
  struct Inherit {};
  struct Discard {};
  struct Capture {
    std::size_t limit;
  };
  // Empty: as undergo.h has it where nothing is said.
  using Output = std::variant<Empty, Inherit, Discard, Capture, LineFunction>;

  static undergo_error_t *set(undergo_sandbox_t *sandbox, std::uint32_t stream, const Output &output) {
    if (std::holds_alternative<Discard>(output)) {
      return undergo_sandbox_discard(sandbox, stream);
    }
    if (const Capture *capture = std::get_if<Capture>(&output)) {
      return undergo_sandbox_capture(sandbox, stream, capture->limit);
    }
    if (const LineFunction *function = std::get_if<LineFunction>(&output)) {
      const auto call = [](void *data, const char *line, std::size_t len) -> undergo_error_t * {
        return detail::guarded([&]() -> undergo_error_t * {
          (*static_cast<const LineFunction *>(data))(std::string_view(line, len));
          return nullptr;
        });
      };
      return undergo_sandbox_lines(sandbox, stream, call, new LineFunction(*function),
                                   [](void *data) { delete static_cast<LineFunction *>(data); });
    }
    return std::holds_alternative<Inherit>(output) ? undergo_sandbox_inherit(sandbox, stream) : nullptr;
  }

  std::vector<std::string> args_;
  std::vector<std::pair<std::string, std::string>> env_;
  std::vector<Dir> dirs_;
  bool temp_ = false;
  std::variant<Empty, Text, File, Inherit> input_;
  std::array<Output, 2> outputs_;
  std::optional<Time> clock_;
  std::optional<std::uint64_t> seed_;
  std::vector<std::string> rules_;
  std::vector<std::string> listeners_;
};

}  // namespace undergo

#endif  // UNDERGO_SANDBOX_HPP
