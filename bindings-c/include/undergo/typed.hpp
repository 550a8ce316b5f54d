// Calls with structs, for the headers that `undergo bindgen --lang cpp` writes: C++ types as
// undergo.h lays them out.

#ifndef UNDERGO_TYPED_HPP
#define UNDERGO_TYPED_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

#include "plugin.hpp"
#include "resource.hpp"
#include "span.hpp"

namespace undergo {

// How a C++ type lies in a struct of undergo.h: `Wire` is what lies there. `lower` makes one that
// may point to the value itself, and `lift` makes a value. Generated headers add one for each
// record.
template <class T, class = void>
struct Codec;

// The same for the type that stands for a case of a variant, whose value lies there. It is the
// value itself, unless a generated header says otherwise.
template <class T>
struct CaseCodec : Codec<T> {};

template <class T>
using Wire = typename Codec<T>::Wire;

namespace typed {

// Memory for what values don't have as undergo.h wants it: arrays of texts, say. For a host
// function's result it is an arena, into which all is copied, since the value is gone when it is
// read.
class Scratch {
 public:
  explicit Scratch(undergo_arena_t *arena = nullptr) noexcept : arena_(arena) {}
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  // Whether nothing may point to the value.
  bool copies() const noexcept { return arena_ != nullptr; }
  // Has an object of undergo.h freed with this, unless it is given away with the result.
  undergo_object_t *own(undergo_object_t *object) {
    if (!copies()) {
      objects_.emplace_back(object);
    }
    return object;
  }
  // Whether there was no memory.
  bool failed() const noexcept { return failed_; }

  // Room for so many; null for none.
  template <class T>
  T *room(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(std::max_align_t));
    return count == 0 ? nullptr : static_cast<T *>(allocate(count * sizeof(T)));
  }

  // These elements, or a copy where one is needed.
  template <class T>
  const T *elements(const T *data, std::size_t count) {
    if (!copies() || count == 0) {
      return data;
    }
    T *copy = room<T>(count);
    if (copy != nullptr) {
      std::memcpy(copy, data, count * sizeof(T));
    }
    return copy;
  }

 private:
  void *allocate(std::size_t size) {
    if (arena_ != nullptr) {
      void *found = undergo_arena_alloc(arena_, size);
      failed_ = failed_ || found == nullptr;
      return found;
    }
    constexpr std::size_t align = alignof(std::max_align_t);
    const std::size_t rounded = (size + align - 1) / align * align;
    if (rounded <= sizeof(few_) - used_) {
      void *found = few_ + used_;
      used_ += rounded;
      return found;
    }
    // The rest of the stack's part stays for smaller ones.
    many_.push_back(std::make_unique<std::max_align_t[]>((rounded + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t)));
    return many_.back().get();
  }

  undergo_arena_t *arena_;
  bool failed_ = false;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<std::max_align_t[]>> many_;
  std::vector<std::unique_ptr<undergo_object_t, detail::Deleter<undergo_object_delete>>> objects_;
  alignas(std::max_align_t) unsigned char few_[512];
};

// A struct of these members, laid out as C lays it out.
template <class... Members>
class Struct {
 public:
  Struct() noexcept = default;

  // With a word before the members, since there may be none.
  explicit Struct(std::in_place_t, const Members &...members) noexcept { fill(std::index_sequence_for<Members...>(), members...); }

  template <std::size_t I>
  auto get() const noexcept {
    std::tuple_element_t<I, std::tuple<Members...>> member;
    std::memcpy(static_cast<void *>(&member), bytes_ + offsets[I], sizeof(member));
    return member;
  }

 private:
  static constexpr std::size_t count = sizeof...(Members);

  static constexpr std::array<std::size_t, count + 1> place() noexcept {
    constexpr std::array<std::size_t, count + 1> sizes{sizeof(Members)..., 0};
    constexpr std::array<std::size_t, count + 1> aligns{alignof(Members)..., 1};
    std::array<std::size_t, count + 1> found{};
    std::size_t end = 0;
    for (std::size_t i = 0; i < count; i++) {
      found[i] = (end + aligns[i] - 1) / aligns[i] * aligns[i];
      end = found[i] + sizes[i];
    }
    // What has no members has one byte, as C has no struct without.
    found[count] = end == 0 ? 1 : end;
    return found;
  }

  static constexpr std::array<std::size_t, count + 1> offsets = place();

  template <std::size_t... I>
  void fill(std::index_sequence<I...>, const Members &...members) noexcept {
    (std::memcpy(bytes_ + offsets[I], static_cast<const void *>(&members), sizeof(members)), ...);
  }

  alignas(Members...) unsigned char bytes_[offsets[count]] = {};
};

// What lies there for a case without a value.
struct Nothing {};

// A variant, laid out as C lays it out: the number of its case, and a union of the cases' values.
template <class... Values>
class Union {
 public:
  // With a number that no case has.
  Union() noexcept { set_tag(-1); }

  template <class V>
  Union(std::size_t tag, const V &value) noexcept {
    set_tag(static_cast<std::int32_t>(tag));
    if constexpr (!std::is_same_v<V, Nothing>) {
      std::memcpy(bytes_ + offset, static_cast<const void *>(&value), sizeof(value));
    }
  }

  std::size_t tag() const noexcept {
    std::int32_t tag = 0;
    std::memcpy(&tag, bytes_, sizeof(tag));
    return static_cast<std::size_t>(tag);
  }

  // The value of a case, which must be that of the number.
  template <std::size_t I>
  auto get() const noexcept {
    std::tuple_element_t<I, std::tuple<Values...>> value;
    if constexpr (!std::is_same_v<decltype(value), Nothing>) {
      std::memcpy(static_cast<void *>(&value), bytes_ + offset, sizeof(value));
    }
    return value;
  }

 private:
  void set_tag(std::int32_t tag) noexcept { std::memcpy(bytes_, &tag, sizeof(tag)); }

  template <class V>
  static constexpr std::size_t size_of = std::is_same_v<V, Nothing> ? 0 : sizeof(V);

  static constexpr std::size_t align = std::max({alignof(std::int32_t), alignof(Values)...});
  // The number takes no more than that.
  static constexpr std::size_t offset = align;
  static constexpr std::size_t largest = std::max({size_of<Values>...});
  static constexpr std::size_t size = largest == 0 ? sizeof(std::int32_t) : (offset + largest + align - 1) / align * align;

  alignas(align) unsigned char bytes_[size] = {};
};

// A list of undergo.h.
template <class T>
struct Array {
  const T *ptr;
  std::size_t len;
};

// Whether a list of them lies in memory as undergo.h wants it.
template <class T>
inline constexpr bool is_direct = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

// Makes an array of the elements of any container.
template <class T, class Items>
Array<Wire<T>> lower_items(const Items &items, Scratch &scratch) {
  Wire<T> *made = scratch.template room<Wire<T>>(items.size());
  std::size_t count = 0;
  if (made != nullptr) {
    for (const auto &item : items) {
      made[count++] = Codec<T>::lower(item, scratch);
    }
  }
  return {made, count};
}

// A record: a struct with these members, in this order.
template <class T, auto... members>
struct RecordCodec {
 private:
  template <class M>
  static M member_of(M T::*);
  template <auto member>
  using Member = decltype(member_of(member));

  template <std::size_t... I>
  static T lift_each(const Struct<undergo::Wire<Member<members>>...> &wire, std::index_sequence<I...>) {
    return T{Codec<Member<members>>::lift(wire.template get<I>())...};
  }

 public:
  using Wire = Struct<undergo::Wire<Member<members>>...>;

  static Wire lower(const T &value, [[maybe_unused]] Scratch &scratch) {
    (void)value;
    return Wire(std::in_place, Codec<Member<members>>::lower(value.*members, scratch)...);
  }
  static T lift(const Wire &wire) {
    (void)wire;
    return lift_each(wire, std::make_index_sequence<sizeof...(members)>());
  }
};

// A case that is a struct with its value.
template <class T, auto member>
struct ValueCase {
 private:
  template <class M>
  static M member_of(M T::*);
  using Member = decltype(member_of(member));

 public:
  using Wire = undergo::Wire<Member>;

  static Wire lower(const T &value, Scratch &scratch) { return Codec<Member>::lower(value.*member, scratch); }
  static T lift(const Wire &wire) { return T{Codec<Member>::lift(wire)}; }
};

// A case without a value.
template <class T>
struct EmptyCase {
  using Wire = Nothing;

  static Wire lower(const T &, Scratch &) noexcept { return {}; }
  static T lift(Wire) noexcept { return T{}; }
};

}  // namespace typed

// Numbers, and bools.
template <class T>
struct Codec<T, std::enable_if_t<std::is_arithmetic_v<T>>> {
  using Wire = T;
  static T lower(T value, typed::Scratch &) noexcept { return value; }
  static T lift(T wire) noexcept { return wire; }
};

// Enums: the number of the case.
template <class T>
struct Codec<T, std::enable_if_t<std::is_enum_v<T>>> {
  using Wire = std::int32_t;
  static Wire lower(T value, typed::Scratch &) noexcept { return static_cast<Wire>(value); }
  static T lift(Wire wire) noexcept { return static_cast<T>(wire); }
};

template <>
struct Codec<std::string_view> {
  using Wire = undergo_string_t;
  static Wire lower(std::string_view value, typed::Scratch &scratch) {
    const char *text = scratch.elements(value.data(), value.size());
    return {text, text == nullptr ? 0 : value.size()};
  }
  static std::string_view lift(Wire wire) noexcept { return detail::view(wire); }
};

template <>
struct Codec<std::string> {
  using Wire = undergo_string_t;
  static Wire lower(const std::string &value, typed::Scratch &scratch) { return Codec<std::string_view>::lower(value, scratch); }
  static std::string lift(Wire wire) { return std::string(detail::view(wire)); }
};

template <>
struct Codec<Json> {
  using Wire = undergo_string_t;
  static Wire lower(const Json &value, typed::Scratch &scratch) { return Codec<std::string_view>::lower(value.text, scratch); }
  static Json lift(Wire wire) { return Json{std::string(detail::view(wire))}; }
};

template <>
struct Codec<Duration> {
  using Wire = std::int64_t;
  static Wire lower(Duration value, typed::Scratch &) noexcept { return value.count(); }
  static Duration lift(Wire wire) noexcept { return Duration(wire); }
};

template <>
struct Codec<Time> {
  using Wire = undergo_time_t;
  static Wire lower(const Time &value, typed::Scratch &) noexcept { return {value.seconds, value.nanoseconds, value.offset}; }
  static Time lift(Wire wire) noexcept { return Time(wire.seconds, wire.nanoseconds, wire.offset); }
};

// A list of numbers, as it lies there.
template <class T>
struct Codec<Span<T>> {
  static_assert(typed::is_direct<T>);
  using Wire = typed::Array<T>;
  static Wire lower(Span<T> value, typed::Scratch &scratch) {
    const T *items = scratch.elements(value.data(), value.size());
    return {items, items == nullptr ? 0 : value.size()};
  }
  static Span<T> lift(Wire wire) noexcept { return Span<T>(wire.ptr, wire.len); }
};

template <class T>
struct Codec<std::vector<T>> {
  using Wire = typed::Array<undergo::Wire<T>>;
  static Wire lower(const std::vector<T> &value, typed::Scratch &scratch) {
    if constexpr (typed::is_direct<T>) {
      return Codec<Span<T>>::lower(value, scratch);
    } else {
      return typed::lower_items<T>(value, scratch);
    }
  }
  static std::vector<T> lift(Wire wire) {
    if constexpr (typed::is_direct<T>) {
      return wire.len == 0 ? std::vector<T>() : std::vector<T>(wire.ptr, wire.ptr + wire.len);
    } else {
      std::vector<T> items;
      items.reserve(wire.len);
      for (std::size_t i = 0; i < wire.len; i++) {
        items.push_back(Codec<T>::lift(wire.ptr[i]));
      }
      return items;
    }
  }
};

// Objects of the guest's.
template <class T>
struct Codec<T, std::enable_if_t<std::is_base_of_v<Handle, T>>> {
  using Wire = undergo_handle_t *;
  static Wire lower(const T &value, typed::Scratch &) noexcept { return value.get(); }
  static T lift(Wire wire) noexcept { return T(wire); }
};

// What a program gives to a guest to call, in arguments.
template <class T>
struct Codec<T, std::enable_if_t<std::is_base_of_v<Object, T>>> {
  using Wire = undergo_object_t *;
  static Wire lower(const T &value, typed::Scratch &) noexcept { return value.get(); }
};

// An optional handle or object is null where there is none.
template <class T>
struct Codec<std::optional<T>, std::enable_if_t<std::is_base_of_v<Handle, T> || std::is_base_of_v<Object, T>>> {
  using Wire = undergo::Wire<T>;
  static Wire lower(const std::optional<T> &value, typed::Scratch &) noexcept { return value.has_value() ? value->get() : nullptr; }
  static std::optional<T> lift(Wire wire) { return wire == nullptr ? std::nullopt : std::optional<T>(T(wire)); }
};

template <class T>
struct Codec<std::optional<T>, std::enable_if_t<!std::is_base_of_v<Handle, T> && !std::is_base_of_v<Object, T>>> {
  using Wire = const undergo::Wire<T> *;
  static Wire lower(const std::optional<T> &value, typed::Scratch &scratch) {
    if (!value.has_value()) {
      return nullptr;
    }
    undergo::Wire<T> *made = scratch.template room<undergo::Wire<T>>(1);
    if (made != nullptr) {
      *made = Codec<T>::lower(*value, scratch);
    }
    return made;
  }
  static std::optional<T> lift(Wire wire) { return wire == nullptr ? std::nullopt : std::optional<T>(Codec<T>::lift(*wire)); }
};

template <class... T>
struct Codec<std::tuple<T...>> {
  using Wire = typed::Struct<undergo::Wire<T>...>;
  static Wire lower(const std::tuple<T...> &value, typed::Scratch &scratch) {
    return std::apply([&](const T &...items) { return Wire(std::in_place, Codec<T>::lower(items, scratch)...); }, value);
  }
  static std::tuple<T...> lift(const Wire &wire) { return each(wire, std::index_sequence_for<T...>()); }

 private:
  template <std::size_t... I>
  static std::tuple<T...> each(const Wire &wire, std::index_sequence<I...>) {
    return std::tuple<T...>{Codec<T>::lift(wire.template get<I>())...};
  }
};

template <class... Cases>
struct Codec<std::variant<Cases...>> {
  using Wire = typed::Union<typename CaseCodec<Cases>::Wire...>;
  static Wire lower(const std::variant<Cases...> &value, typed::Scratch &scratch) {
    // What an exception has left without a value has no case.
    return value.valueless_by_exception() ? Wire() : lower_each(value, scratch, std::index_sequence_for<Cases...>());
  }
  static std::variant<Cases...> lift(const Wire &wire) { return lift_each(wire, std::index_sequence_for<Cases...>()); }

 private:
  using Variant = std::variant<Cases...>;
  template <std::size_t I>
  using Case = CaseCodec<std::variant_alternative_t<I, Variant>>;

  template <std::size_t I>
  static Wire lower_one(const Variant &value, typed::Scratch &scratch) {
    return Wire(I, Case<I>::lower(*std::get_if<I>(&value), scratch));
  }
  template <std::size_t I>
  static Variant lift_one(const Wire &wire) {
    return Variant(std::in_place_index<I>, Case<I>::lift(wire.template get<I>()));
  }

  template <std::size_t... I>
  static Wire lower_each(const Variant &value, typed::Scratch &scratch, std::index_sequence<I...>) {
    constexpr Wire (*ways[])(const Variant &, typed::Scratch &) = {lower_one<I>...};
    return ways[value.index()](value, scratch);
  }
  template <std::size_t... I>
  static Variant lift_each(const Wire &wire, std::index_sequence<I...>) {
    constexpr Variant (*ways[])(const Wire &) = {lift_one<I>...};
    // Undergo gives no other.
    return ways[wire.tag()](wire);
  }
};

template <class K, class V>
struct Codec<std::map<K, V>> {
  using Entry = typed::Struct<undergo::Wire<K>, undergo::Wire<V>>;
  using Wire = typed::Array<Entry>;
  static Wire lower(const std::map<K, V> &value, typed::Scratch &scratch) {
    Entry *made = scratch.template room<Entry>(value.size());
    std::size_t count = 0;
    if (made != nullptr) {
      for (const auto &[key, item] : value) {
        made[count++] = Entry(std::in_place, Codec<K>::lower(key, scratch), Codec<V>::lower(item, scratch));
      }
    }
    return {made, count};
  }
  static std::map<K, V> lift(Wire wire) {
    std::map<K, V> entries;
    for (std::size_t i = 0; i < wire.len; i++) {
      entries.insert_or_assign(Codec<K>::lift(wire.ptr[i].template get<0>()), Codec<V>::lift(wire.ptr[i].template get<1>()));
    }
    return entries;
  }
};

namespace typed {

// What calls methods of objects.
struct Method {
  undergo_error_t *invoke(const undergo_signature_t &signature, const void *args, void *result, undergo_arena_t **arena) const {
    return undergo_handle_invoke(&signature, args, nullptr, result, arena);
  }
};

// Calls an export. The arguments are of just the types that the signature has. Gives the error,
// which is the caller's, or null when the result is there.
template <class V, class... Args>
undergo_error_t *ask(const V &view, const undergo_signature_t &signature, void *result, undergo_arena_t **arena, const Args &...args) {
  Scratch scratch;
  const Struct<Wire<Args>...> given(std::in_place, Codec<Args>::lower(args, scratch)...);
  return view.invoke(signature, &given, result, arena);
}

// The result of an export, as undergo.h gives it.
template <class R>
class Answer {
 public:
  Answer() noexcept = default;
  Answer(const Answer &) = delete;
  Answer &operator=(const Answer &) = delete;
  ~Answer() {
    if constexpr (points) {
      undergo_arena_delete(arena_);
    }
  }

  template <class V, class... Args>
  undergo_error_t *ask(const V &view, const undergo_signature_t &signature, const Args &...args) {
    return typed::ask(view, signature, &wire_, points ? &arena_ : nullptr, args...);
  }

  R lift() const { return Codec<R>::lift(wire_); }

 private:
  // Numbers point to no memory.
  static constexpr bool points = !std::is_arithmetic_v<Wire<R>> && !std::is_same_v<Wire<R>, undergo_handle_t *>;

  Wire<R> wire_{};
  undergo_arena_t *arena_ = nullptr;
};

// That of an export without a result.
template <>
class Answer<void> {
 public:
  template <class V, class... Args>
  undergo_error_t *ask(const V &view, const undergo_signature_t &signature, const Args &...args) {
    return typed::ask(view, signature, nullptr, nullptr, args...);
  }

  void lift() const {}
};

// Calls an export; throws when it fails.
template <class R, class... Args>
R call(const View &view, const undergo_signature_t &signature, const Args &...args) {
  Answer<R> answer;
  if (undergo_error_t *error = answer.ask(view, signature, args...)) {
    Error(error).raise();
  }
  return answer.lift();
}

// Calls an export; gives the error when it fails.
template <class R, class V, class... Args>
Result<R> invoke(const V &view, const undergo_signature_t &signature, const Args &...args) {
  Answer<R> answer;
  if (undergo_error_t *error = answer.ask(view, signature, args...)) {
    return Error(error);
  }
  if constexpr (std::is_void_v<R>) {
    return {};
  } else {
    return answer.lift();
  }
}

// Calls a method of an object of the guest's, which is the first of the arguments; throws when it
// fails.
template <class R, class... Args>
R call_method(const undergo_signature_t &signature, const Args &...args) {
  Answer<R> answer;
  if (undergo_error_t *error = answer.ask(Method(), signature, args...)) {
    Error(error).raise();
  }
  return answer.lift();
}

// The same; gives the error when it fails.
template <class R, class... Args>
Result<R> invoke_method(const undergo_signature_t &signature, const Args &...args) {
  return invoke<R>(Method(), signature, args...);
}

// What undergo.h calls for a method of an interface.
template <auto method>
struct Adapter;

template <class Interface, class R, class... Params, R (Interface::*method)(Params...)>
struct Adapter<method> {
  static undergo_error_t *call(undergo_any_fn, void *data, const void *args, void *result, undergo_arena_t *arena) {
    return detail::guarded([&] {
      Given given;
      std::memcpy(static_cast<void *>(&given), args, sizeof(given));
      return each(*static_cast<Interface *>(data), given, result, arena, std::index_sequence_for<Params...>());
    });
  }

 private:
  using Given = Struct<Wire<std::decay_t<Params>>...>;

  template <std::size_t... I>
  static undergo_error_t *each(Interface &host, [[maybe_unused]] const Given &given, void *result, undergo_arena_t *arena, std::index_sequence<I...>) {
    const auto run = [&] { return (host.*method)(Codec<std::decay_t<Params>>::lift(given.template get<I>())...); };
    if constexpr (std::is_void_v<R>) {
      run();
      return nullptr;
    } else if constexpr (detail::IsResult<R>::value) {
      const R made = run();
      if (!made) {
        return undergo_error_copy(made.error().get());
      }
      if constexpr (std::is_void_v<typename R::value_type>) {
        return nullptr;
      } else {
        return answer(*made, result, arena);
      }
    } else {
      return answer(run(), result, arena);
    }
  }

  template <class T>
  static undergo_error_t *answer(const T &value, void *result, undergo_arena_t *arena) {
    Scratch scratch(arena);
    const Wire<T> wire = Codec<T>::lower(value, scratch);
    if (scratch.failed()) {
      return undergo_error_of_kind(UNDERGO_OUT_OF_MEMORY, "there is no memory for the result of a host function");
    }
    std::memcpy(result, static_cast<const void *>(&wire), sizeof(wire));
    return nullptr;
  }
};

// A function of the program's that a guest calls with these types.
template <class R, class... Params>
class Function {
 public:
  template <class F>
  explicit Function(F function) : function_(wrapped(std::move(function))) {}

  Result<R> call(Params... params) { return function_(std::move(params)...); }

  // An object of undergo.h, with the signature of `call`.
  template <class F>
  static undergo_object_t *make(const undergo_signature_t &signature, F function) {
    undergo_typed_method_t method{};
    method.signature = &signature;
    method.adapter = Adapter<&Function::call>::call;
    // The adapter knows what to call: the function is there because there must be one.
    method.function = reinterpret_cast<undergo_any_fn>(method.adapter);
    undergo_object_t *object = nullptr;
    const auto drop = [](void *data) { delete static_cast<Function *>(data); };
    undergo_error_delete(undergo_object_new_typed(&method, 1, new Function(std::move(function)), drop, &object));
    return object;
  }

 private:
  template <class F>
  static std::function<Result<R>(Params...)> wrapped(F function) {
    using Given = std::invoke_result_t<F &, Params...>;
    if constexpr (detail::IsResult<std::decay_t<Given>>::value || std::is_convertible_v<Given, const Error &>) {
      return function;
    } else if constexpr (std::is_void_v<R>) {
      return [function = std::move(function)](Params... params) mutable -> Result<R> { return function(std::move(params)...), Result<R>(); };
    } else {
      return [function = std::move(function)](Params... params) mutable -> Result<R> { return static_cast<R>(function(std::move(params)...)); };
    }
  }

  std::function<Result<R>(Params...)> function_;
};

// An iterable of the program's: any range, of what converts to T.
template <class T, class Range>
class Items {
 public:
  static undergo_object_t *make(const undergo_signature_t &signature, Range range) {
    const auto adapter = [](undergo_any_fn, void *data, void *item, bool *has_item, undergo_arena_t *arena) {
      return detail::guarded([&]() -> undergo_error_t * { return static_cast<Items *>(data)->next(item, has_item, arena); });
    };
    const undergo_next_adapter_fn call = adapter;
    const auto drop = [](void *data) { delete static_cast<Items *>(data); };
    undergo_object_t *object = nullptr;
    undergo_error_delete(
        undergo_items_new_typed(&signature, call, reinterpret_cast<undergo_any_fn>(call), new Items(std::move(range)), drop, &object));
    return object;
  }

 private:
  explicit Items(Range range) : range_(std::move(range)) {}

  undergo_error_t *next(void *item, bool *has_item, undergo_arena_t *arena) {
    if (!at_.has_value()) {
      at_.emplace(std::begin(range_));
    } else {
      // Only now: what comes next need not be ready before it is asked for.
      ++*at_;
    }
    if (*at_ == std::end(range_)) {
      return nullptr;
    }
    Scratch scratch(arena);
    const Wire<T> wire = Codec<T>::lower(static_cast<T>(**at_), scratch);
    if (scratch.failed()) {
      return undergo_error_of_kind(UNDERGO_OUT_OF_MEMORY, "there is no memory for an item of the host");
    }
    std::memcpy(item, static_cast<const void *>(&wire), sizeof(wire));
    *has_item = true;
    return nullptr;
  }

  Range range_;
  std::optional<decltype(std::begin(std::declval<Range &>()))> at_;
};

// An iterator of the guest's: a range of one pass, whose items come in batches.
template <class T>
class Iterator : public Handle {
 public:
  Iterator() noexcept = default;
  Iterator(undergo_handle_t *handle, const undergo_signature_t &signature) noexcept : Handle(handle), signature_(&signature) {}

  // The next item, or none at the end. A panic of the guest comes after the items before it.
  Result<std::optional<T>> try_next() const {
    Wire<T> wire{};
    bool has_item = false;
    if (undergo_error_t *error = undergo_iterator_next_typed(get(), signature_, nullptr, &wire, &has_item)) {
      return Error(error);
    }
    return has_item ? std::optional<T>(Codec<T>::lift(wire)) : std::optional<T>();
  }

#if UNDERGO_EXCEPTIONS
  std::optional<T> next() const { return try_next().value(); }

  // An input iterator, of which there is one.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T *;
    using reference = T &;

    iterator() = default;
    explicit iterator(const Iterator *of) : of_(of), item_(std::make_shared<std::optional<T>>()) { ++*this; }

    T &operator*() const { return **item_; }
    T *operator->() const { return &**item_; }
    iterator &operator++() {
      *item_ = of_->next();
      if (!item_->has_value()) {
        of_ = nullptr;
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator &a, const iterator &b) { return a.of_ == b.of_; }
    friend bool operator!=(const iterator &a, const iterator &b) { return a.of_ != b.of_; }

   private:
    const Iterator *of_ = nullptr;
    // Shared, so that the iterator can be copied where an item can't.
    std::shared_ptr<std::optional<T>> item_;
  };

  iterator begin() const { return iterator(this); }
  iterator end() const { return iterator(); }
#endif

 private:
  const undergo_signature_t *signature_ = nullptr;
};

// What undergo.h calls for a method of an object of the program's.
template <auto method>
struct SharedAdapter;

template <class Interface, class R, class... Params, R (Interface::*method)(Params...)>
struct SharedAdapter<method> {
  static undergo_error_t *call(undergo_any_fn function, void *data, const void *args, void *result, undergo_arena_t *arena) {
    return Adapter<method>::call(function, static_cast<std::shared_ptr<Interface> *>(data)->get(), args, result, arena);
  }
};

// An object of the program's with the methods of an abstract class, which `methods_of` of a
// generated header gives with their signatures.
template <class Interface>
struct SharedCodec {
  using Wire = undergo_object_t *;
  static Wire lower(const std::shared_ptr<Interface> &value, Scratch &scratch) {
    if (value == nullptr) {
      return nullptr;
    }
    auto given = methods_of(value.get());
    for (undergo_typed_method_t &method : given) {
      method.function = reinterpret_cast<undergo_any_fn>(method.adapter);
    }
    undergo_object_t *object = nullptr;
    undergo_error_delete(undergo_object_new_typed(given.data(), given.size(), new std::shared_ptr<Interface>(value), drop, &object));
    return scratch.own(object);
  }

  // What a component passes back; null for an object of another class.
  static std::shared_ptr<Interface> lift(Wire wire) {
    const void *data = undergo_object_data_of(wire, drop);
    return data == nullptr ? nullptr : *static_cast<const std::shared_ptr<Interface> *>(data);
  }

 private:
  static void drop(void *data) { delete static_cast<std::shared_ptr<Interface> *>(data); }
};

// A method of an interface, with its signature.
struct Import {
  const undergo_signature_t *signature;
  undergo_adapter_fn adapter;
};

// Gives the methods of an interface, which lives as long as it can be called. Nothing for null.
template <class Interface>
void provide(Imports &imports, std::shared_ptr<Interface> host, std::vector<Import> methods) {
  if (host == nullptr) {
    return;
  }
  imports.add([host = std::move(host), methods = std::move(methods)](undergo_imports_t *made) -> undergo_error_t * {
    const auto destroy = [](void *data) { delete static_cast<std::shared_ptr<Interface> *>(data); };
    if (undergo_error_t *error = undergo_imports_keep(made, new std::shared_ptr<Interface>(host), destroy)) {
      return error;
    }
    for (const Import &method : methods) {
      // The adapter knows what to call: the function is there because there must be one.
      const auto function = reinterpret_cast<undergo_any_fn>(method.adapter);
      if (undergo_error_t *error = undergo_imports_set_typed(made, method.signature, method.adapter, function, host.get())) {
        return error;
      }
    }
    return nullptr;
  });
}

// Makes an instance of a plugin that has the functions of the header.
inline Result<Instance> instantiate(const Plugin &plugin, Span<undergo_signature_t> signatures, const Options &options) {
  const Result<void> fits = plugin.try_expect(signatures);
  return fits ? plugin.try_instantiate(options) : Result<Instance>(fits.error());
}

// Makes a pool of a plugin that has the functions of the header.
inline Result<Pool> pool(const Plugin &plugin, Span<undergo_signature_t> signatures, const PoolOptions &pool_options, const Options &options) {
  const Result<void> fits = plugin.try_expect(signatures);
  return fits ? plugin.try_pool(pool_options, options) : Result<Pool>(fits.error());
}

// The fields of an error of the host's, and what their struct points to.
template <class T>
struct Fields {
  T value;
  Scratch scratch;
  Wire<T> wire;

  explicit Fields(const T &given) : value(given), wire(Codec<T>::lower(value, scratch)) {}

  static void destroy(void *fields) { delete static_cast<Fields *>(fields); }
};

}  // namespace typed

template <class T, class>
Error::Error(const std::string &message, const T &fields) : Error([&] {
  // The error keeps them: it is read after the host function has returned.
  auto *kept = new typed::Fields<T>(fields);
  undergo_chained_t own{};
  own.name = ErrorType<T>::name;
  own.digest = ErrorType<T>::digest;
  own.fields = &kept->wire;
  own.size = sizeof(kept->wire);
  return undergo_error_with_chain(undergo_error_new_with(message.c_str(), kept, typed::Fields<T>::destroy), &own, 1);
}()) {}

template <class T>
std::optional<T> Error::as() const {
  const void *fields = undergo_error_find(error_.get(), ErrorType<T>::digest);
  if (fields == nullptr) {
    return std::nullopt;
  }
  Wire<T> wire;
  std::memcpy(static_cast<void *>(&wire), fields, sizeof(wire));
  return Codec<T>::lift(wire);
}

}  // namespace undergo

#endif  // UNDERGO_TYPED_HPP
