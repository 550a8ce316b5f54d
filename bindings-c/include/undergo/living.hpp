// What lives longer than a call, where its types are not known: functions, objects and iterables of
// the program, and iterators and streams of a guest.

#ifndef UNDERGO_LIVING_HPP
#define UNDERGO_LIVING_HPP

#include <array>
#include <cstddef>
#include <istream>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "imports.hpp"

namespace undergo {

// A function of the program's, as those of `Imports`: a HostFunction, or any function or lambda
// whose parameters and result are of types that `Value` knows. A Value is made of one, too.
class Callback : public Object {
 public:
  template <class F, class = std::enable_if_t<detail::IsFunction<F>::value>>
  Callback(F function) : Object(make(detail::host_function(std::move(function)))) {}

 private:
  static undergo_object_t *make(HostFunction function) {
    undergo_object_t *object = nullptr;
    const auto drop = [](void *data) { delete static_cast<HostFunction *>(data); };
    detail::added(undergo_callback_new(detail::call_host, new HostFunction(std::move(function)), drop, &object));
    return object;
  }
};

template <class F, class, class>
Value::Value(F function) : content_(Object(Callback(std::move(function)))) {}

// A method of an object of the program's: its WIT name, and a function as of a Callback.
struct Method {
  template <class F>
  Method(std::string own, F code) : name(std::move(own)), function(detail::host_function(std::move(code))) {}

  std::string name;
  HostFunction function;
};

namespace detail {

// The methods of an object. undergo.h gives each the same data, so there is a function for each.
template <std::size_t count>
using Methods = std::array<Method, count>;

template <std::size_t count, std::size_t number>
undergo_error_t *call_method(void *data, const undergo_value_t *args, undergo_value_t **result) {
  return call_host(&(*static_cast<Methods<count> *>(data))[number].function, args, result);
}

template <std::size_t count, std::size_t... number>
Object make_object(Methods<count> methods, std::index_sequence<number...>) {
  auto *kept = new Methods<count>(std::move(methods));
  const undergo_method_t given[] = {{(*kept)[number].name.c_str(), call_method<count, number>}...};
  undergo_object_t *object = nullptr;
  const auto drop = [](void *data) { delete static_cast<Methods<count> *>(data); };
  added(undergo_object_new(given, count, kept, drop, &object));
  return Object(object);
}

}  // namespace detail

// An object of the program's with these methods: object(Method("get", get), Method("put", put)).
template <class... M>
Object object(M... methods) {
  static_assert(sizeof...(M) > 0 && (std::is_same_v<M, Method> && ...), "an object has methods");
  return detail::make_object(detail::Methods<sizeof...(M)>{std::move(methods)...}, std::index_sequence_for<M...>());
}

// An iterable of the program's: any range, of what values can be made of.
class Iterable : public Object {
 public:
  template <class Range, class = decltype(std::begin(std::declval<Range &>()))>
  explicit Iterable(Range range) : Object(make(std::move(range))) {}

 private:
  template <class Range>
  struct Items {
    explicit Items(Range given) : range(std::move(given)) {}

    undergo_error_t *next(undergo_value_t **item) {
      if (!at.has_value()) {
        at.emplace(std::begin(range));
      } else {
        // Only now: what comes next need not be ready before it is asked for.
        ++*at;
      }
      if (*at != std::end(range)) {
        *item = detail::to_handle(Value(**at)).release();
      }
      return nullptr;
    }

    Range range;
    std::optional<decltype(std::begin(std::declval<Range &>()))> at;
  };

  template <class Range>
  static undergo_object_t *make(Range range) {
    const auto next = [](void *data, undergo_value_t **item) {
      return detail::guarded([&] { return static_cast<Items<Range> *>(data)->next(item); });
    };
    const auto drop = [](void *data) { delete static_cast<Items<Range> *>(data); };
    undergo_object_t *object = nullptr;
    detail::added(undergo_items_new(next, new Items<Range>(std::move(range)), drop, &object));
    return object;
  }
};

// An iterator of the guest's, made of a Ref: a range of one pass, whose items come in batches.
class Items {
 public:
  explicit Items(Ref given) : ref_(std::move(given)) {}

  // The next item, or none at the end. A panic of the guest comes after the items before it.
  Result<std::optional<Value>> try_next() const {
    undergo_value_t *item = nullptr;
    undergo_error_t *error = undergo_iterator_next(ref_.get(), nullptr, &item);
    const detail::ValueHandle owner(item);
    if (error != nullptr) {
      return Error(error);
    }
    return item == nullptr ? std::optional<Value>() : std::optional<Value>(detail::from_handle(item, {nullptr, ref_.get()}));
  }

  const Ref &ref() const noexcept { return ref_; }

#if UNDERGO_EXCEPTIONS
  std::optional<Value> next() const { return try_next().value(); }

  // An input iterator, of which there is one.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = const Value *;
    using reference = const Value &;

    iterator() = default;
    explicit iterator(const Items *of) : of_(of) { ++*this; }

    const Value &operator*() const { return *item_; }
    const Value *operator->() const { return &*item_; }
    iterator &operator++() {
      item_ = of_->next();
      if (!item_.has_value()) {
        of_ = nullptr;
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator &a, const iterator &b) { return a.of_ == b.of_; }
    friend bool operator!=(const iterator &a, const iterator &b) { return a.of_ != b.of_; }

   private:
    const Items *of_ = nullptr;
    std::optional<Value> item_;
  };

  iterator begin() const { return iterator(this); }
  iterator end() const { return iterator(); }
#endif

 private:
  Ref ref_;
};

namespace detail {

// The buffer of a stream of the guest's, of which one side is used.
class StreamBuffer : public std::streambuf {
 public:
  StreamBuffer(Ref ref, std::ios &stream) : ref_(std::move(ref)), stream_(stream) {}

  const Ref &ref() const noexcept { return ref_; }
  const std::optional<Error> &error() const noexcept { return error_; }

  // Notes what failed; the stream is bad then.
  bool fail(const Error &error) {
    error_.emplace(error);
    stream_.setstate(std::ios::badbit);
    return false;
  }

 protected:
  int_type underflow() override {
    room_.resize(size);
    std::size_t length = 0;
    if (undergo_error_t *error = undergo_stream_read(ref_.get(), room_.data(), room_.size(), nullptr, &length)) {
      fail(Error(error));
      return traits_type::eof();
    }
    setg(room_.data(), room_.data(), room_.data() + length);
    return length == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

  int_type overflow(int_type c) override {
    if (!pass_on()) {
      return traits_type::eof();
    }
    room_.resize(size);
    setp(room_.data(), room_.data() + room_.size());
    return traits_type::eq_int_type(c, traits_type::eof()) ? traits_type::not_eof(c) : sputc(traits_type::to_char_type(c));
  }

  int sync() override { return pass_on() ? 0 : -1; }

 private:
  // Writes what has been put.
  bool pass_on() {
    const auto length = static_cast<std::size_t>(pptr() - pbase());
    if (length == 0) {
      return true;
    }
    undergo_error_t *error = undergo_stream_write(ref_.get(), pbase(), length, nullptr);
    setp(room_.data(), room_.data() + room_.size());
    return error == nullptr ? true : fail(Error(error));
  }

  static constexpr std::size_t size = 1 << 16;

  Ref ref_;
  std::ios &stream_;
  std::vector<char> room_;
  std::optional<Error> error_;
};

}  // namespace detail

// A stream of the guest's to read from, made of a Ref. When it is bad, `error` says why.
class InputStream : public std::istream {
 public:
  explicit InputStream(Ref stream) : std::istream(nullptr), buffer_(std::move(stream), *this) { rdbuf(&buffer_); }

  const std::optional<Error> &error() const noexcept { return buffer_.error(); }
  const Ref &ref() const noexcept { return buffer_.ref(); }

  // Closes it as Go's Close does, whose error this has.
  Result<void> try_close() { return detail::check(undergo_stream_close(ref().get(), nullptr)); }
#if UNDERGO_EXCEPTIONS
  void close() { try_close().value(); }
#endif

 private:
  detail::StreamBuffer buffer_;
};

// A stream of the guest's to write to, made of a Ref. What is written goes to the guest when the
// buffer is full, by `flush`, by `close`, and at its end. When it is bad, `error` says why.
class OutputStream : public std::ostream {
 public:
  explicit OutputStream(Ref stream) : std::ostream(nullptr), buffer_(std::move(stream), *this) { rdbuf(&buffer_); }
  ~OutputStream() override {
    // A destructor does not throw, even if the program has asked the stream to.
    exceptions(std::ios::goodbit);
    buffer_.pubsync();
  }

  const std::optional<Error> &error() const noexcept { return buffer_.error(); }
  const Ref &ref() const noexcept { return buffer_.ref(); }

  // Writes what is left, and closes it as Go's Close does, whose error this has.
  Result<void> try_close() {
    flush();
    const Result<void> closed = detail::check(undergo_stream_close(ref().get(), nullptr));
    return buffer_.error().has_value() ? Result<void>(*buffer_.error()) : closed;
  }
#if UNDERGO_EXCEPTIONS
  void close() { try_close().value(); }
#endif

 private:
  detail::StreamBuffer buffer_;
};

namespace detail {

// What is made of a Ref of that shape.
template <class T, undergo_shape_t shape>
Result<T> made_of(const Value &value, const char *wanted) {
  const Ref *ref = value.get_if<Ref>();
  return ref != nullptr && ref->shape() == shape ? Result<T>(T(*ref)) : Result<T>(mismatch(value, wanted));
}

template <>
struct As<Items> {
  static Result<Items> from(const Value &value) { return made_of<Items, UNDERGO_SHAPE_ITERATOR>(value, "iterator"); }
};

}  // namespace detail
}  // namespace undergo

#endif  // UNDERGO_LIVING_HPP
