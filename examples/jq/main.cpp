// Runs jq's queries over a JSON document of some megabytes.
//
// Usage: main jq.wasm

#include <array>
#include <cstdint>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include "jq_plugin.hpp"

using namespace std::chrono_literals;

static const std::array<const char *, 8> cities{"Aachen", "Bogotá", "Cairo", "Dhaka", "Essen", "Fukuoka", "Graz", "Hà Nội"};
constexpr std::uint32_t orders = 30'000;

// Makes an order: always the same for the same number.
static std::string order(std::uint32_t number, std::map<std::string, int> &in_city) {
  const std::uint32_t mixed = number * UINT32_C(2'654'435'761);
  const std::string city = cities[mixed / 7 % cities.size()];
  in_city[city]++;
  std::string text = "{\"id\": " + std::to_string(number) + ", \"city\": \"" + city + "\", \"express\": " + (mixed % 7 == 0 ? "true" : "false") +
                     ", \"note\": null, \"lines\": [";
  const std::array<std::uint32_t, 3> shifts{3, 9, 17};
  for (std::uint32_t i = 0; i < 1 + mixed % 3; i++) {
    const std::uint32_t part = mixed >> shifts[i];
    char article[8];
    std::snprintf(article, sizeof article, "A%03u", static_cast<unsigned>(part % 500));
    text += std::string(i == 0 ? "" : ", ") + "{\"article\": \"" + article + "\", \"count\": " + std::to_string(1 + part % 4) +
            ", \"cents\": " + std::to_string(99 + mixed % 5'000) + "}";
  }
  return text + "]}";
}

// A JSON text without its quotes. There are no escapes in those of this program.
static std::string unquoted(const undergo::Json &json) { return json.text.substr(1, json.text.size() - 2); }

static void run(const char *file) {
  std::map<std::string, int> in_city;
  std::string document = "[";
  for (std::uint32_t number = 0; number < orders; number++) {
    document += (number == 0 ? "" : ", ") + order(number, in_city);
  }
  document += "]";
  std::cout << std::fixed << std::setprecision(1) << "a document of " << static_cast<double>(document.size()) / 1e6 << " MB\n";

  const auto limits = undergo::Limits().memory(512 * undergo::MiB).timeout(60s);
  const auto jq = jq::Jq::load(file, undergo::Options().limits(limits));
  std::cout << jq.load_("orders", undergo::Bytes(document.begin(), document.end())) << " orders\n";

  // The document stays in the plugin; a query crosses, and its results come back as JSON.
  std::size_t next = 0;
  for (const undergo::Json &result : jq.query("orders", R"jq(group_by(.city)[] | "\(.[0].city): \(length)")jq")) {
    const std::string city = cities.at(next++);
    if (unquoted(result) != city + ": " + std::to_string(in_city[city])) {
      throw std::logic_error(result.text + " is not right");
    }
    std::cout << "  " << unquoted(result) << "\n";
  }

  const std::string total = jq.query("orders", "[.[].lines[] | .count * .cents] | add").at(0).text;
  std::cout << "sold for " << std::setprecision(2) << std::stod(total) / 100 << "\n";

  const char *const best = R"jq(
    [.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})
    | sort_by(-.count, .article) | limit(3; .[]) | "\(.article) (\(.count))")jq";
  std::cout << "sold most:";
  for (const undergo::Json &result : jq.query("orders", best)) {
    std::cout << " " << unquoted(result);
  }
  std::cout << "\n";

  // Any value that JSON can hold may be given.
  const char *separator = "";
  for (const undergo::Json &result : jq.eval(".[] | type", {R"([null, true, 7, 0.25, "grüße", [1], {"a": {}}])"})) {
    std::cout << std::exchange(separator, " ") << unquoted(result);
  }
  std::cout << "\n";

  // An error in a query, and one of its run, are errors of a call. The plugin and its document live
  // on.
  for (const char *query : {"map(.city", ".[0] | .city + 1", "missing(.)"}) {
    try {
      jq.query("orders", query);
    } catch (const undergo::GuestError &error) {
      std::cout << query << ": " << error.message() << "\n";
    }
  }
  std::cout << unquoted(jq.query("orders", ".[12345].city").at(0)) << "\n";

  // A query that never ends is stopped.
  try {
    jq.with(200ms).eval("def forever: forever; forever", {"null"});
  } catch (const undergo::TimeoutError &error) {
    std::cout << undergo::name(error.kind()) << ": " << (jq.instance().alive() ? "alive" : "ended") << "\n";
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " jq.wasm\n";
    return 2;
  }
  try {
    run(argv[1]);
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
