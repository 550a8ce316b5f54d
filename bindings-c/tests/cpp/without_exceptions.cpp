// The header in a program that is compiled with -fno-exceptions.

#include <guest.hpp>

#include "check.hpp"

using namespace std::chrono_literals;

static_assert(UNDERGO_EXCEPTIONS == 0);

int main(int argc, char **argv) {
  if (argc != 3) {
    return 2;
  }
  const undergo::Result<undergo::Plugin> plugin = undergo::Plugin::try_load(argv[1]);
  CHECK(plugin.has_value());
  undergo::Options options;
  for (const undergo::Function &import : plugin->imports()) {
    options.imports().set(import.interface, import.name, [](const undergo::List &args) { return args.empty() ? undergo::Value() : args[0]; });
  }
  options.imports().set("host", "check", [](const std::string &text) -> undergo::Result<void> { return undergo::Error(text); });
  options.imports().set("host", "crash", [](const std::string &text) { return undergo::Error(text); });
  options.sandbox().stderr_discard();

  const undergo::Result<undergo::Instance> instance = plugin->try_instantiate(options);
  CHECK(instance.has_value());
  const undergo::Result<undergo::Value> greeting = instance->try_call("echo-string", "grüße");
  CHECK(greeting && greeting->try_as<std::string>().value_or("") == "grüße");
  CHECK(instance->try_call("echo-string", 1).error().kind() == undergo::Kind::type_mismatch);
  CHECK(instance->try_usage()->memory > 0 && instance->try_poll() && instance->try_reset());

  const undergo::Result<guest::Guest> typed = guest::Guest::try_make(*plugin, nullptr, options);
  CHECK(typed.has_value());
  CHECK(*typed->try_echo_string("typed") == "typed" && typed->try_echo_person({})->name.empty());
  CHECK(typed->try_pass_failure("no").error().message() == "host: no");
  CHECK(typed->with(50ms).try_spin().error().kind() == undergo::Kind::timeout && !typed->instance().alive());

  const undergo::Result<guest::GuestPool> pool = guest::GuestPool::try_make(*plugin, undergo::PoolOptions(2), nullptr, options);
  CHECK(pool.has_value());
  CHECK(pool->try_crash("boo").error().kind() == undergo::Kind::host_error && pool->try_counter().value_or(0) == 1);
  CHECK(pool->pool().try_close().has_value());
  CHECK(guest::Guest::try_load(argv[2], nullptr).error().kind() == undergo::Kind::signature_mismatch);
  return finish();
}
