// Runs the conformance list and the hostile guest by values of C++: the same words as
// programs/driver.c, which says what they mean.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <undergo.hpp>

using undergo::List;
using undergo::Map;
using undergo::Record;
using undergo::Value;

namespace {

// Texts by their keys.
using Texts = std::map<std::string, std::string>;

// What the module host has for one instance.
struct Host {
  const undergo::Instance *instance = nullptr;
  List notes;
  std::shared_ptr<Texts> store = std::make_shared<Texts>();
};

// What a writer has collected, by its name.
struct Collected {
  std::string bytes;
  std::size_t most = 0;
};

// An object, an iterator or a stream of the guest's, which is read and written by streams of C++.
struct Kept {
  explicit Kept(undergo::Ref given) : ref(std::move(given)), items(ref) {
    if (ref.shape() == UNDERGO_SHAPE_READER) {
      input = std::make_unique<undergo::InputStream>(ref);
    }
    if (ref.shape() == UNDERGO_SHAPE_WRITER) {
      output = std::make_unique<undergo::OutputStream>(ref);
    }
  }

  undergo::Ref ref;
  undergo::Items items;
  std::unique_ptr<undergo::InputStream> input;
  std::unique_ptr<undergo::OutputStream> output;
};

struct Guest {
  std::shared_ptr<Host> host;
  std::optional<undergo::Instance> instance;
};

Guest guests[2];
std::size_t selected = 0;
std::vector<std::unique_ptr<Kept>> handles;
std::map<std::string, std::shared_ptr<Collected>> collections;

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "driver: %s\n", what);
  std::exit(3);
}

std::string word() {
  std::string found;
  if (!(std::cin >> found)) {
    fail("a word is missing");
  }
  return found;
}

std::uint64_t number() { return std::stoull(word()); }

std::string unhex(const std::string &digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string text() { return unhex(word().substr(1)); }

void hex(char letter, std::string_view bytes) {
  std::printf(" %c", letter);
  for (const char byte : bytes) {
    std::printf("%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  }
}

const Kept &handle_at(std::uint64_t number) {
  if (number >= handles.size() || handles[number] == nullptr) {
    fail("there is no such handle");
  }
  return *handles[number];
}

undergo::Object store_object(const std::shared_ptr<Texts> &store) {
  using undergo::Method;
  // In another order than the plugin has them.
  return undergo::object(
      Method("size", [store] { return store->size(); }),
      Method("get",
             [store](const std::string &key) {
               const auto found = store->find(key);
               return found == store->end() ? undergo::Result<std::string>(undergo::Error("no such key: " + key)) : found->second;
             }),
      Method("put", [store](const std::string &key, const std::string &value) { (*store)[key] = value; }),
      Method("child", [](const std::string &name) { return store_object(std::make_shared<Texts>(Texts{{"name", name}})); }));
}

undergo::Result<Value> open_store(const std::string &name) {
  return name.empty() ? undergo::Result<Value>(undergo::Error("no name")) : Value(store_object(std::make_shared<Texts>(Texts{{"name", name}})));
}

Value callback(const std::string &name) {
  const std::shared_ptr<Host> host = guests[selected].host;
  if (name == "double") {
    return [](std::int64_t n) { return 2 * n; };
  }
  if (name == "fail") {
    return [](const List &) -> Value { throw std::runtime_error("the callback failed"); };
  }
  if (name == "reenter") {
    return [host](std::int64_t n) { return host->instance->call("echo-int64", n); };
  }
  if (name == "apply-reenter") {
    return [host](std::int64_t n) { return *host->instance->call("apply", List{n}, callback("double")).at(0); };
  }
  if (name == "note") {
    return [host](const std::string &note) { host->notes.push_back(note); };
  }
  if (name == "open-store") {
    return open_store;
  }
  if (name == "wrong-type") {
    return [] { return "not a number"; };
  }
  fail("there is no such callback");
}

// A list as a range, and how it goes on behind it: e begins again, f fails.
struct Range {
  List list;
  char then;

  struct iterator {
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = const Value *;
    using reference = const Value &;

    const Range *of;
    std::size_t at;

    const Value &operator*() const { return of->list[of->then == 'e' ? 0 : at]; }
    iterator &operator++() {
      at++;
      if (at == of->list.size() && of->then == 'f') {
        throw std::runtime_error("no more items");
      }
      return *this;
    }
    friend bool operator==(const iterator &a, const iterator &b) { return a.of->then != 'e' && a.at == b.at; }
    friend bool operator!=(const iterator &a, const iterator &b) { return !(a == b); }
  };

  iterator begin() const {
    if (list.empty() && then == 'f') {
      throw std::runtime_error("no more items");
    }
    return {this, 0};
  }
  iterator end() const { return {this, list.size()}; }
};

Value read_value();

Value items() {
  const char then = word()[0];
  const Value list = read_value();
  return undergo::Iterable(Range{*list.get_if<List>(), then});
}

Value reader(const std::string &digits) {
  const char then = word()[0];
  return undergo::Source([bytes = unhex(digits), then, at = std::size_t(0)](char *buffer, std::size_t most) mutable -> undergo::Result<std::size_t> {
    at = at == bytes.size() && then == 'e' ? 0 : at;
    if (at == bytes.size() && then == 'f') {
      return undergo::Error("broken reader");
    }
    const std::size_t length = bytes.copy(buffer, most, at);
    at += length;
    return length;
  });
}

Value writer() {
  auto made = std::make_shared<Collected>();
  collections[text()] = made;
  made->most = number();
  return undergo::Sink([made](std::string_view data) -> undergo::Result<void> {
    if (made->most != 0 && made->bytes.size() + data.size() > made->most) {
      return undergo::Error("broken writer");
    }
    made->bytes += data;
    return undergo::Result<void>();
  });
}

Value read_value() {
  const std::string found = word();
  const std::string rest = found.substr(1);
  switch (found[0]) {
    case 'n': return undergo::None();
    case 't': return true;
    case 'f': return false;
    case 'i': return std::stoll(rest);
    case 'u': return std::stoull(rest);
    case 'd': return std::strtod(rest.c_str(), nullptr);
    case 'D': return undergo::Duration(std::stoll(rest));
    case 's': return unhex(rest);
    case 'j': return undergo::Json{unhex(rest)};
    case 'b': {
      const std::string bytes = unhex(rest);
      return undergo::Bytes(bytes.begin(), bytes.end());
    }
    case 'T': {
      const auto nanoseconds = static_cast<std::uint32_t>(number());
      return undergo::Time(std::stoll(rest), nanoseconds, std::stoi(word()));
    }
    case 'L': {
      List list;
      for (auto count = std::stoull(rest); count > 0; count--) {
        list.push_back(read_value());
      }
      return list;
    }
    case 'M': {
      Map map;
      for (auto count = std::stoull(rest); count > 0; count--) {
        Value key = read_value();
        map.emplace_back(std::move(key), read_value());
      }
      return map;
    }
    case 'R': {
      Record record;
      for (auto count = std::stoull(rest); count > 0; count--) {
        std::string name = text();
        record.emplace_back(std::move(name), read_value());
      }
      return record;
    }
    case 'V': {
      std::string name = text();
      return rest == "1" ? undergo::Case(std::move(name), read_value()) : undergo::Case(std::move(name));
    }
    case 'h': return handle_at(std::stoull(rest)).ref;
    case 'c': return callback(unhex(rest));
    case 'o': return store_object(guests[selected].host->store);
    case 'I': return items();
    case 'r': return reader(rest);
    case 'w': return writer();
    default: fail("that is no value");
  }
}

void write_value(const Value &value);

struct Writer {
  void operator()(undergo::None) const { std::printf(" n"); }
  void operator()(bool value) const { std::printf(value ? " t" : " f"); }
  void operator()(std::int64_t value) const { std::printf(" i%" PRId64, value); }
  void operator()(std::uint64_t value) const { std::printf(" i%" PRIu64, value); }
  void operator()(double value) const { std::printf(" d%a", value); }
  void operator()(const std::string &value) const { hex('s', value); }
  void operator()(const undergo::Json &value) const { hex('j', value.text); }
  void operator()(const undergo::Bytes &value) const { hex('b', std::string(value.begin(), value.end())); }
  void operator()(undergo::Duration value) const { std::printf(" D%" PRId64, static_cast<std::int64_t>(value.count())); }
  void operator()(const undergo::Time &value) const {
    std::printf(" T%" PRId64 " %" PRIu32 " %" PRId32, value.seconds, value.nanoseconds, value.offset);
  }
  void operator()(const List &value) const {
    std::printf(" L%zu", value.size());
    for (const Value &item : value) {
      write_value(item);
    }
  }
  void operator()(const Map &value) const {
    std::printf(" M%zu", value.size());
    for (const auto &[key, item] : value) {
      write_value(key);
      write_value(item);
    }
  }
  void operator()(const Record &value) const {
    std::printf(" R%zu", value.size());
    for (const auto &[name, item] : value) {
      hex('s', name);
      write_value(item);
    }
  }
  void operator()(const undergo::Case &value) const {
    const Value *inner = value.value();
    std::printf(" V%d", inner == nullptr ? 0 : 1);
    hex('s', value.name());
    if (inner != nullptr) {
      write_value(*inner);
    }
  }
  void operator()(const undergo::Ref &value) const {
    std::printf(" h%zu", handles.size());
    handles.push_back(std::make_unique<Kept>(value));
  }
  void operator()(const undergo::Object &) const { fail("objects of the host stay there"); }
};

void write_value(const Value &value) { std::visit(Writer(), value.content()); }

void write_error(const undergo::Error &error) {
  const std::string kind(undergo::name(error.kind()));
  std::printf("error %s", kind.c_str());
  hex('s', error.path());
  hex('s', error.message());
  const std::optional<int> code = error.exit_code();
  std::printf(code.has_value() ? " %d" : " -", code.value_or(0));
  const std::vector<undergo::ChainedError> chain = error.chain();
  std::printf(" %zu", chain.size());
  for (const undergo::ChainedError &one : chain) {
    hex('s', one.text);
    hex('s', one.name);
    write_value(one.fields);
  }
  for (const undergo::Frame &frame : error.frames()) {
    if (!frame.is_runtime) {
      hex('s', frame.function);
      hex('s', frame.file);
      std::printf(" %" PRIu32, frame.line);
      break;
    }
  }
}

undergo::Imports functions(const std::shared_ptr<Host> &host) {
  undergo::Imports imports;
  for (const char *name : {"echo-string", "echo-bytes", "echo-int", "echo-strings", "echo-floats", "echo-person", "echo-maybe", "echo-color",
                           "echo-counts", "echo-time", "echo-duration", "echo-json", "echo-raw", "echo-shape", "echo"}) {
    imports.set("host", name, [](const Value &value) { return value; });
  }
  imports.set("host", "many", [](std::int8_t a, std::uint16_t b, std::int32_t c, std::int64_t d, double e, bool f, const std::string &g,
                                 const std::string &h, const std::string &i, const std::string &j, const std::string &k, std::string_view l) {
    char half[40];
    std::snprintf(half, sizeof half, "%g", e);
    return std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(c) + " " + std::to_string(d) + " " + half + " " +
           (f ? "true " : "false ") + g + "|" + h + "|" + i + "|" + j + "|" + k + "|" + std::string(l);
  });
  imports.set("host", "bundle", [](const List &args) { return args; });
  imports.set("host", "divmod", [](std::int64_t a, std::int64_t b) { return List{a / b, a % b}; });
  imports.set("host", "note", [host](const std::string &note) { host->notes.push_back(note); });
  imports.set("host", "notes", [host]() { return std::exchange(host->notes, List()); });
  imports.set("host", "fail", [](const List &args) -> Value {
    throw std::runtime_error(args.empty() ? "refused by the host" : args[0].as<std::string>());
  });
  imports.set("host", "check", [](const std::string &message) { return message.empty() ? undergo::Result<void>() : undergo::Error(message); });
  // Fails with an error of the plugin's, in another one.
  imports.set("host", "lookup", [](const std::string &key) -> undergo::Result<Value> {
    if (key.empty()) {
      return Value("");
    }
    const std::string inner = "not found: " + key;
    const undergo::Value fields = Record{{"key", key}, {"code", 404}};
    return undergo::Error("looking up: " + inner, undergo::Error(inner, "not-found", fields));
  });
  imports.set("host", "crash", [](const std::string &message) { throw std::runtime_error(message); });
  imports.set("host", "wrong-type", [] { return "not a number"; });
  imports.set("host", "wrong-result", [] { return "not a list"; });
  imports.set("host", "reenter", [host](std::int32_t depth) { return host->instance->call("reenter", depth - 1).as<std::int32_t>() + 1; });
  imports.set("host", "open-store", open_store);
  // The hostile guest's way to itself.
  imports.set("host", "do", [host](const List &args) -> undergo::Result<Value> {
    return host->instance == nullptr ? undergo::Result<Value>("nothing done") : host->instance->try_apply("do", args);
  });
  return imports;
}

Guest begin(const undergo::Plugin &plugin) {
  undergo::Options options;
  options.limits().memory(number());
  const std::uint64_t timeout = number();
  options.limits().handles(static_cast<std::uint32_t>(number()));
  if (timeout != 0) {
    options.limits().timeout(undergo::Duration(timeout));
  }
  options.sandbox().stdout_discard().stderr_discard();
  for (auto count = number(); count > 0; count--) {
    options.sandbox().arg(text());
  }
  for (auto count = number(); count > 0; count--) {
    std::string name = text();
    options.sandbox().env(std::move(name), text());
  }
  Guest guest{std::make_shared<Host>(), std::nullopt};
  options.imports(functions(guest.host));
  undergo::Result<undergo::Instance> made = plugin.try_instantiate(options);
  if (made) {
    std::printf("made");
    guest.instance.emplace(std::move(*made));
  } else {
    write_error(made.error());
  }
  return guest;
}

List read_values() {
  List values;
  for (auto count = number(); count > 0; count--) {
    values.push_back(read_value());
  }
  return values;
}

// Writes what the code gives, or how it fails.
template <class Code>
void answer(Code &&code) {
  try {
    const Value result = code();
    std::printf("value");
    write_value(result);
  } catch (const undergo::Error &error) {
    write_error(error);
  } catch (const std::runtime_error &error) {
    // Thrown by a host function, and here as it was.
    std::printf("error host-error");
    hex('s', "");
    hex('s', error.what());
    std::printf(" - 0");
  }
}

undergo::View view(const Guest &guest, std::uint64_t timeout) {
  if (!guest.instance.has_value()) {
    fail("there is no instance");
  }
  guest.host->instance = &*guest.instance;
  undergo::CallOptions options;
  if (timeout != 0) {
    options.timeout(undergo::Duration(timeout));
  }
  return guest.instance->with(options);
}

void call(const Guest &guest, const std::string &name, std::uint64_t timeout) {
  const List args = read_values();
  const undergo::View on = view(guest, timeout);
  answer([&] { return on.apply(name, args); });
}

void construct(const Guest &guest) {
  const std::string name = text();
  const undergo::View on = view(guest, number());
  const List args = read_values();
  answer([&]() -> Value {
    switch (args.size()) {
      case 0: return on.construct(name);
      case 1: return on.construct(name, args[0]);
      default: return on.construct(name, args[0], args[1]);
    }
  });
}

void method(const Kept &kept) {
  const std::string name = text();
  number();
  const List args = read_values();
  answer([&] { return kept.ref.try_apply(name, args).value(); });
}

void next(const Kept &kept) {
  const undergo::Result<std::optional<Value>> item = kept.items.try_next();
  if (item && !item->has_value()) {
    std::printf("end");
  } else {
    answer([&] { return *item.value(); });
  }
}

// What went wrong with a stream, if anything did.
template <class Stream>
void check(const Stream &stream) {
  if (stream.bad()) {
    throw *stream.error();
  }
}

Value read_stream(const Kept &kept, std::size_t most) {
  undergo::Bytes bytes(most);
  kept.input->read(reinterpret_cast<char *>(bytes.data()), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(kept.input->gcount()));
  if (bytes.empty()) {
    check(*kept.input);
  }
  return bytes;
}

void verb_of_handle(const std::string &verb, const Kept &kept) {
  if (verb == "method") {
    method(kept);
  } else if (verb == "next") {
    next(kept);
  } else if (verb == "read") {
    const std::size_t most = number();
    answer([&] { return read_stream(kept, most); });
  } else if (verb == "write") {
    const std::string bytes = unhex(word().substr(1));
    answer([&] {
      *kept.output << bytes << std::flush;
      check(*kept.output);
      return Value();
    });
  } else {
    answer([&] { return kept.ref.close(), Value(); });
  }
}

void run(const char *file) {
  const undergo::Plugin plugin(file);
  plugin.wait_compiled();
  Guest bystander;
  std::string verb;
  while (std::cin >> verb) {
    Guest &guest = guests[selected];
    if (verb == "new") {
      guest = Guest();
      guest = begin(plugin);
    } else if (verb == "select") {
      selected = number();
      std::printf("selected");
    } else if (verb == "keep") {
      bystander = std::move(guest);
      guest = Guest();
    } else if (verb == "call") {
      const std::string name = text();
      call(guest, name, number());
    } else if (verb == "other") {
      call(bystander, text(), 0);
    } else if (verb == "construct") {
      construct(guest);
    } else if (verb == "method" || verb == "next" || verb == "read" || verb == "write" || verb == "close") {
      verb_of_handle(verb, handle_at(number()));
    } else if (verb == "free") {
      const std::uint64_t at = number();
      handle_at(at);
      handles[at] = nullptr;
      std::printf("freed");
    } else if (verb == "written") {
      const std::string &bytes = collections.at(text())->bytes;
      answer([&]() -> Value { return undergo::Bytes(bytes.begin(), bytes.end()); });
    } else if (verb == "reset") {
      answer([&] { return guest.instance->reset(), Value(); });
    } else if (verb == "alive") {
      std::printf(guest.instance.has_value() && guest.instance->alive() ? "yes" : "no");
    } else if (verb == "signature" || verb == "exports") {
      const std::string name = verb == "exports" ? "" : text();
      for (const undergo::Function &function : plugin.exports()) {
        if (name.empty()) {
          std::printf("%s ", function.name.c_str());
        } else if (function.name == name) {
          std::printf("%s", function.signature.c_str());
        }
      }
    } else {
      fail("that is no verb");
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  handles.clear();
  guests[0] = Guest();
  guests[1] = Guest();
  collections.clear();
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    fail("usage: driver PLUGIN");
  }
  try {
    run(argv[1]);
  } catch (const std::exception &error) {
    fail(error.what());
  }
  return 0;
}
