// Runs the conformance list and the hostile guest by values of C++: the same words as
// programs/driver.c, which says what they mean.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iostream>
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

// What the module host has for one instance.
struct Host {
  const undergo::Instance *instance = nullptr;
  List notes;
};

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
  // The hostile guest's way to itself.
  imports.set("host", "do", [host](const List &args) -> undergo::Result<Value> {
    return host->instance == nullptr ? undergo::Result<Value>("nothing done") : host->instance->try_apply("do", args);
  });
  return imports;
}

struct Guest {
  std::shared_ptr<Host> host;
  std::optional<undergo::Instance> instance;
};

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

void call(const Guest &guest, const std::string &name, std::uint64_t timeout) {
  List args;
  for (auto count = number(); count > 0; count--) {
    args.push_back(read_value());
  }
  if (!guest.instance.has_value()) {
    fail("there is no instance");
  }
  guest.host->instance = &*guest.instance;
  undergo::CallOptions options;
  if (timeout != 0) {
    options.timeout(undergo::Duration(timeout));
  }
  try {
    const Value result = guest.instance->with(options).apply(name, args);
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

void run(const char *file) {
  const undergo::Plugin plugin(file);
  plugin.wait_compiled();
  Guest guest;
  Guest bystander;
  std::string verb;
  while (std::cin >> verb) {
    if (verb == "new") {
      guest = Guest();
      guest = begin(plugin);
    } else if (verb == "keep") {
      bystander = std::move(guest);
      guest = Guest();
    } else if (verb == "call") {
      const std::string name = text();
      call(guest, name, number());
    } else if (verb == "other") {
      call(bystander, text(), 0);
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
