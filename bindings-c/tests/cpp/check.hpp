// Checks that say where they failed. A program of the tests ends with how many it made.

#ifndef CHECK_HPP
#define CHECK_HPP

#include <atomic>
#include <cstdio>
#include <cstdlib>

inline std::atomic<int> checks{0};

inline void check(bool holds, const char *what, const char *file, int line) {
  checks++;
  if (!holds) {
    std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    std::exit(1);
  }
}

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

// That an expression throws an error of that type, for which the condition holds.
#define THROWS(expression, type, condition) \
  do { \
    bool threw = false; \
    try { \
      static_cast<void>(expression); \
    } catch (const type &error) { \
      threw = true; \
      static_cast<void>(error); \
      check((condition), #expression ": " #condition, __FILE__, __LINE__); \
    } \
    check(threw, #expression " throws " #type, __FILE__, __LINE__); \
  } while (false)

inline int finish() {
  std::printf("%d checks\n", checks.load());
  return checks > 0 ? 0 : 1;
}

#endif  // CHECK_HPP
