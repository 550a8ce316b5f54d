// Calls the greeter by values: there and back, and what goes wrong. The other examples have
// generated headers, which know the types.
//
// Usage: main greeter.wasm

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <undergo.hpp>

using namespace std::chrono_literals;
using undergo::List;
using undergo::Record;

using Tags = std::vector<std::string>;

// Gives a person's tags; the plugin calls this. An exception reaches Go as an error, where the Go
// function has one among its results.
static Tags lookup(const std::string &name) {
  static const std::map<std::string, Tags> directory{{"Ada", {"mathematics", "engines"}}, {"Grace", {}}};
  const auto found = directory.find(name);
  if (found == directory.end()) {
    throw std::out_of_range(name + " is not in the directory");
  }
  return found->second;
}

static void run(const char *file) {
  const undergo::Plugin plugin(file);
  undergo::Options options;
  options.imports().set("directory", "lookup", lookup);
  options.limits().memory(64 * undergo::MiB).timeout(5s);
  undergo::Instance greeter = plugin.instantiate(options);

  // What the plugin has, with the comments of its Go source.
  const std::vector<undergo::Function> exports = plugin.exports();
  std::cout << "exports: " << exports.at(0).name << ", " << exports.at(1).name << "\n" << exports.at(0).docs << "\n\n";

  // A record is made of its fields, and what is optional may be left out.
  const Record ada{{"name", "Ada"}, {"tags", List{}}};
  const Record grace{{"name", "Grace"}, {"email", "grace@example.com"}, {"tags", List{"compilers"}}};
  std::cout << greeter.call("greet", ada, false).as<std::string>() << "\n";
  std::cout << greeter.call("greet", grace, true).as<std::string>() << "\n\n";

  // An error that the Go function returns, and the host function's.
  const Record unnamed{{"name", ""}, {"tags", List{}}};
  const Record nobody{{"name", "Nobody"}, {"tags", List{}}};
  for (const Record &person : {unnamed, nobody}) {
    try {
      greeter.call("greet", person, false);
    } catch (const undergo::GuestError &error) {
      std::cout << undergo::name(error.kind()) << ": " << error.message() << "\n";
    }
  }

  // A value that does not fit: the path says which.
  try {
    greeter.call("greet", Record{{"name", "Ada"}, {"tags", List{"a", "b", 3}}}, false);
  } catch (const undergo::TypeMismatchError &error) {
    std::cout << undergo::name(error.kind()) << ": at " << error.path() << "\n";
  }

  // A name that is misspelt. Who wants no exceptions asks for a result.
  const undergo::Result<undergo::Value> great = greeter.try_call("great", grace, false);
  std::cout << undergo::name(great.error().kind()) << ": " << great.error().message() << "\n";

  // The instance has lived through all of these. A panic ends it.
  std::cout << (greeter.alive() ? "alive" : "ended") << "\n";
  try {
    greeter.call("initial", unnamed);
  } catch (const undergo::PanicError &error) {
    std::cout << undergo::name(error.kind()) << ": " << error.message() << "\nin " << error.origin()->function << "\n";
  }
  std::cout << (greeter.alive() ? "alive" : "ended") << "\n";

  // The plugin itself is as good as ever, and a new instance is quickly made.
  greeter = plugin.instantiate(options);
  std::cout << greeter.call("initial", grace).as<std::string>() << "\n";
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " greeter.wasm\n";
    return 2;
  }
  try {
    run(argv[1]);
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
