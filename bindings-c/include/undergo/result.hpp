// A value, or what went wrong.

#ifndef UNDERGO_RESULT_HPP
#define UNDERGO_RESULT_HPP

#include <optional>
#include <utility>
#include <variant>

#include "error.hpp"

namespace undergo {

// A value, or an error: made of either, and used like std::expected.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(const T &value) : content_(std::in_place_index<0>, value) {}
  Result(T &&value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(const Error &error) : content_(std::in_place_index<1>, error) {}

  // From what converts to the value.
  template <class U, class = std::enable_if_t<std::is_convertible_v<U &&, T> && !std::is_convertible_v<U &&, const Error &> &&
                                              !std::is_same_v<std::decay_t<U>, Result> && !std::is_same_v<std::decay_t<U>, T>>>
  Result(U &&value) : content_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // The value. Throws the error, as `Error::raise` does, when there is none.
  T &value() & { return check(), **this; }
  const T &value() const & { return check(), **this; }
  T &&value() && { return check(), std::move(**this); }

  // The value, which must be there.
  T &operator*() & noexcept { return *std::get_if<0>(&content_); }
  const T &operator*() const & noexcept { return *std::get_if<0>(&content_); }
  T &&operator*() && noexcept { return std::move(*std::get_if<0>(&content_)); }
  T *operator->() noexcept { return std::get_if<0>(&content_); }
  const T *operator->() const noexcept { return std::get_if<0>(&content_); }

  // The error, which must be there.
  const Error &error() const noexcept { return *std::get_if<1>(&content_); }

  template <class U>
  T value_or(U &&other) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
  }

 private:
  void check() const {
    if (!has_value()) {
      error().raise();
    }
  }

  std::variant<T, Error> content_;
};

// Success, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(const Error &error) : error_(error) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  void value() const {
    if (error_.has_value()) {
      error_->raise();
    }
  }

  const Error &error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

namespace detail {

// What a function of undergo.h returned.
inline Result<void> check(undergo_error_t *error) {
  return error == nullptr ? Result<void>() : Result<void>(Error(error));
}

}  // namespace detail
}  // namespace undergo

#endif  // UNDERGO_RESULT_HPP
