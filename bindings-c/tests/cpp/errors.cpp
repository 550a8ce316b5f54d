// Each kind of error, as it comes about, and its class.

#include <set>
#include <stdexcept>
#include <thread>

#include <undergo.hpp>

#include "check.hpp"

using namespace std::chrono_literals;

namespace {

std::set<undergo::Kind> seen;

// That the code throws an error of just that class, and kind.
template <undergo::Kind kind, class Code>
undergo::Error expect(Code &&code) {
  try {
    code();
  } catch (const undergo::ErrorOf<kind> &error) {
    CHECK(error.kind() == kind && error.what()[0] != '\0' && !error.message().empty());
    seen.insert(kind);
    return error;
  } catch (const std::exception &other) {
    std::fprintf(stderr, "expected %s, got: %s\n", std::string(undergo::name(kind)).c_str(), other.what());
    std::exit(1);
  }
  std::fprintf(stderr, "expected %s\n", std::string(undergo::name(kind)).c_str());
  std::exit(1);
}

undergo::Options hosts(undergo::Limits limits = {}) {
  undergo::Options options;
  options.limits(limits).sandbox().stderr_discard().stdout_discard();
  options.imports().set("host", "do", [](const undergo::Value &, const undergo::Value &) { return ""; });
  options.imports().set("host", "echo", [](const undergo::Value &value) { return value; });
  options.imports().set("host", "fail", []() -> undergo::Value { throw std::invalid_argument("refused by the host"); });
  return options;
}

void kinds(const undergo::Plugin &plugin) {
  using undergo::Kind;
  const auto make = [&](undergo::Limits limits = {}) { return plugin.instantiate(hosts(limits)); };
  const auto misdeed = [&](const char *name, int n = 0) { return [&plugin, name, n] { plugin.instantiate(hosts()).call("do", name, n); }; };

  expect<Kind::invalid_plugin>([] { undergo::Plugin::from_bytes({1, 2, 3}); });
  CHECK(expect<Kind::missing_import>([&] { plugin.instantiate(); }).message().find("host.fail") != std::string_view::npos);
  CHECK(expect<Kind::unknown_export>([&] { make().call("dp"); }).message().find("did you mean 'do'") != std::string_view::npos);
  const undergo_signature_t other[] = {{nullptr, "do", "do()", 1, 0}};
  expect<Kind::signature_mismatch>([&] { plugin.try_expect(other).value(); });
  CHECK(expect<Kind::type_mismatch>([&] { make().call("do", 1, 1); }).path() == "do(what)");
  expect<Kind::guest_error>([&] { make().call("files", "read", "/none", ""); });
  const undergo::Error panic = expect<Kind::panic>(misdeed("index-out-of-range", 5));
  CHECK(panic.message() == "runtime error: index out of range [5] with length 3");
  CHECK(panic.standard_error().find("goroutine") != std::string_view::npos && !panic.exit_code().has_value());
  const std::optional<undergo::Frame> origin = panic.origin();
  CHECK(origin->function == "main.indexOutOfRange" && origin->line > 0 && origin->file.find("panics.go") != std::string::npos);
  CHECK(panic.frames().size() > 1 && !undergo::Error("none").origin().has_value());
  CHECK(expect<Kind::exit>(misdeed("exit", 3)).exit_code() == 3);
  expect<Kind::trap>(misdeed("recursion"));
  expect<Kind::timeout>([&] { make().with(50ms).call("do", "loop", 0); });
  expect<Kind::out_of_fuel>([&] { make(undergo::Limits().fuel(1'000'000'000)).call("do", "loop", 0); });
  expect<Kind::out_of_memory>([&] { make(undergo::Limits().memory(64 * undergo::MiB)).call("do", "large-frames", 0); });
  expect<Kind::denied>([] { undergo::Plugin::load_compiled("none", false); });

  const undergo::CancelToken token;
  std::thread canceller([token] {
    std::this_thread::sleep_for(50ms);
    token.cancel();
  });
  expect<Kind::cancelled>([&] { make().with(token).call("do", "loop", 0); });
  canceller.join();
  CHECK(token.cancelled());

  const undergo::Instance dead = make();
  expect<Kind::panic>([&] { dead.call("do", "panic-string", 0); });
  CHECK(expect<Kind::dead_instance>([&] { dead.call("work", 100); }).message().find("a string") != std::string_view::npos);

  // An error that a host function returns, and an exception, which is itself again.
  undergo::Options refusing = hosts();
  refusing.imports().set("host", "fail", [] { return undergo::Error("refused"); });
  CHECK(expect<Kind::host_error>([&] { plugin.instantiate(refusing).call("do", "host-fail", 0); }).message() == "refused");
  THROWS(misdeed("host-fail")(), std::invalid_argument, std::string_view(error.what()) == "refused by the host");
  // An error of the library that passes through a host function is still what it was.
  refusing.imports().set("host", "fail", [&] { return plugin.try_instantiate().error(); });
  THROWS(plugin.instantiate(refusing).call("do", "host-fail", 0), undergo::MissingImportError, true);

  // A host function that resets what called it.
  const undergo::Instance *self = nullptr;
  undergo::Options options = hosts();
  options.imports().set("host", "do", [&self](const undergo::Value &, const undergo::Value &) { return self->reset(), ""; });
  const undergo::Instance busy = plugin.instantiate(options);
  self = &busy;
  expect<Kind::busy>([&] { busy.call("through", "", 0); });

  // All kinds that the library knows were here.
  std::int32_t count = 0;
  while (undergo_kind_name(count + 1) != nullptr) {
    count++;
    CHECK(seen.count(static_cast<Kind>(count)) == 1 && undergo::name(static_cast<Kind>(count)) == undergo_kind_name(count));
  }
  CHECK(count == static_cast<std::int32_t>(seen.size()) && count >= 17 && undergo::name(static_cast<Kind>(0)).empty());
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    return 2;
  }
  try {
    kinds(undergo::Plugin(argv[2]));
  } catch (const std::exception &error) {
    std::fprintf(stderr, "unexpected: %s\n", error.what());
    return 1;
  }
  return finish();
}
