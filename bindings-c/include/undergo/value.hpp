// Values of any type.

#ifndef UNDERGO_VALUE_HPP
#define UNDERGO_VALUE_HPP

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "result.hpp"

namespace undergo {

class Value;

// An option without a value, or no result.
struct None {
  friend bool operator==(None, None) noexcept { return true; }
  friend bool operator!=(None, None) noexcept { return false; }
};

using Bytes = std::vector<std::uint8_t>;
using Duration = std::chrono::nanoseconds;

// Text that holds one JSON value.
struct Json {
  std::string text;

  friend bool operator==(const Json &a, const Json &b) { return a.text == b.text; }
  friend bool operator!=(const Json &a, const Json &b) { return !(a == b); }
};

// An instant with an offset from UTC. Two are equal when both are: instant and offset.
struct Time {
  // Seconds since 1970-01-01T00:00:00Z.
  std::int64_t seconds = 0;
  // 0 to 999,999,999.
  std::uint32_t nanoseconds = 0;
  // Seconds east of UTC.
  std::int32_t offset = 0;

  Time() = default;
  Time(std::int64_t since, std::uint32_t fraction, std::int32_t east = 0) : seconds(since), nanoseconds(fraction), offset(east) {}

  // An instant of the system's clock, in UTC.
  Time(std::chrono::system_clock::time_point instant) {
    const auto since = instant.time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since);
    seconds = whole.count();
    nanoseconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since - whole).count());
  }

  // The instant, as precise as the system's clock is; it must be within that clock's years (1678 to
  // 2261 where it counts nanoseconds).
  std::chrono::system_clock::time_point time_point() const {
    const auto since = std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
  }

  friend bool operator==(const Time &a, const Time &b) noexcept {
    return std::tie(a.seconds, a.nanoseconds, a.offset) == std::tie(b.seconds, b.nanoseconds, b.offset);
  }
  friend bool operator!=(const Time &a, const Time &b) noexcept { return !(a == b); }
};

// A list, several results, or a tuple.
using List = std::vector<Value>;
// A map, in any order.
using Map = std::vector<std::pair<Value, Value>>;
// A record, by the WIT names of its fields.
using Record = std::vector<std::pair<std::string, Value>>;

// A case of a variant, by its WIT name, with its value if it has one.
class Case {
 public:
  explicit Case(std::string name);
  Case(std::string name, Value value);

  const std::string &name() const noexcept { return name_; }
  // The value; null for a case without one.
  const Value *value() const noexcept;

  friend bool operator==(const Case &a, const Case &b);
  friend bool operator!=(const Case &a, const Case &b) { return !(a == b); }

 private:
  std::string name_;
  // One or none.
  std::vector<Value> value_;
};

// Something of the program's that a guest can call: a function, an object with methods, an
// iterable, a stream. Copies are the same.
class Object {
 public:
  // Takes over an object of undergo.h.
  explicit Object(undergo_object_t *object) : object_(object, undergo_object_delete) {}

  undergo_object_t *get() const noexcept { return object_.get(); }

  // Whether they are the same object, also where a component has passed one of them back.
  friend bool operator==(const Object &a, const Object &b) noexcept {
    return a.object_ == b.object_ || undergo_object_is_same(a.get(), b.get());
  }
  friend bool operator!=(const Object &a, const Object &b) noexcept { return !(a == b); }

 private:
  std::shared_ptr<undergo_object_t> object_;
};

// An object of the guest's, an iterator, or a stream, where its type is not known. Copies are the
// same; with the last one, the guest lets go of the object at its next call. As an argument, an
// iterator is an iterable, and a stream one of the program's, of any instance; for other objects of
// another instance, after `close`, after a reset and after the end of the instance each use is an
// error. For any thread.
class Ref {
 public:
  // Takes over a handle of undergo.h.
  explicit Ref(undergo_handle_t *handle) : handle_(handle, undergo_handle_delete) {}

  // Calls a method, by its WIT name, with what values can be made of.
  template <class... Args>
  Result<Value> try_call(const std::string &name, Args &&...args) const;
  Result<Value> try_apply(const std::string &name, const List &args) const;

  // Has the guest release the object now, or at the end of the call that is under way. Closing it
  // again does nothing.
  Result<void> try_close() const { return detail::check(undergo_handle_close(get())); }

#if UNDERGO_EXCEPTIONS
  template <class... Args>
  Value call(const std::string &name, Args &&...args) const;
  void close() const { try_close().value(); }
#endif

  // Whether it can be used.
  bool is_open() const noexcept { return undergo_handle_is_open(get()); }

  // The WIT name of its resource.
  std::string_view resource() const noexcept { return undergo_handle_resource(get()); }

  // What it is used for.
  undergo_shape_t shape() const noexcept { return undergo_handle_shape(get()); }

  undergo_handle_t *get() const noexcept { return handle_.get(); }

  friend bool operator==(const Ref &a, const Ref &b) noexcept { return a.handle_ == b.handle_; }
  friend bool operator!=(const Ref &a, const Ref &b) noexcept { return !(a == b); }

 private:
  std::shared_ptr<undergo_handle_t> handle_;
};

namespace detail {

template <class T>
struct As;

// Function objects whose parameters are known: lambdas that are not generic, std::function.
template <class T, class = void>
struct IsFunction : std::is_function<std::remove_pointer_t<T>> {};
template <class T>
struct IsFunction<T, std::void_t<decltype(&T::operator())>> : std::true_type {};

}  // namespace detail

// A value of any type. An integer is an int64_t where it fits, and else a uint64_t.
class Value {
 public:
  using Content =
      std::variant<None, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, List, Map, Record, Json, Duration, Time, Case, Ref, Object>;

  Value() = default;
  Value(None) {}
  Value(std::nullopt_t) {}
  Value(std::string value) : content_(std::move(value)) {}
  Value(std::string_view value) : content_(std::string(value)) {}
  Value(const char *value) : content_(std::string(value)) {}
  Value(Bytes value) : content_(std::move(value)) {}
  Value(List value) : content_(std::move(value)) {}
  Value(Map value) : content_(std::move(value)) {}
  Value(Record value) : content_(std::move(value)) {}
  Value(Json value) : content_(std::move(value)) {}
  Value(Time value) : content_(value) {}
  Value(Case value) : content_(std::move(value)) {}
  Value(Ref value) : content_(std::move(value)) {}
  Value(Object value) : content_(std::move(value)) {}
  Value(std::chrono::system_clock::time_point value) : content_(Time(value)) {}
  template <class Rep, class Period>
  Value(std::chrono::duration<Rep, Period> value) : content_(std::chrono::duration_cast<Duration>(value)) {}

  // A bool, an integer of any width, or a float. A pointer is none of these.
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Value(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      content_ = value;
    } else if constexpr (std::is_floating_point_v<T>) {
      content_ = static_cast<double>(value);
    } else if constexpr (std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t)) {
      if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
        content_ = static_cast<std::uint64_t>(value);
      } else {
        content_ = static_cast<std::int64_t>(value);
      }
    } else {
      content_ = static_cast<std::int64_t>(value);
    }
  }

  template <class T>
  Value(const std::optional<T> &value) {
    if (value.has_value()) {
      *this = Value(*value);
    }
  }

  // A function for the guest to call: see Callback.
  template <class F, class = std::enable_if_t<detail::IsFunction<F>::value>, class = void>
  Value(F function);

  // A list of what values can be made of.
  template <class T, class = std::enable_if_t<!std::is_same_v<T, Value> && !std::is_same_v<T, std::uint8_t> && std::is_constructible_v<Value, const T &>>>
  Value(const std::vector<T> &items) : content_(List(items.begin(), items.end())) {}

  template <class K, class V>
  Value(const std::map<K, V> &entries) {
    Map map;
    for (const auto &[key, value] : entries) {
      map.emplace_back(Value(key), Value(value));
    }
    content_ = std::move(map);
  }

  // Which of the types it is.
  const Content &content() const noexcept { return content_; }
  bool is_none() const noexcept { return std::holds_alternative<None>(content_); }

  // What it is, if it is of that type of `Content`; null otherwise.
  template <class T>
  const T *get_if() const noexcept {
    return std::get_if<T>(&content_);
  }

  // The field of a record, by its WIT name, or the value of a map with text for keys; null when
  // there is none.
  const Value *find(std::string_view name) const noexcept;

  // The item of a list; null when there is none.
  const Value *at(std::size_t index) const noexcept {
    const List *list = get_if<List>();
    return list != nullptr && index < list->size() ? &(*list)[index] : nullptr;
  }

  // How many items, entries or fields it has.
  std::size_t size() const noexcept;

  // The value as a C++ type: bool, an integer in which it fits, a float, std::string (for text,
  // cases of enums and JSON), Bytes, Json, Time, durations, Case, Ref, Items, and std::optional,
  // std::vector, std::map and std::tuple of these. The error is type-mismatch.
  template <class T>
  Result<T> try_as() const {
    return detail::As<T>::from(*this);
  }

#if UNDERGO_EXCEPTIONS
  template <class T>
  T as() const {
    return try_as<T>().value();
  }
#endif

  // What it is, in a word: "list".
  std::string_view type_name() const noexcept {
    constexpr std::string_view names[] = {"nothing", "bool",   "integer", "integer",  "float", "string",  "bytes",  "list",
                                          "map",     "record", "json",    "duration", "time",  "variant", "handle", "object"};
    static_assert(std::size(names) == std::variant_size_v<Content>);
    return names[content_.index()];
  }

  friend bool operator==(const Value &a, const Value &b) { return a.content_ == b.content_; }
  friend bool operator!=(const Value &a, const Value &b) { return !(a == b); }

 private:
  Content content_;
};

// Behind Value: a vector is made of a complete type.
inline Case::Case(std::string name) : name_(std::move(name)) {}

inline Case::Case(std::string name, Value value) : name_(std::move(name)) { value_.push_back(std::move(value)); }

inline const Value *Case::value() const noexcept { return value_.empty() ? nullptr : value_.data(); }

inline bool operator==(const Case &a, const Case &b) { return a.name_ == b.name_ && a.value_ == b.value_; }

inline const Value *Value::find(std::string_view name) const noexcept {
  if (const Record *record = get_if<Record>()) {
    for (const auto &[field, value] : *record) {
      if (field == name) {
        return &value;
      }
    }
  }
  if (const Map *map = get_if<Map>()) {
    for (const auto &[key, value] : *map) {
      const std::string *text = key.get_if<std::string>();
      if (text != nullptr && *text == name) {
        return &value;
      }
    }
  }
  return nullptr;
}

inline std::size_t Value::size() const noexcept {
  if (const List *list = get_if<List>()) {
    return list->size();
  }
  if (const Map *map = get_if<Map>()) {
    return map->size();
  }
  const Record *record = get_if<Record>();
  return record == nullptr ? 0 : record->size();
}

namespace detail {

inline Error mismatch(const Value &value, const char *wanted) {
  return Error(Kind::type_mismatch, "expected " + std::string(wanted) + ", got " + std::string(value.type_name()));
}

template <class T>
Result<T> alternative(const Value &value, const char *wanted) {
  const T *found = value.get_if<T>();
  return found == nullptr ? Result<T>(mismatch(value, wanted)) : Result<T>(*found);
}

template <>
struct As<Value> {
  static Result<Value> from(const Value &value) { return value; }
};

template <>
struct As<bool> {
  static Result<bool> from(const Value &value) { return alternative<bool>(value, "bool"); }
};

template <>
struct As<std::string> {
  static Result<std::string> from(const Value &value) {
    const Json *json = value.get_if<Json>();
    return json == nullptr ? alternative<std::string>(value, "string") : Result<std::string>(json->text);
  }
};

template <>
struct As<Json> {
  static Result<Json> from(const Value &value) { return alternative<Json>(value, "json"); }
};

template <>
struct As<Time> {
  static Result<Time> from(const Value &value) { return alternative<Time>(value, "time"); }
};

template <>
struct As<Map> {
  static Result<Map> from(const Value &value) { return alternative<Map>(value, "map"); }
};

template <>
struct As<Case> {
  static Result<Case> from(const Value &value) { return alternative<Case>(value, "variant"); }
};

template <>
struct As<Ref> {
  static Result<Ref> from(const Value &value) { return alternative<Ref>(value, "handle"); }
};

template <>
struct As<Record> {
  static Result<Record> from(const Value &value) { return alternative<Record>(value, "record"); }
};

// A duration of any unit, rounded to zero.
template <class Rep, class Period>
struct As<std::chrono::duration<Rep, Period>> {
  static Result<std::chrono::duration<Rep, Period>> from(const Value &value) {
    const Duration *found = value.get_if<Duration>();
    if (found == nullptr) {
      return mismatch(value, "duration");
    }
    return std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(*found);
  }
};

template <class T>
Result<T> number_from(const Value &value) {
  const std::int64_t *small = value.get_if<std::int64_t>();
  const std::uint64_t *large = value.get_if<std::uint64_t>();
  if constexpr (std::is_floating_point_v<T>) {
    const double *real = value.get_if<double>();
    if (real == nullptr && small == nullptr && large == nullptr) {
      return mismatch(value, "float");
    }
    return real != nullptr ? static_cast<T>(*real) : small != nullptr ? static_cast<T>(*small) : static_cast<T>(*large);
  } else {
    if (small == nullptr && large == nullptr) {
      return mismatch(value, "integer");
    }
    const std::uint64_t bits = small != nullptr ? static_cast<std::uint64_t>(*small) : *large;
    const bool negative = small != nullptr && *small < 0;
    const T number = static_cast<T>(bits);
    // It fits when it is the same seen as either of the wide types, and its sign is the same.
    if ((number < T{}) != negative || static_cast<std::uint64_t>(static_cast<std::int64_t>(number)) != bits) {
      const std::string text = small != nullptr ? std::to_string(*small) : std::to_string(*large);
      return Error(Kind::type_mismatch, text + " is out of range for an integer of " + std::to_string(8 * sizeof(T)) + " bits");
    }
    return number;
  }
}

template <class T>
struct As {
  static_assert(std::is_arithmetic_v<T>, "a Value can't be had as this type");
  static Result<T> from(const Value &value) { return number_from<T>(value); }
};

template <class T>
struct As<std::optional<T>> {
  static Result<std::optional<T>> from(const Value &value) {
    if (value.is_none()) {
      return std::optional<T>();
    }
    Result<T> inner = value.try_as<T>();
    return inner ? Result<std::optional<T>>(std::optional<T>(std::move(*inner))) : inner.error();
  }
};

template <class T>
struct As<std::vector<T>> {
  static Result<std::vector<T>> from(const Value &value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      if (const Bytes *bytes = value.get_if<Bytes>()) {
        return *bytes;
      }
    }
    const List *list = value.get_if<List>();
    if (list == nullptr) {
      return mismatch(value, std::is_same_v<T, std::uint8_t> ? "bytes" : "list");
    }
    std::vector<T> items;
    items.reserve(list->size());
    for (const Value &item : *list) {
      Result<T> made = item.try_as<T>();
      if (!made) {
        return made.error();
      }
      items.push_back(std::move(*made));
    }
    return items;
  }
};

template <class K, class V>
struct As<std::map<K, V>> {
  static Result<std::map<K, V>> from(const Value &value) {
    const Map *map = value.get_if<Map>();
    if (map == nullptr) {
      return mismatch(value, "map");
    }
    std::map<K, V> entries;
    for (const auto &[key, item] : *map) {
      Result<K> made_key = key.template try_as<K>();
      Result<V> made = item.template try_as<V>();
      if (!made_key || !made) {
        return made_key ? made.error() : made_key.error();
      }
      entries.insert_or_assign(std::move(*made_key), std::move(*made));
    }
    return entries;
  }
};

template <class... T>
struct As<std::tuple<T...>> {
  static Result<std::tuple<T...>> from(const Value &value) { return each(value, std::index_sequence_for<T...>()); }

 private:
  template <std::size_t... I>
  static Result<std::tuple<T...>> each(const Value &value, std::index_sequence<I...>) {
    const List *list = value.get_if<List>();
    if (list == nullptr) {
      return mismatch(value, "list");
    }
    if (list->size() != sizeof...(T)) {
      return Error(Kind::type_mismatch, "expected " + std::to_string(sizeof...(T)) + " items, got " + std::to_string(list->size()));
    }
    std::tuple<Result<T>...> made{(*list)[I].template try_as<T>()...};
    const Error *error = nullptr;
    ((error = error == nullptr && !std::get<I>(made) ? &std::get<I>(made).error() : error), ...);
    if (error != nullptr) {
      return *error;
    }
    return std::tuple<T...>{std::move(*std::get<I>(made))...};
  }
};

}  // namespace detail
}  // namespace undergo

#endif  // UNDERGO_VALUE_HPP
