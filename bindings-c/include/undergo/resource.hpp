// Objects of the guest, and what a program gives to a guest to call: functions, iterables, streams.

#ifndef UNDERGO_RESOURCE_HPP
#define UNDERGO_RESOURCE_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <istream>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "config.hpp"
#include "imports.hpp"

namespace undergo {

// An object of the guest's. Moving it moves the handle; its end frees the object, which the guest
// releases at its next call. After `close`, after the end of its instance, and after a reset, each
// use is an error. Generated classes derive from it. For any thread.
class Handle {
 public:
  // None, as what was moved from: no call takes it.
  Handle() noexcept = default;
  // Takes over a handle of undergo.h.
  explicit Handle(undergo_handle_t *handle) noexcept : handle_(handle) {}

  // Has the guest release the object now, or at the end of the call that is under way. Closing it
  // again does nothing.
  Result<void> try_close() const { return detail::check(undergo_handle_close(handle_.get())); }
#if UNDERGO_EXCEPTIONS
  void close() const { try_close().value(); }
#endif

  // Whether it can be used.
  bool is_open() const noexcept { return undergo_handle_is_open(handle_.get()); }

  undergo_handle_t *get() const noexcept { return handle_.get(); }

  friend bool operator==(const Handle &a, const Handle &b) noexcept { return a.handle_ == b.handle_; }
  friend bool operator!=(const Handle &a, const Handle &b) noexcept { return !(a == b); }

 private:
  std::unique_ptr<undergo_handle_t, detail::Deleter<undergo_handle_delete>> handle_;
};

// A stream of the guest's to read from.
class Reader : public Handle {
 public:
  using Handle::Handle;

  // Reads up to so many bytes; 0 is the end.
  Result<std::size_t> try_read(char *buffer, std::size_t most) const {
    std::size_t length = 0;
    undergo_error_t *error = undergo_stream_read(get(), buffer, most, nullptr, &length);
    return error == nullptr ? Result<std::size_t>(length) : Result<std::size_t>(Error(error));
  }

  // Reads all that is left.
  Result<std::string> try_read_all() const {
    std::string all;
    for (std::size_t room = 4096;; room = std::min<std::size_t>(room * 2, 1 << 18)) {
      const std::size_t before = all.size();
      all.resize(before + room);
      const Result<std::size_t> length = try_read(all.data() + before, room);
      all.resize(before + (length ? *length : 0));
      if (!length) {
        return length.error();
      }
      if (*length == 0) {
        return all;
      }
    }
  }

  Result<void> try_close() const { return detail::check(undergo_stream_close(get(), nullptr)); }

#if UNDERGO_EXCEPTIONS
  std::size_t read(char *buffer, std::size_t most) const { return try_read(buffer, most).value(); }
  std::string read_all() const { return try_read_all().value(); }
  void close() const { try_close().value(); }
#endif
};

// A stream of the guest's to write to.
class Writer : public Handle {
 public:
  using Handle::Handle;

  // Writes all of it.
  Result<void> try_write(std::string_view data) const {
    return detail::check(undergo_stream_write(get(), data.data(), data.size(), nullptr));
  }

  Result<void> try_close() const { return detail::check(undergo_stream_close(get(), nullptr)); }

#if UNDERGO_EXCEPTIONS
  void write(std::string_view data) const { try_write(data).value(); }
  void close() const { try_close().value(); }
#endif
};

// A stream of the program's to read from: a std::istream, which must live as long as the guest may
// read from it, or a function that reads up to so many bytes to a place, and gives how many, 0 at
// the end.
class Source : public Object {
 public:
  using Read = std::function<Result<std::size_t>(char *, std::size_t)>;

  Source(std::istream &stream) : Source([&stream](char *buffer, std::size_t most) -> Result<std::size_t> {
    stream.read(buffer, static_cast<std::streamsize>(most));
    if (stream.bad()) {
      return Error("the stream can't be read");
    }
    return static_cast<std::size_t>(stream.gcount());
  }) {}

  // One of a guest's.
  Source(const Reader &stream) : Object(detail::passed_on(stream.get())) {}

  template <class F, class = std::enable_if_t<std::is_invocable_v<F &, char *, std::size_t>>>
  Source(F read) : Object(make(Read(std::move(read)))) {}

 private:
  static undergo_object_t *make(Read read) {
    const auto call = [](void *data, void *buffer, std::size_t most, std::size_t *length) {
      return detail::guarded([&]() -> undergo_error_t * {
        const Result<std::size_t> given = (*static_cast<Read *>(data))(static_cast<char *>(buffer), most);
        if (!given) {
          return undergo_error_copy(given.error().get());
        }
        *length = *given;
        return nullptr;
      });
    };
    undergo_object_t *object = nullptr;
    undergo_error_delete(undergo_reader_new(call, nullptr, new Read(std::move(read)), [](void *data) { delete static_cast<Read *>(data); }, &object));
    return object;
  }
};

// A stream of the program's to write to: a std::ostream, which must live as long as the guest may
// write to it, or a function that writes all that it gets.
class Sink : public Object {
 public:
  using Write = std::function<Result<void>(std::string_view)>;

  Sink(std::ostream &stream) : Sink([&stream](std::string_view data) -> Result<void> {
    stream.write(data.data(), static_cast<std::streamsize>(data.size()));
    return stream ? Result<void>() : Result<void>(Error("the stream can't be written"));
  }) {}

  // One of a guest's.
  Sink(const Writer &stream) : Object(detail::passed_on(stream.get())) {}

  template <class F, class = std::enable_if_t<std::is_invocable_v<F &, std::string_view>>>
  Sink(F write) : Object(make(wrapped(std::move(write)))) {}

 private:
  template <class F>
  static Write wrapped(F write) {
    if constexpr (std::is_void_v<std::invoke_result_t<F &, std::string_view>>) {
      return [write = std::move(write)](std::string_view data) mutable -> Result<void> { return write(data), Result<void>(); };
    } else {
      return write;
    }
  }

  static undergo_object_t *make(Write write) {
    const auto call = [](void *data, const void *bytes, std::size_t length) {
      return detail::guarded([&]() -> undergo_error_t * {
        const Result<void> given = (*static_cast<Write *>(data))(std::string_view(static_cast<const char *>(bytes), length));
        return given ? nullptr : undergo_error_copy(given.error().get());
      });
    };
    undergo_object_t *object = nullptr;
    undergo_error_delete(undergo_writer_new(call, nullptr, new Write(std::move(write)), [](void *data) { delete static_cast<Write *>(data); }, &object));
    return object;
  }
};

}  // namespace undergo

#endif  // UNDERGO_RESOURCE_HPP
