// A view on elements that lie next to each other.

#ifndef UNDERGO_SPAN_HPP
#define UNDERGO_SPAN_HPP

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <vector>

namespace undergo {

// A view on elements of somebody else, which must live as long as it is used: as std::span<const
// T>, which C++17 does not have. Made of a vector, an array, or any other container with data() and
// size().
template <class T>
class Span {
 public:
  using value_type = T;
  using iterator = const T *;

  constexpr Span() noexcept = default;
  constexpr Span(const T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr Span(const T (&items)[N]) noexcept : data_(items), size_(N) {}
  // For an argument of a call: the list lives until the call is over.
  constexpr Span(std::initializer_list<T> items) noexcept : size_(items.size()) { data_ = items.begin(); }

  template <class C, class = std::enable_if_t<std::is_convertible_v<decltype(std::data(std::declval<const C &>())), const T *> &&
                                              !std::is_same_v<std::decay_t<C>, Span> && !std::is_array_v<C>>>
  constexpr Span(const C &items) noexcept : data_(std::data(items)), size_(std::size(items)) {}

  constexpr const T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const T *begin() const noexcept { return data_; }
  constexpr const T *end() const noexcept { return data_ + size_; }
  constexpr const T &operator[](std::size_t i) const noexcept { return data_[i]; }

  // A copy that lives on its own.
  std::vector<T> to_vector() const { return std::vector<T>(begin(), end()); }

 private:
  const T *data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace undergo

#endif  // UNDERGO_SPAN_HPP
