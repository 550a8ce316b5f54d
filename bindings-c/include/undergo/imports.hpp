// The functions that a program gives to a plugin.

#ifndef UNDERGO_IMPORTS_HPP
#define UNDERGO_IMPORTS_HPP

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "handles.hpp"

namespace undergo {

// A host function, by values. What it throws, or the error that it returns, becomes the Go error
// where the import returns one, and ends the call and the instance elsewhere: then the caller of
// the export gets the same exception, or the error. Called on the thread of the call; for a pool,
// on several at once. It may call the instance that called it.
using HostFunction = std::function<Result<Value>(const List &args)>;

namespace detail {

template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

// What a function of the host gave, as the result of a HostFunction.
template <class Code>
Result<Value> result_of(Code &&code) {
  using Given = std::decay_t<decltype(code())>;
  if constexpr (std::is_void_v<Given>) {
    code();
    return Value();
  } else if constexpr (std::is_same_v<Given, Result<void>>) {
    const Given given = code();
    return given ? Result<Value>(Value()) : Result<Value>(given.error());
  } else if constexpr (IsResult<Given>::value) {
    Given given = code();
    return given ? Result<Value>(Value(std::move(*given))) : Result<Value>(given.error());
  } else if constexpr (std::is_convertible_v<Given, const Error &>) {
    return code();
  } else {
    return Value(code());
  }
}

// A function with parameters of C++ types, as a HostFunction.
template <class F, class... Params>
struct Unpacked {
  F function;

  Result<Value> operator()(const List &args) { return call(args, std::index_sequence_for<Params...>()); }

 private:
  template <std::size_t... I>
  Result<Value> call(const List &args, std::index_sequence<I...>) {
    if (args.size() != sizeof...(Params)) {
      return Error(Kind::type_mismatch, "the host function has " + std::to_string(sizeof...(Params)) + " parameters, and the plugin gives " +
                                            std::to_string(args.size()) + " arguments");
    }
    std::tuple<Result<Params>...> made{args[I].template try_as<Params>()...};
    const Error *error = nullptr;
    ((error = error == nullptr && !std::get<I>(made) ? &std::get<I>(made).error() : error), ...);
    return error != nullptr ? Result<Value>(*error) : result_of([&] { return function(std::move(*std::get<I>(made))...); });
  }
};

// What a parameter of a host function is made as.
template <class T>
struct Parameter {
  using Type = std::decay_t<T>;
};
template <>
struct Parameter<std::string_view> {
  using Type = std::string;
};
template <class T>
using ParameterOf = typename Parameter<std::decay_t<T>>::Type;

template <class F, class R, class... P>
HostFunction unpack(F function, R (*)(P...)) {
  if constexpr (std::is_same_v<std::tuple<std::decay_t<P>...>, std::tuple<List>>) {
    return [function = std::move(function)](const List &args) mutable -> Result<Value> { return result_of([&] { return function(args); }); };
  } else {
    return Unpacked<F, ParameterOf<P>...>{std::move(function)};
  }
}

// The signature of what a function object is called with.
template <class C, class R, class... P>
auto signature_of(R (C::*)(P...)) -> R (*)(P...);
template <class C, class R, class... P>
auto signature_of(R (C::*)(P...) const) -> R (*)(P...);
template <class C, class R, class... P>
auto signature_of(R (C::*)(P...) noexcept) -> R (*)(P...);
template <class C, class R, class... P>
auto signature_of(R (C::*)(P...) const noexcept) -> R (*)(P...);

template <class F>
HostFunction host_function(F function) {
  if constexpr (std::is_pointer_v<F>) {
    return unpack(function, function);
  } else {
    return unpack(std::move(function), decltype(signature_of(&F::operator()))(nullptr));
  }
}

template <>
inline HostFunction host_function(HostFunction function) {
  return function;
}

// What undergo.h calls for a HostFunction.
inline undergo_error_t *call_host(void *data, const undergo_value_t *args, undergo_value_t **result) {
  return guarded([&]() -> undergo_error_t * {
    const Value list = from_handle(args);
    const List *given = list.get_if<List>();
    Result<Value> made = (*static_cast<const HostFunction *>(data))(given == nullptr ? List() : *given);
    if (!made) {
      return undergo_error_copy(made.error().get());
    }
    *result = to_handle(*made).release();
    return nullptr;
  });
}

}  // namespace detail

class Instance;

// The functions that a program gives to instances, by the WIT names of their interface and their
// own.
class Imports {
 public:
  // Gives a function: a HostFunction, or any function or lambda whose parameters are of types that
  // `Value::as` gives, and whose result is one that a Value can be made of, or none; or a Result of
  // such, to fail without an exception. What the plugin does not import is left alone.
  template <class F>
  Imports &set(std::string interface, std::string name, F function) {
    auto shared = std::make_shared<HostFunction>(detail::host_function(std::move(function)));
    return add([interface = std::move(interface), name = std::move(name), shared = std::move(shared)](undergo_imports_t *imports) {
      return undergo_imports_set(imports, interface.c_str(), name.c_str(), detail::call_host, new HostFunction(forward_to(shared)),
                                 [](void *data) { delete static_cast<HostFunction *>(data); });
    });
  }

  // Gives the exports of another instance as the functions of an interface: a plugin that calls a
  // plugin. It has to live until the last instance was made with these imports, and is then kept by
  // those. Its types have to be those that the plugin imports; calls in a circle are busy.
  Imports &link(std::string interface, const Instance &instance);

  // Has a function add to the imports as undergo.h has them: for generated headers.
  Imports &add(std::function<undergo_error_t *(undergo_imports_t *)> function) { return steps_.push_back(std::move(function)), *this; }

  using Handle = std::unique_ptr<undergo_imports_t, detail::Deleter<undergo_imports_delete>>;

  // As undergo.h has them.
  Result<Handle> make() const {
    Handle made(undergo_imports_new());
    for (const auto &step : steps_) {
      if (undergo_error_t *error = step(made.get())) {
        return Error(error);
      }
    }
    return made;
  }

 private:
  // Copies of the imports, and all their instances, call one function object.
  static HostFunction forward_to(const std::shared_ptr<HostFunction> &shared) {
    return [shared](const List &args) { return (*shared)(args); };
  }

  std::vector<std::function<undergo_error_t *(undergo_imports_t *)>> steps_;
};

}  // namespace undergo

#endif  // UNDERGO_IMPORTS_HPP
