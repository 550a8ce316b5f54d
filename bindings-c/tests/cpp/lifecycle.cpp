// Plugins, instances and pools as objects: what they offer besides calls.

#include <cstdio>
#include <fstream>
#include <thread>

#include <undergo.hpp>

#include "check.hpp"

using namespace std::chrono_literals;
using undergo::List;

namespace {

undergo::Options hosts(const undergo::Plugin &plugin) {
  undergo::Options options;
  for (const undergo::Function &import : plugin.imports()) {
    options.imports().set(import.interface, import.name, [](const List &args) { return args.empty() ? undergo::Value() : args[0]; });
  }
  return options;
}

void plugins_tell_what_they_are(const undergo::Plugin &plugin) {
  CHECK(plugin.name() == "conformance.wasm" && plugin.kind() == "reactor" && plugin.go_version()->rfind("go1.", 0) == 0);
  CHECK(plugin.interface()->find("export echo-string: func(s: string) -> string") != std::string::npos);
  bool found = false;
  for (const undergo::Function &function : plugin.exports()) {
    found = found || (function.name == "divmod" && function.signature == "divmod(a: s64, b: s64) -> tuple<s64, s64>" &&
                      function.docs == "Divmod divides a by b." && function.interface.empty());
  }
  CHECK(found && plugin.exports().size() > 100 && plugin.imports().at(0).interface == "host");
  plugin.wait_compiled();
  CHECK(plugin.is_best() && std::string_view(undergo::version()).size() >= 5);
}

void plugins_are_loaded_from_bytes_and_options(const char *file, const std::string &folder) {
  std::ifstream stream(file, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const undergo::Bytes bytes(content.begin(), content.end());
  const auto options = undergo::PluginOptions().compile(undergo::Compile::fast).no_cache();
  const undergo::Plugin fast = undergo::Plugin::from_bytes(bytes, "mine.wasm", options);
  CHECK(fast.name() == "mine.wasm" && !fast.is_best() && fast.diagnostics().empty());
  // A folder that can't be made is no reason to fail.
  const auto odd = undergo::PluginOptions().compile(undergo::Compile::fast).cache(folder + "/none\x01/" + std::string(300, 'x'));
  const undergo::Plugin told(file, odd);
  CHECK(!told.diagnostics().empty());
}

template <class Failure>
void loading_fails(const char *file, const undergo::PluginOptions &options, const std::string &part) {
  try {
    const undergo::Plugin plugin(file, options);
    CHECK(false);
  } catch (const Failure &failure) {
    CHECK(std::string(failure.what()).find(part) != std::string::npos);
  }
}

void loading_ends(const char *file) {
  const undergo::CancelToken token;
  token.cancel();
  const auto options = undergo::PluginOptions().compile(undergo::Compile::fast).no_cache().bounds(2);
  loading_fails<undergo::TimeoutError>(file, undergo::PluginOptions(options).timeout(std::chrono::nanoseconds(1)), "");
  loading_fails<undergo::CancelledError>(file, undergo::PluginOptions(options).cancel(token), "cancelled");
  loading_fails<undergo::InvalidPluginError>(file, undergo::PluginOptions(options).compiler("/nowhere/undergo"), "can't be started");
  const undergo::Plugin plugin(file, undergo::PluginOptions(options).timeout(std::chrono::minutes(5)));
  const undergo::Plugin as_it_is(file, undergo::PluginOptions(options).no_optimize());
}

void handles_move(const undergo::Plugin &plugin) {
  static_assert(!std::is_copy_constructible_v<undergo::Plugin> && std::is_nothrow_move_constructible_v<undergo::Plugin>);
  static_assert(!std::is_copy_constructible_v<undergo::Instance> && std::is_nothrow_move_assignable_v<undergo::Instance>);
  static_assert(!std::is_copy_constructible_v<undergo::Pool> && std::is_nothrow_move_constructible_v<undergo::Pool>);
  undergo::Instance one = plugin.instantiate(hosts(plugin));
  const undergo::View view = one.with(10s);
  one.call("counter");
  undergo::Instance two = std::move(one);
  // The instance itself has stayed where it was, and so have views of it.
  CHECK(two.call("counter").as<int>() == 2 && view.call("counter").as<int>() == 3);
  two = plugin.instantiate(hosts(plugin));
  CHECK(two.call("counter").as<int>() == 1);
  std::optional<undergo::Plugin> copy(two.plugin());
  undergo::Instance three = copy->instantiate(hosts(*copy));
  copy.reset();
  CHECK(three.call("echo-string", "alive").as<std::string>() == "alive");
}

void instances_have_state(const undergo::Plugin &plugin) {
  auto options = hosts(plugin);
  options.limits().memory(128 * undergo::MiB).fuel(1'000'000'000);
  // Code that counts fuel is compiled once it is wanted.
  plugin.instantiate(options);
  plugin.wait_compiled();
  const undergo::Instance instance = plugin.instantiate(options);
  CHECK(instance.alive() && !instance.end().has_value() && instance.is_best());
  instance.call("counter");
  const undergo::Usage usage = instance.usage();
  CHECK(usage.time > 0ns && usage.memory > 0 && usage.fuel.value() > 0);
  CHECK(!plugin.instantiate(hosts(plugin)).usage().fuel.has_value());
  instance.reset(5s);
  CHECK(instance.call("counter").as<int>() == 1);
  instance.call("start-background");
  const int before = instance.call("background").as<int>();
  for (int i = 0; i < 20; i++) {
    instance.poll();
  }
  CHECK(instance.call("background").as<int>() > before);

  const undergo::Memory memory = instance.memory();
  CHECK(memory.size() == instance.usage().memory);
  const std::string some = memory.read(4096, 16);
  memory.write(4096, some);
  CHECK(some.size() == 16 && memory.read(4096, 16) == some && memory.read(0, 0).empty());
  THROWS(memory.read(0xfffffff0, 32), undergo::Error, true);
  THROWS(memory.read(0, std::size_t(1) << 60), undergo::Error, true);
  THROWS(memory.write(0xffffffff, "ab"), undergo::Error, true);

  CHECK(instance.try_call("exit", 3).error().exit_code() == 3);
  CHECK(!instance.alive() && instance.end()->kind() == undergo::Kind::dead_instance);
}

void sandboxes_let_in_what_they_have(const undergo::Plugin &plugin, const std::string &folder) {
  std::ofstream(folder + "/file.txt") << "content";
  std::vector<std::string> lines;
  auto options = hosts(plugin);
  options.sandbox().arg("one").arg("two words").env("MODE", "prod").dir("/data", folder, undergo::Access::read_only);
  options.sandbox().stdout_capture().stderr_lines([&lines](std::string_view line) { lines.emplace_back(line); });
  const undergo::Instance instance = plugin.instantiate(options);
  CHECK((instance.call("args").as<std::vector<std::string>>() == std::vector<std::string>{"one", "two words"}));
  CHECK(instance.call("env", "MODE").as<std::optional<std::string>>() == "prod" && instance.call("env", "PATH").is_none());
  const undergo::Bytes content = instance.call("read-file", "/data/file.txt").as<undergo::Bytes>();
  CHECK(std::string(content.begin(), content.end()) == "content");
  THROWS(instance.call("read-file", "/etc/passwd"), undergo::GuestError, true);
  instance.call("print", "out\n", "one\ntwo\n");
  CHECK(instance.take_stdout() == "out\n" && instance.take_stdout().empty() && (lines == std::vector<std::string>{"one", "two"}));

  // A line's function that throws ends the call with its exception.
  auto failing = hosts(plugin);
  failing.sandbox().stdout_lines([](std::string_view line) { throw std::length_error(std::string(line)); });
  const undergo::Instance loud = plugin.instantiate(failing);
  THROWS(loud.call("print", "too much\n", ""), std::length_error, std::string_view(error.what()) == "too much");

  // What can't be is said when the instance is made.
  THROWS(plugin.instantiate(hosts(plugin).sandbox(undergo::Sandbox().dir("/data", folder + "/none"))), undergo::Error, true);
  THROWS(plugin.instantiate(hosts(plugin).sandbox(undergo::Sandbox().env("\xff", "x"))), undergo::TypeMismatchError, true);
}

void imports_convert(const undergo::Plugin &plugin) {
  auto options = hosts(plugin);
  int calls = 0;
  options.imports().set("host", "divmod", [&calls](std::int64_t a, std::int64_t b) { return calls++, std::vector<std::int64_t>{a / b, a % b}; });
  options.imports().set("host", "echo-strings", [](const std::vector<std::string> &v) { return v; });
  options.imports().set("host", "echo-counts", [](const std::map<std::string, std::int64_t> &v) { return v; });
  options.imports().set("host", "echo-maybe", [](std::optional<std::string> v) { return v; });
  options.imports().set("host", "check", +[](const std::string &text) -> undergo::Result<void> { return undergo::Error(text); });
  const undergo::Instance instance = plugin.instantiate(options);
  CHECK((instance.call("divmod-through-host", 17, 5).as<std::tuple<int, int>>() == std::make_tuple(3, 2)) && calls == 1);
  CHECK((instance.call("more-through-host", "x", "green", undergo::Map{{"a", 1}}).size() == 3));
  THROWS(instance.call("pass-failure", "no"), undergo::GuestError, error.message() == "host: no");
  // A function with other parameters than the plugin's: told when it is called.
  options.imports().set("host", "notes", [] { return List(); }).set("host", "note", [](int) {});
  THROWS(plugin.instantiate(options).call("notes", List{"a"}), undergo::TypeMismatchError, error.message().find("expected integer") != std::string_view::npos);
  options.imports().set("host", "note", [] {});
  THROWS(plugin.instantiate(options).call("notes", List{"a"}), undergo::TypeMismatchError, error.message().find("0 parameters") != std::string_view::npos);
}

void pools_serve_threads(const undergo::Plugin &plugin) {
  const undergo::Pool pool = plugin.pool(undergo::PoolOptions(2).max_calls(10).idle(1min).warm(1), hosts(plugin));
  CHECK(pool.size() == 2 && pool.stats().idle == 1 && pool.plugin().name() == "conformance.wasm");
  pool.warm_up(5);
  CHECK(pool.stats().idle == 2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&pool, i] {
      for (int j = 0; j < 25; j++) {
        CHECK(pool.call("echo-int32", i * 100 + j).as<int>() == i * 100 + j);
      }
      THROWS(pool.with(50ms).call("spin"), undergo::TimeoutError, true);
    });
  }
  const undergo::CancelToken token;
  std::thread stopped([&pool, token] { THROWS(pool.with(undergo::CallOptions().cancel(token).timeout(1min)).call("spin"), undergo::CancelledError, true); });
  std::this_thread::sleep_for(100ms);
  token.cancel();
  stopped.join();
  for (std::thread &thread : threads) {
    thread.join();
  }
  // A call whose time was up while it waited for an instance has ended none.
  CHECK(pool.stats().retired >= 3 && pool.stats().died <= 5 && pool.stats().busy == 0);
  const std::uint64_t died = pool.stats().died;
  THROWS(pool.call("panic", "oh dear"), undergo::PanicError, error.message() == "oh dear");
  CHECK(pool.stats().died == died + 1);
  THROWS(pool.with(token).call("counter"), undergo::CancelledError, true);
  pool.close(10s);
  CHECK(pool.closed());
  THROWS(pool.call("counter"), undergo::DeadInstanceError, true);
}

void instances_are_linked(const undergo::Plugin &plugin) {
  undergo::Options options = hosts(plugin);
  const undergo::Result<undergo::Instance> outer = [&] {
    const undergo::Instance inner = plugin.instantiate(hosts(plugin));
    options.imports().link("host", inner);
    // What one imports with other types than the other exports.
    const undergo::Result<undergo::Instance> refused = plugin.try_instantiate(options);
    CHECK(!refused && refused.error().message().find("the import is host.many(") != std::string::npos);
    for (const char *other : {"many", "notes", "fail"}) {
      options.imports().set("host", other, [](const List &) { return undergo::Value(); });
    }
    return plugin.try_instantiate(options);
  }();
  CHECK(outer && (outer->call("divmod-through-host", 17, 5).as<std::tuple<int, int>>() == std::make_tuple(3, 2)));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    return 2;
  }
  try {
    const undergo::Plugin plugin(argv[1]);
    plugins_tell_what_they_are(plugin);
    plugins_are_loaded_from_bytes_and_options(argv[1], argv[3]);
    loading_ends(argv[1]);
    handles_move(plugin);
    instances_have_state(plugin);
    sandboxes_let_in_what_they_have(plugin, argv[3]);
    imports_convert(plugin);
    pools_serve_threads(plugin);
    instances_are_linked(plugin);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "unexpected: %s\n", error.what());
    return 1;
  }
  return finish();
}
