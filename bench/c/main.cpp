// Calls the same Go functions as main.c, through the header for C++, which gives values that own
// what they have.
//
// Usage: main plugin.wasm

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "native.h"
#include "plugin.hpp"

namespace {

constexpr int rounds = 15;

class Host : public plugin::Host {
 public:
  std::string upper(std::string_view s) override { return std::string(s); }
  std::int32_t pause(std::int32_t n) override { return n; }
};

template <class Calls>
double timed(Calls calls, int number) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < number; i++) {
    calls(i);
  }
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / number;
}

// Measures in turns, prints a row, and says whether the bound holds for the median ratio.
template <class Ours, class Theirs>
bool compare(const char *what, double bound, Ours ours, Theirs theirs, int number) {
  std::array<double, rounds> ratios{};
  std::array<double, rounds> base{};
  timed(ours, number / 4);
  timed(theirs, number / 4);
  for (std::size_t i = 0; i < rounds; i++) {
    const double mine = timed(ours, number);
    base[i] = timed(theirs, number);
    ratios[i] = mine / base[i];
  }
  std::sort(ratios.begin(), ratios.end());
  std::sort(base.begin(), base.end());
  const double ratio = ratios[rounds / 2];
  const double other = base[rounds / 2];
  std::printf("| %s | native Go, c-shared | %.0f ns | %.0f ns | %.2f × | ≤ %.1f ×%s |\n", what, other * ratio, other, ratio, bound,
              ratio <= bound ? "" : ", **missed**");
  return ratio <= bound;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s plugin.wasm\n", argv[0]);
    return 2;
  }
  const undergo::Plugin loaded(argv[1]);
  loaded.wait_compiled();
  const plugin::Plugin ours(loaded, std::make_shared<Host>());
  std::int64_t sum = 0;
  const bool scalar = compare(
      "C++: `add(int32, int32)`", 1.5, [&](int i) { sum += ours.add(i, 1); }, [&](int i) { sum += Add(i, 1); }, 200'000);
  const bool string = compare(
      "C++: `std::string_view` → `std::string`, 11 bytes", 1.0,
      [&](int) { sum += static_cast<std::int64_t>(ours.echo_string("hello world").size()); },
      [&](int) {
        // What a program in C++ would have of it.
        char text[] = "hello world";
        char *result = EchoString(text);
        sum += static_cast<std::int64_t>(std::string(result).size());
        std::free(result);
      },
      100'000);
  // 3 says that a bound is missed.
  return scalar && string && sum != 0 ? 0 : 3;
}
