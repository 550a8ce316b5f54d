// Commands: programs that begin, end, and answer with their exit code.
//
// Usage: command command.wasm conformance.wasm              checks
//        command command.wasm NAME=VALUE... -- INPUT ARG...    one run: prints its result

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <undergo.hpp>

#include "check.hpp"

using namespace std::chrono_literals;

namespace {

undergo::Options with_args(const std::vector<std::string> &args) {
  undergo::Options options;
  for (const std::string &arg : args) {
    options.sandbox().arg(arg);
  }
  return options;
}

void the_sandbox_says_where_output_goes(const undergo::Plugin &command) {
  std::vector<std::string> lines;
  undergo::Options options = with_args({"exit", "3"});
  options.sandbox().stdout_lines([&](std::string_view line) { lines.emplace_back(line); }).stderr_capture(2);
  const undergo::Completed done = command.run(options);
  CHECK(done.code == 3 && lines == std::vector<std::string>{"out"});
  CHECK(done.standard_output.empty() && done.standard_error == "er" && done.truncated);
  CHECK(done.usage.time > 0ns && done.usage.memory >= 65536 && !done.usage.fuel.has_value());
}

void a_folder_for_temporary_files_is_given(const undergo::Plugin &command) {
  undergo::Options options = with_args({"temp"});
  CHECK(command.run(options).code == 1);
  options.sandbox().temp();
  CHECK(command.run(options).standard_output == "/tmp");
}

void a_run_can_be_repeated(const undergo::Plugin &command) {
  const auto chance = [&](undergo::Time start, std::uint64_t seed) {
    undergo::Options options = with_args({"chance"});
    options.sandbox().clock(start).seed(seed);
    return command.run(options).standard_output;
  };
  const std::string first = chance(undergo::Time(1770000000, 0, 0), 7);
  CHECK(first.rfind("now 2026-02-02T02:40:00.0000", 0) == 0);
  CHECK(chance(std::chrono::system_clock::time_point(1770000000s), 7) == first);
  CHECK(chance(undergo::Time(1770000000, 0, 0), 8) != first);
  THROWS(chance(undergo::Time(-1, 0, 0), 7), undergo::TypeMismatchError, true);
}

void what_has_no_end_is_ended(const undergo::Plugin &command) {
  for (const char *what : {"spin", "sleep"}) {
    undergo::Options options = with_args({what});
    THROWS(command.run(options, 50ms), undergo::TimeoutError, true);
    const undergo::CancelToken token;
    std::thread thread([&] { token.cancel(); });
    THROWS(command.run(options, token), undergo::CancelledError, true);
    thread.join();
    options.limits().timeout(50ms);
    CHECK(command.try_run(options).error().kind() == undergo::Kind::timeout);
  }
}

void what_is_no_run(const undergo::Plugin &plugin) {
  THROWS(plugin.run(), undergo::InvalidPluginError, std::strstr(error.what(), "instantiate it") != nullptr);
}

void run_once(const undergo::Plugin &command, char **words) {
  undergo::Options options;
  for (; std::strcmp(*words, "--") != 0; words++) {
    const std::string word(*words);
    options.sandbox().env(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
  }
  options.sandbox().stdin_bytes(*++words);
  for (words++; *words != nullptr; words++) {
    options.sandbox().arg(*words);
  }
  const undergo::Completed done = command.run(options);
  std::printf("%d %d %zu %zu\n", done.code, done.truncated, done.standard_output.size(), done.standard_error.size());
  std::fwrite(done.standard_output.data(), 1, done.standard_output.size(), stdout);
  std::fwrite(done.standard_error.data(), 1, done.standard_error.size(), stdout);
}

}  // namespace

int main(int argc, char **argv) {
  CHECK(argc >= 3);
  const undergo::Plugin command{std::string(argv[1])};
  if (argc > 3) {
    run_once(command, argv + 2);
    return 0;
  }
  the_sandbox_says_where_output_goes(command);
  a_folder_for_temporary_files_is_given(command);
  a_run_can_be_repeated(command);
  what_has_no_end_is_ended(command);
  what_is_no_run(undergo::Plugin(std::string(argv[2])));
  return finish();
}
