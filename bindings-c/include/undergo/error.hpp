// Errors.

#ifndef UNDERGO_ERROR_HPP
#define UNDERGO_ERROR_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../undergo.h"

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define UNDERGO_EXCEPTIONS 1
#else
#define UNDERGO_EXCEPTIONS 0
#endif

namespace undergo {

// What went wrong: see undergo_kind_t.
enum class Kind : std::int32_t {
  invalid_plugin = UNDERGO_INVALID_PLUGIN,
  missing_import = UNDERGO_MISSING_IMPORT,
  unknown_export = UNDERGO_UNKNOWN_EXPORT,
  signature_mismatch = UNDERGO_SIGNATURE_MISMATCH,
  type_mismatch = UNDERGO_TYPE_MISMATCH,
  guest_error = UNDERGO_GUEST_ERROR,
  panic = UNDERGO_PANIC,
  exit = UNDERGO_EXIT,
  trap = UNDERGO_TRAP,
  timeout = UNDERGO_TIMEOUT,
  cancelled = UNDERGO_CANCELLED,
  out_of_fuel = UNDERGO_OUT_OF_FUEL,
  out_of_memory = UNDERGO_OUT_OF_MEMORY,
  host_error = UNDERGO_HOST_ERROR,
  denied = UNDERGO_DENIED,
  dead_instance = UNDERGO_DEAD_INSTANCE,
  busy = UNDERGO_BUSY,
};

// The name of a kind in every language: "type-mismatch".
inline std::string_view name(Kind kind) noexcept {
  const char *found = undergo_kind_name(static_cast<std::int32_t>(kind));
  return found == nullptr ? std::string_view() : std::string_view(found);
}

// A frame of a Go traceback.
struct Frame {
  // The function with its package: "main.Greet".
  std::string function;
  // The source file as the Go toolchain names it; empty where it is not known.
  std::string file;
  // The line in it, from 1; 0 where it is not known.
  std::uint32_t line = 0;
  // Whether it belongs to Go's runtime.
  bool is_runtime = false;
};

namespace detail {

// An exception of a host function, on its way through the guest.
struct Cause {
  std::exception_ptr exception;

  static void destroy(void *cause) { delete static_cast<Cause *>(cause); }
};

}  // namespace detail

// A type of errors with fields: the headers that `undergo bindgen --lang cpp` writes say of each
// what it is called, and by which digest it is known.
template <class T>
struct ErrorType;

struct ChainedError;
class Value;

namespace detail {

template <class T, class = void>
struct IsErrorType : std::false_type {};
template <class T>
struct IsErrorType<T, std::void_t<decltype(ErrorType<T>::digest)>> : std::true_type {};

}  // namespace detail

// What went wrong. Copies share one error, and may be used from any thread. The texts live as long
// as any copy.
class Error : public std::exception {
 public:
  // An error of the kind host-error, for a host function to return.
  explicit Error(const std::string &message) : Error(Kind::host_error, message) {}

  Error(Kind kind, const std::string &message) : Error(undergo_error_of_kind(static_cast<std::int32_t>(kind), message.c_str())) {}

  // An error with fields, of a type of a generated header, for a host function to return or to
  // throw: Go gets one of that type.
  template <class T, class = std::enable_if_t<detail::IsErrorType<T>::value>>
  Error(const std::string &message, const T &fields);

  // The same by values: of the type of that WIT name, with a record of its fields.
  Error(const std::string &message, const std::string &name, const Value &fields);

  // An error that wraps another one, as `fmt.Errorf("…: %w", err)` does in Go.
  Error(const std::string &message, const Error &cause) : Error(undergo_error_wrap(message.c_str(), undergo_error_copy(cause.get()))) {}

  // Takes over an error of undergo.h, which is not NULL.
  explicit Error(undergo_error_t *error) : error_(error, undergo_error_delete) {}

  Error(const Error &) = default;
  Error &operator=(const Error &) = default;

  // The path, if there is one, and the message: what to print.
  const char *what() const noexcept override { return undergo_error_text(error_.get()); }

  Kind kind() const noexcept { return static_cast<Kind>(undergo_error_kind(error_.get())); }

  // The sentence, without the path.
  std::string_view message() const noexcept { return undergo_error_message(error_.get()); }

  // Where the value is that does not fit: "greet(p.tags[3])"; empty when the error is not about a
  // value.
  std::string_view path() const noexcept { return undergo_error_path(error_.get()); }

  // The end of what the plugin wrote to its standard error during the call.
  std::string_view standard_error() const noexcept { return undergo_error_stderr(error_.get()); }

  // What the sandbox denied the plugin of the network in the call that failed, the last such thing,
  // with the rule that would allow it: perhaps why it failed.
  std::optional<std::string_view> denied() const noexcept {
    const char *denied = undergo_error_denied(error_.get());
    return denied == nullptr ? std::nullopt : std::optional<std::string_view>(denied);
  }

  // The code of os.Exit.
  std::optional<int> exit_code() const noexcept {
    std::int32_t code = 0;
    return undergo_error_exit_code(error_.get(), &code) ? std::optional<int>(code) : std::nullopt;
  }

  // The traceback of the goroutine that ended the call, innermost first.
  std::vector<Frame> frames() const {
    std::vector<Frame> frames;
    undergo_frame_t frame;
    for (std::size_t i = 0; undergo_error_frame(error_.get(), i, &frame); i++) {
      frames.push_back(Frame{frame.function, frame.file, frame.line, frame.is_runtime});
    }
    return frames;
  }

  // The first frame of the traceback that does not belong to Go's runtime: the one to show.
  std::optional<Frame> origin() const {
    for (Frame &frame : frames()) {
      if (!frame.is_runtime) {
        return std::move(frame);
      }
    }
    return std::nullopt;
  }

  // The fields of the outermost error of that type, of a generated header, that this one is or
  // wraps, as errors.As finds it in Go; nothing if there is none.
  template <class T>
  std::optional<T> as() const;

  // The errors of which it consists, outermost first; none if the plugin has no errors with fields.
  std::vector<ChainedError> chain() const;

  // The exception of a host function that this is; null when it is none.
  std::exception_ptr cause() const noexcept {
    const void *cause = undergo_error_payload_of(error_.get(), detail::Cause::destroy);
    return cause == nullptr ? nullptr : static_cast<const detail::Cause *>(cause)->exception;
  }

  // The error as undergo.h has it, which lives as long as any copy of this.
  const undergo_error_t *get() const noexcept { return error_.get(); }

  // Throws it: the exception of a host function if it is one, and else an error of the class that
  // belongs to its kind. Ends the process where there are no exceptions.
  [[noreturn]] void raise() const;

 private:
  std::shared_ptr<undergo_error_t> error_;
};

// The class of the errors of one kind.
template <Kind kind>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const Error &error) : Error(error) {}
  explicit ErrorOf(const std::string &message) : Error(kind, message) {}
};

using InvalidPluginError = ErrorOf<Kind::invalid_plugin>;
using MissingImportError = ErrorOf<Kind::missing_import>;
using UnknownExportError = ErrorOf<Kind::unknown_export>;
using SignatureMismatchError = ErrorOf<Kind::signature_mismatch>;
using TypeMismatchError = ErrorOf<Kind::type_mismatch>;
using GuestError = ErrorOf<Kind::guest_error>;
using PanicError = ErrorOf<Kind::panic>;
using ExitError = ErrorOf<Kind::exit>;
using TrapError = ErrorOf<Kind::trap>;
using TimeoutError = ErrorOf<Kind::timeout>;
using CancelledError = ErrorOf<Kind::cancelled>;
using OutOfFuelError = ErrorOf<Kind::out_of_fuel>;
using OutOfMemoryError = ErrorOf<Kind::out_of_memory>;
using HostError = ErrorOf<Kind::host_error>;
using DeniedError = ErrorOf<Kind::denied>;
using DeadInstanceError = ErrorOf<Kind::dead_instance>;
using BusyError = ErrorOf<Kind::busy>;

[[noreturn]] inline void Error::raise() const {
#if UNDERGO_EXCEPTIONS
  if (const std::exception_ptr thrown = cause()) {
    std::rethrow_exception(thrown);
  }
  // Without a default, so that compilers tell of a kind that has no class.
  switch (undergo_error_kind(error_.get())) {
    case UNDERGO_NONE: break;
    case UNDERGO_INVALID_PLUGIN: throw InvalidPluginError(*this);
    case UNDERGO_MISSING_IMPORT: throw MissingImportError(*this);
    case UNDERGO_UNKNOWN_EXPORT: throw UnknownExportError(*this);
    case UNDERGO_SIGNATURE_MISMATCH: throw SignatureMismatchError(*this);
    case UNDERGO_TYPE_MISMATCH: throw TypeMismatchError(*this);
    case UNDERGO_GUEST_ERROR: throw GuestError(*this);
    case UNDERGO_PANIC: throw PanicError(*this);
    case UNDERGO_EXIT: throw ExitError(*this);
    case UNDERGO_TRAP: throw TrapError(*this);
    case UNDERGO_TIMEOUT: throw TimeoutError(*this);
    case UNDERGO_CANCELLED: throw CancelledError(*this);
    case UNDERGO_OUT_OF_FUEL: throw OutOfFuelError(*this);
    case UNDERGO_OUT_OF_MEMORY: throw OutOfMemoryError(*this);
    case UNDERGO_HOST_ERROR: throw HostError(*this);
    case UNDERGO_DENIED: throw DeniedError(*this);
    case UNDERGO_DEAD_INSTANCE: throw DeadInstanceError(*this);
    case UNDERGO_BUSY: throw BusyError(*this);
  }
  throw *this;
#else
  std::fprintf(stderr, "undergo: the value of a Result that has an error: %s\n", what());
  std::abort();
#endif
}

namespace detail {

#if UNDERGO_EXCEPTIONS
// The errors of which an exception consists: those of an Error, and what is nested in it.
class Chain {
 public:
  // Gives them to an error, which is taken over.
  undergo_error_t *add_to(undergo_error_t *error, const std::exception &exception) noexcept {
    const std::size_t before = count_;
    if (const Error *own = dynamic_cast<const Error *>(&exception)) {
      for (std::size_t i = 0; count_ < longest && undergo_error_chained(own->get(), i, &links_[count_]); i++) {
        count_++;
      }
    }
    if (count_ == before && count_ < longest) {
      links_[count_++].text = undergo_text(exception.what());
    }
    if (count_ < longest) {
      // What has been added lives while it is being handled.
      try {
        std::rethrow_if_nested(exception);
      } catch (const std::exception &nested) {
        return add_to(error, nested);
      } catch (...) {
      }
    }
    const bool is_alone = count_ == 1 && links_[0].name == nullptr;
    return is_alone ? error : undergo_error_with_chain(error, links_, count_);
  }

 private:
  // Undergo carries no more.
  static constexpr std::size_t longest = 64;

  undergo_chained_t links_[longest] = {};
  std::size_t count_ = 0;
};

// The exception that is being handled, as a host function returns it: the caller of the export gets
// the same one.
inline undergo_error_t *caught() noexcept {
  const auto carry = [](const char *text) noexcept {
    Cause *cause = new (std::nothrow) Cause{std::current_exception()};
    return cause == nullptr ? undergo_error_new(text) : undergo_error_new_with(text, cause, Cause::destroy);
  };
  try {
    throw;
  } catch (const std::exception &exception) {
    return Chain().add_to(carry(exception.what()), exception);
  } catch (...) {
    return carry("an exception that is no std::exception");
  }
}
#endif

// Runs what a host function does, and gives what undergo.h wants of it: nothing is thrown beyond.
template <class Code>
undergo_error_t *guarded(Code &&code) noexcept {
#if UNDERGO_EXCEPTIONS
  try {
    return code();
  } catch (...) {
    return caught();
  }
#else
  return code();
#endif
}

}  // namespace detail
}  // namespace undergo

#endif  // UNDERGO_ERROR_HPP
