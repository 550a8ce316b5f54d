// Between values of C++ and those of undergo.h.

#ifndef UNDERGO_HANDLES_HPP
#define UNDERGO_HANDLES_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "value.hpp"

namespace undergo {
namespace detail {

// Frees a handle by its function of undergo.h.
template <auto function>
struct Deleter {
  template <class T>
  void operator()(T *handle) const noexcept {
    function(handle);
  }
};

using ValueHandle = std::unique_ptr<undergo_value_t, Deleter<undergo_value_delete>>;

inline std::string_view view(undergo_string_t text) noexcept {
  return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

// An error here would be a mistake of this header: it adds to lists, maps and records alone.
inline void added(undergo_error_t *error) noexcept { undergo_error_delete(error); }

// What an iterator or a stream of a guest's is for other functions. Null for none.
inline undergo_object_t *passed_on(const undergo_handle_t *handle) {
  undergo_object_t *object = nullptr;
  added(undergo_handle_as_object(handle, &object));
  return object;
}

// Makes a value of undergo.h.
inline ValueHandle to_handle(const Value &value);

struct ToHandle {
  undergo_value_t *operator()(None) const { return undergo_value_none(); }
  undergo_value_t *operator()(bool value) const { return undergo_value_bool(value); }
  undergo_value_t *operator()(std::int64_t value) const { return undergo_value_int(value); }
  undergo_value_t *operator()(std::uint64_t value) const { return undergo_value_uint(value); }
  undergo_value_t *operator()(double value) const { return undergo_value_float(value); }
  undergo_value_t *operator()(const std::string &value) const { return undergo_value_string_n(value.data(), value.size()); }
  undergo_value_t *operator()(const Bytes &value) const { return undergo_value_bytes(value.data(), value.size()); }
  undergo_value_t *operator()(const Json &value) const { return undergo_value_json(value.text.data(), value.text.size()); }
  undergo_value_t *operator()(Duration value) const { return undergo_value_duration(value.count()); }
  undergo_value_t *operator()(const Time &value) const {
    return undergo_value_time(undergo_time_t{value.seconds, value.nanoseconds, value.offset});
  }
  undergo_value_t *operator()(const List &value) const {
    ValueHandle list(undergo_value_list());
    for (const Value &item : value) {
      added(undergo_value_push(list.get(), to_handle(item).release()));
    }
    return list.release();
  }
  undergo_value_t *operator()(const Map &value) const {
    ValueHandle map(undergo_value_map());
    for (const auto &[key, item] : value) {
      ValueHandle made_key = to_handle(key);
      ValueHandle made = to_handle(item);
      added(undergo_value_put(map.get(), made_key.release(), made.release()));
    }
    return map.release();
  }
  undergo_value_t *operator()(const Record &value) const {
    ValueHandle record(undergo_value_record());
    for (const auto &[name, item] : value) {
      added(undergo_value_set(record.get(), name.c_str(), to_handle(item).release()));
    }
    return record.release();
  }
  undergo_value_t *operator()(const Case &value) const {
    const Value *inner = value.value();
    return undergo_value_variant(value.name().c_str(), inner == nullptr ? nullptr : to_handle(*inner).release());
  }
  undergo_value_t *operator()(const Ref &value) const {
    return value.shape() == UNDERGO_SHAPE_OBJECT ? undergo_value_handle(value.get())
                                                 : undergo_value_object(Object(passed_on(value.get())).get());
  }
  undergo_value_t *operator()(const Object &value) const { return undergo_value_object(value.get()); }
};

inline ValueHandle to_handle(const Value &value) { return ValueHandle(std::visit(ToHandle(), value.content())); }

// What has given a value: its objects are that instance's.
struct Giver {
  const undergo_instance_t *instance = nullptr;
  const undergo_handle_t *object = nullptr;

  undergo_handle_t *take(const undergo_value_t *value) const noexcept {
    undergo_handle_t *handle = nullptr;
    if (!undergo_value_get_handle(value, instance, &handle)) {
      undergo_value_get_handle_of(value, object, &handle);
    }
    return handle;
  }
};

// Reads a value of undergo.h; none for NULL.
inline Value from_handle(const undergo_value_t *value, const Giver &giver = Giver()) {
  bool truth = false;
  std::int64_t small = 0;
  std::uint64_t large = 0;
  double real = 0;
  undergo_string_t text{};
  undergo_bytes_t bytes{};
  undergo_time_t time{};
  switch (undergo_value_kind(value)) {
    case UNDERGO_VALUE_NONE: break;
    case UNDERGO_VALUE_BOOL: undergo_value_get_bool(value, &truth); return truth;
    case UNDERGO_VALUE_INT: undergo_value_get_int(value, &small); return small;
    case UNDERGO_VALUE_UINT: undergo_value_get_uint(value, &large); return large;
    case UNDERGO_VALUE_FLOAT: undergo_value_get_float(value, &real); return real;
    case UNDERGO_VALUE_STRING: undergo_value_get_string(value, &text); return view(text);
    case UNDERGO_VALUE_BYTES:
      undergo_value_get_bytes(value, &bytes);
      return bytes.len == 0 ? Bytes() : Bytes(bytes.ptr, bytes.ptr + bytes.len);
    case UNDERGO_VALUE_JSON: undergo_value_get_string(value, &text); return Json{std::string(view(text))};
    case UNDERGO_VALUE_DURATION: undergo_value_get_duration(value, &small); return Duration(small);
    case UNDERGO_VALUE_TIME: undergo_value_get_time(value, &time); return Time(time.seconds, time.nanoseconds, time.offset);
    case UNDERGO_VALUE_LIST: {
      List list;
      list.reserve(undergo_value_len(value));
      for (std::size_t i = 0; i < undergo_value_len(value); i++) {
        list.push_back(from_handle(undergo_value_at(value, i), giver));
      }
      return list;
    }
    case UNDERGO_VALUE_MAP: {
      Map map;
      for (std::size_t i = 0; i < undergo_value_len(value); i++) {
        map.emplace_back(from_handle(undergo_value_key_at(value, i), giver), from_handle(undergo_value_at(value, i), giver));
      }
      return map;
    }
    case UNDERGO_VALUE_RECORD: {
      Record record;
      for (std::size_t i = 0; i < undergo_value_len(value); i++) {
        undergo_value_name_at(value, i, &text);
        record.emplace_back(std::string(view(text)), from_handle(undergo_value_at(value, i), giver));
      }
      return record;
    }
    case UNDERGO_VALUE_VARIANT: {
      undergo_value_get_variant(value, &text);
      const undergo_value_t *inner = undergo_value_at(value, 0);
      return inner == nullptr ? Case(std::string(view(text))) : Case(std::string(view(text)), from_handle(inner, giver));
    }
    case UNDERGO_VALUE_HANDLE:
      if (undergo_handle_t *handle = giver.take(value)) {
        return Ref(handle);
      }
      break;
    case UNDERGO_VALUE_OBJECT: {
      undergo_object_t *object = nullptr;
      if (undergo_value_get_object(value, &object)) {
        return Object(object);
      }
      break;
    }
  }
  return None();
}

// Arguments as undergo.h has them.
class Arguments {
 public:
  explicit Arguments(const List &args) {
    for (const Value &arg : args) {
      handles_.push_back(to_handle(arg));
      pointers_.push_back(handles_.back().get());
    }
  }

  const undergo_value_t *const *data() const noexcept { return pointers_.data(); }
  std::size_t size() const noexcept { return pointers_.size(); }

 private:
  std::vector<ValueHandle> handles_;
  std::vector<const undergo_value_t *> pointers_;
};

// What a function of undergo.h gave, which is freed.
inline Result<Value> result(undergo_error_t *error, undergo_value_t *value, const Giver &giver) {
  const ValueHandle owner(value);
  return error == nullptr ? Result<Value>(from_handle(value, giver)) : Result<Value>(Error(error));
}

// The bytes that undergo.h gave, which are freed.
inline std::string take_bytes(undergo_value_t *value) {
  const ValueHandle handle(value);
  undergo_bytes_t bytes{};
  const bool found = undergo_value_get_bytes(handle.get(), &bytes) && bytes.len > 0;
  return found ? std::string(reinterpret_cast<const char *>(bytes.ptr), bytes.len) : std::string();
}

// The strings of a list that undergo.h gave, which is freed.
inline std::vector<std::string> take_texts(undergo_value_t *value) {
  const ValueHandle handle(value);
  std::vector<std::string> texts;
  undergo_string_t text{};
  for (std::size_t i = 0; undergo_value_get_string(undergo_value_at(handle.get(), i), &text); i++) {
    texts.emplace_back(text.ptr, text.len);
  }
  return texts;
}

}  // namespace detail

inline Result<Value> Ref::try_apply(const std::string &name, const List &args) const {
  const detail::Arguments given(args);
  undergo_value_t *value = nullptr;
  undergo_error_t *error = undergo_handle_call(get(), name.c_str(), given.data(), given.size(), nullptr, &value);
  return detail::result(error, value, {nullptr, get()});
}

template <class... Args>
Result<Value> Ref::try_call(const std::string &name, Args &&...args) const {
  return try_apply(name, List{Value(std::forward<Args>(args))...});
}

#if UNDERGO_EXCEPTIONS
template <class... Args>
Value Ref::call(const std::string &name, Args &&...args) const {
  return try_call(name, std::forward<Args>(args)...).value();
}
#endif

// One of the errors of which an error consists.
struct ChainedError {
  // What it says.
  std::string text;
  // The WIT name of its type; empty for one without fields.
  std::string name;
  // Its fields: a record, or none.
  Value fields;
};

inline Error::Error(const std::string &message, const std::string &name, const Value &fields) : Error([&] {
  const detail::ValueHandle made = detail::to_handle(fields);
  undergo_chained_t own{};
  own.name = name.c_str();
  own.value = made.get();
  return undergo_error_with_chain(undergo_error_new(message.c_str()), &own, 1);
}()) {}

inline std::vector<ChainedError> Error::chain() const {
  std::vector<ChainedError> chain;
  undergo_chained_t found{};
  for (std::size_t i = 0; undergo_error_chained(error_.get(), i, &found); i++) {
    chain.push_back({std::string(detail::view(found.text)), found.name == nullptr ? "" : found.name, detail::from_handle(found.value)});
  }
  return chain;
}

}  // namespace undergo

#endif  // UNDERGO_HANDLES_HPP
