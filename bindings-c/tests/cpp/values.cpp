// Value and Result by themselves.

#include <limits>

#include <undergo.hpp>

#include "check.hpp"

using namespace std::chrono_literals;
using undergo::Kind;
using undergo::List;
using undergo::Map;
using undergo::Record;
using undergo::Value;

namespace {

template <class T>
bool holds(const Value &value) {
  return std::holds_alternative<T>(value.content());
}

// Through undergo.h and back.
Value there_and_back(const Value &value) {
  const auto handle = undergo::detail::to_handle(value);
  return undergo::detail::from_handle(handle.get());
}

void made_of_what_c_has() {
  CHECK(holds<undergo::None>(Value()) && holds<undergo::None>(undergo::None()) && holds<undergo::None>(std::nullopt));
  CHECK(holds<bool>(true) && holds<std::int64_t>(5) && holds<std::int64_t>(std::uint8_t{5}) && holds<std::int64_t>(-5L));
  CHECK(holds<std::int64_t>(std::uint64_t{5}) && holds<std::uint64_t>(std::numeric_limits<std::uint64_t>::max()));
  CHECK(holds<double>(1.5F) && holds<double>(1.5));
  CHECK(holds<std::string>("text") && holds<std::string>(std::string("text")) && holds<std::string>(std::string_view("text")));
  CHECK(holds<undergo::Bytes>(undergo::Bytes{1, 2}) && holds<List>(List{1, "a"}) && holds<List>(std::vector<std::string>{"a"}));
  CHECK(holds<Map>(std::map<std::string, int>{{"a", 1}}) && holds<Record>(Record{{"a", 1}}));
  CHECK(holds<undergo::Duration>(2s) && holds<undergo::Time>(std::chrono::system_clock::now()));
  CHECK(holds<undergo::None>(std::optional<int>()) && Value(std::optional<int>(3)) == Value(3));
  static_assert(!std::is_constructible_v<Value, int *> && !std::is_constructible_v<Value, void *>);
  static_assert(std::is_copy_constructible_v<Value> && std::is_nothrow_move_constructible_v<Value>);
}

void read_as_what_is_wanted() {
  CHECK(Value(200).as<std::uint8_t>() == 200 && Value(-128).as<std::int8_t>() == -128);
  CHECK(Value(std::numeric_limits<std::uint64_t>::max()).as<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
  THROWS(Value(256).as<std::uint8_t>(), undergo::TypeMismatchError, error.message() == "256 is out of range for an integer of 8 bits");
  THROWS(Value(-1).as<std::uint64_t>(), undergo::TypeMismatchError, error.kind() == Kind::type_mismatch);
  THROWS(Value(std::numeric_limits<std::uint64_t>::max()).as<std::int64_t>(), undergo::TypeMismatchError, true);
  THROWS(Value("text").as<int>(), undergo::TypeMismatchError, error.message() == "expected integer, got string");
  THROWS(Value(1.5).as<int>(), undergo::TypeMismatchError, true);
  THROWS(Value(1).as<bool>(), undergo::TypeMismatchError, true);
  CHECK(Value(3).as<double>() == 3.0 && Value(1.5).as<float>() == 1.5F);
  CHECK(Value(undergo::Json{"[1]"}).as<std::string>() == "[1]" && Value(undergo::Json{"[1]"}).as<undergo::Json>().text == "[1]");
  CHECK(Value(1500ms).as<std::chrono::seconds>() == 1s && Value(1500ms).as<undergo::Duration>() == 1500ms);
  CHECK((Value(List{1, 2}).as<std::vector<int>>() == std::vector<int>{1, 2}));
  CHECK((Value(undergo::Bytes{1, 2}).as<undergo::Bytes>() == undergo::Bytes{1, 2}));
  CHECK((Value(List{1, "a"}).as<std::tuple<int, std::string>>() == std::tuple<int, std::string>(1, "a")));
  THROWS((Value(List{1}).as<std::tuple<int, std::string>>()), undergo::TypeMismatchError, error.message() == "expected 2 items, got 1");
  THROWS((Value(List{"a", 1}).as<std::tuple<int, std::string>>()), undergo::TypeMismatchError, true);
  CHECK((Value(Map{{"a", 1}}).as<std::map<std::string, int>>() == std::map<std::string, int>{{"a", 1}}));
  THROWS((Value(Map{{1, 1}}).as<std::map<std::string, int>>()), undergo::TypeMismatchError, true);
  CHECK(!Value().as<std::optional<int>>().has_value() && Value(1).as<std::optional<int>>() == 1);
  CHECK(Value("x").try_as<std::string>().value_or("y") == "x" && Value(1).try_as<std::string>().value_or("y") == "y");
}

void parts_are_found() {
  const Value person = Record{{"name", "Ada"}, {"tags", List{"a", "b"}}};
  CHECK(person.size() == 2 && person.find("name")->as<std::string>() == "Ada" && person.find("none") == nullptr);
  const Value *tags = person.find("tags");
  CHECK(tags->size() == 2 && *tags->at(1) == Value("b") && tags->at(2) == nullptr && person.at(0) == nullptr);
  CHECK(Value(Map{{"a", 1}, {2, 3}}).find("a")->as<int>() == 1 && Value(1).size() == 0 && Value(1).find("a") == nullptr);
  CHECK(person != Value() && person == Value(person) && Value(1) != Value(1.0));
  const Value circle = undergo::Case("circle", 1.5);
  CHECK(circle.as<undergo::Case>().name() == "circle" && circle.as<undergo::Case>().value()->as<double>() == 1.5);
  CHECK(undergo::Case("empty").value() == nullptr && undergo::Case("empty") != undergo::Case("empty", Value()) && circle.size() == 0);
  THROWS(Value("circle").as<undergo::Case>(), undergo::TypeMismatchError, error.message() == "expected variant, got string");
}

void all_come_back_as_they_were() {
  const List all = {Value(), true, -5, std::numeric_limits<std::uint64_t>::max(), 1.5, "", std::string("a\0b", 3), undergo::Bytes(),
                    undergo::Bytes{0, 255}, List(), List{List{1, "a"}, List()}, Map{{"a", List{1}}, {2, Value()}}, Record{{"a", Record{{"b", 2}}}},
                    undergo::Json{"{}"}, -3ns, undergo::Time(-1, 999999999, 3600), undergo::Case("empty"), undergo::Case("one", Value()),
                    undergo::Case("circle", List{undergo::Case("inner", 1.5), undergo::Case("")})};
  for (const Value &value : all) {
    CHECK(there_and_back(value) == value);
  }
  CHECK(there_and_back(all) == Value(all));
}

void times_are_those_of_the_clock() {
  const auto instant = std::chrono::system_clock::time_point(-1500ms);
  const undergo::Time time = instant;
  CHECK(time.seconds == -2 && time.nanoseconds == 500000000 && time.offset == 0 && time.time_point() == instant);
  CHECK(undergo::Time(1, 0, 3600) != undergo::Time(1, 0, 0) && undergo::Time(1, 0, 3600).time_point() == undergo::Time(1, 0).time_point());
}

void results_have_one_of_both() {
  undergo::Result<std::string> good = "text";
  CHECK(good && good.has_value() && *good == "text" && good->size() == 4 && good.value() == "text");
  const undergo::Result<std::string> bad = undergo::Error("no luck");
  CHECK(!bad && bad.error().kind() == Kind::host_error && std::string_view(bad.error().what()) == "no luck");
  THROWS(bad.value(), undergo::HostError, error.message() == "no luck");
  CHECK(undergo::Result<void>().has_value());
  THROWS(undergo::Result<void>(undergo::Error(Kind::denied, "no")).value(), undergo::DeniedError, true);
  undergo::Result<std::unique_ptr<int>> moved = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(moved).value();
  CHECK(*taken == 7);
  // Copies of an error share it; what is copied or assigned is never empty.
  undergo::Error one("one");
  const undergo::Error two = std::move(one);
  CHECK(std::string_view(one.what()) == "one" && std::string_view(two.what()) == "one");
}

void errors_wrap_others() {
  CHECK(undergo::Error("alone").chain().empty());
  const undergo::Error inner("not found: x", "not-found", Record{{"key", "x"}});
  const undergo::Error outer(std::string("looking up"), undergo::Error(std::string("twice"), inner));
  const std::vector<undergo::ChainedError> chain = outer.chain();
  CHECK(chain.size() == 3 && chain[0].text == "looking up" && chain[0].name.empty() && chain[0].fields.is_none());
  CHECK(chain[2].text == "not found: x" && chain[2].name == "not-found" && chain[2].fields == Value(Record{{"key", "x"}}));
  CHECK(outer.message() == "looking up" && outer.kind() == Kind::host_error);
}

void spans_see_what_is_there() {
  const std::vector<int> items{1, 2, 3};
  const int few[] = {4, 5};
  const undergo::Span<int> span = items;
  CHECK(span.size() == 3 && span[2] == 3 && span.data() == items.data() && span.to_vector() == items);
  CHECK(undergo::Span<int>(few).size() == 2 && undergo::Span<int>().empty() && undergo::Span<int>(std::array<int, 2>{1, 2}).size() == 2);
  CHECK(undergo::Span<char>(std::string("abc")).size() == 3);
}

}  // namespace

int main() {
  made_of_what_c_has();
  read_as_what_is_wanted();
  parts_are_found();
  all_come_back_as_they_were();
  times_are_those_of_the_clock();
  results_have_one_of_both();
  errors_wrap_others();
  spans_see_what_is_there();
  return finish();
}
