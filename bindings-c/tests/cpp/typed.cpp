// The generated header of the conformance guest: values there and back, host functions, errors,
// threads.

#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include <guest.hpp>

#include "check.hpp"

using namespace std::chrono_literals;

namespace {

// As an error of another plugin's, of the same name.
struct Stranger {
  std::string key{};
};

}  // namespace

namespace undergo {

template <>
struct Codec<Stranger> : typed::RecordCodec<Stranger, &Stranger::key> {};

template <>
struct ErrorType<Stranger> {
  static constexpr const char *name = "not-found";
  static constexpr std::uint64_t digest = 1;
};

}  // namespace undergo

namespace {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
  int code = 42;
};

// Throws an error within so many others.
[[noreturn]] void nest(int depth, const undergo::Error &error) {
  try {
    if (depth == 1) {
      throw error;
    }
    nest(depth - 1, error);
  } catch (const std::exception &) {
    std::throw_with_nested(Failure("deeper"));
  }
}

// What the program gives as the interface host.
class Host : public guest::Host {
 public:
  const guest::GuestExports *instance = nullptr;
  std::vector<std::string> noted;
  std::atomic<int> calls{0};

  std::string echo_string(std::string_view s) override { return calls++, std::string(s); }
  std::vector<std::uint8_t> echo_bytes(undergo::Span<std::uint8_t> v) override { return v.to_vector(); }
  std::int64_t echo_int(std::int64_t v) override { return v; }
  std::vector<std::string> echo_strings(const std::vector<std::string> &v) override { return v; }
  std::vector<double> echo_floats(undergo::Span<double> v) override { return v.to_vector(); }
  guest::Person echo_person(const guest::Person &p) override { return p; }
  std::optional<std::string> echo_maybe(const std::optional<std::string> &v) override { return v; }
  guest::Color echo_color(guest::Color v) override { return v; }
  std::map<std::string, std::int64_t> echo_counts(const std::map<std::string, std::int64_t> &v) override { return v; }
  undergo::Time echo_time(const undergo::Time &v) override { return v; }
  undergo::Duration echo_duration(undergo::Duration v) override { return v; }
  undergo::Json echo_json(const undergo::Json &v) override { return v; }
  undergo::Json echo_raw(const undergo::Json &v) override { return v; }
  guest::Shape echo_shape(const guest::Shape &s) override { return s; }
  std::string many(std::int8_t a, std::uint16_t b, std::int32_t c, std::int64_t d, double e, bool f, std::string_view g, std::string_view h,
                   std::string_view i, std::string_view j, std::string_view k, std::string_view l) override {
    std::string text = std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(c) + " " + std::to_string(d);
    text += e == 0.5 ? " 0.5" : " ?";
    text += f ? " true" : " false";
    for (const std::string_view part : {g, h, i, j, k, l}) {
      text += "|" + std::string(part);
    }
    return text;
  }
  std::tuple<std::int8_t, guest::Shape, std::optional<guest::Shape>, guest::Drawing, std::vector<guest::Shape>, std::string> bundle(
      std::int8_t id, const guest::Shape &s, const std::optional<guest::Shape> &m, const guest::Drawing &d,
      const std::vector<guest::Shape> &v, std::string_view name) override {
    return {id, s, m, d, v, std::string(name)};
  }
  std::tuple<std::int64_t, std::int64_t> divmod(std::int64_t a, std::int64_t b) override { return {a / b, a % b}; }
  void note(std::string_view s) override { noted.emplace_back(s); }
  std::vector<std::string> notes() override { return std::exchange(noted, {}); }
  undergo::Result<std::string> fail(std::string_view msg) override { return undergo::Error(std::string(msg)); }
  undergo::Result<void> check(std::string_view msg) override {
    if (!msg.empty()) {
      throw Failure(std::string(msg));
    }
    return {};
  }
  undergo::Result<std::string> lookup(std::string_view key) override {
    const std::string inner = "not found: " + std::string(key);
    if (key.empty()) {
      return "";
    }
    if (key == "stranger") {
      return undergo::Error(inner, Stranger{"x"});
    }
    if (key == "bad") {
      return undergo::Error(inner, guest::NotFound{"\xff", 1});
    }
    const undergo::Error missing(inner, guest::NotFound{std::string(key), 404});
    if (key == "thrown") {
      throw missing;
    }
    if (key == "nested") {
      try {
        throw missing;
      } catch (const undergo::Error &) {
        std::throw_with_nested(Failure("looking up: " + inner));
      }
    }
    if (key == "deep") {
      nest(200, missing);
    }
    return undergo::Error("looking up: " + inner, missing);
  }
  void crash(std::string_view msg) override { throw Failure(std::string(msg)); }
  std::int32_t wrong_type() override { throw 7; }
  undergo::Result<std::vector<std::int32_t>> wrong_result() override { return std::vector<std::int32_t>{1, 2}; }
  std::int32_t reenter(std::int32_t depth) override { return instance->reenter(depth - 1) + 1; }
};

guest::Person ada() {
  guest::Person person;
  person.name = "Ada";
  person.email = "ada@example.com";
  person.age = 36;
  person.tags = {"a", "", "ü"};
  person.home = guest::Address{"Main Street", 12345U};
  person.others = {guest::Address{"Side Street", std::nullopt}, guest::Address{"", 0U}};
  person.scores = {{"chess", 1.5}, {"go", -0.25}};
  person.favorite = guest::Color::dark_blue;
  person.level = guest::Level::high;
  person.born = undergo::Time(-4861036800, 5, 3600);
  person.nap = 20min;
  person.user_id = 7;
  return person;
}

void values(const guest::GuestExports &g) {
  CHECK(g.echo_bool(true) && !g.echo_bool(false));
  CHECK(g.echo_int8(-128) == -128 && g.echo_uint8(255) == 255 && g.echo_int16(-32768) == -32768 && g.echo_uint16(65535) == 65535);
  CHECK(g.echo_int32(std::numeric_limits<std::int32_t>::min()) == std::numeric_limits<std::int32_t>::min());
  CHECK(g.echo_uint64(std::numeric_limits<std::uint64_t>::max()) == std::numeric_limits<std::uint64_t>::max());
  CHECK(g.echo_float32(1.5F) == 1.5F && g.echo_float64(1e300) == 1e300);
  CHECK(g.echo_string("").empty() && g.echo_string("grüße\0!") == "grüße" && g.echo_string(std::string_view("a\0b", 3)).size() == 3);
  const std::string large(1 << 20, 'x');
  CHECK(g.echo_string(large) == large);
  CHECK((g.echo_strings({"a", "", "c"}) == std::vector<std::string>{"a", "", "c"}) && g.echo_strings({}).empty() && g.no_strings().empty());
  CHECK((g.echo_string_lists({{"a"}, {}, {"b", "c"}}) == std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}}));
  CHECK((g.echo_bools({true, false, true}) == std::vector<bool>{true, false, true}));
  CHECK((g.echo_int8s({-1, 1}) == std::vector<std::int8_t>{-1, 1}) && (g.echo_uint64s({7}) == std::vector<std::uint64_t>{7}));
  const std::vector<double> reals(1000, 0.5);
  CHECK(g.echo_float64s(reals) == reals && g.sum_float64s(reals) == 500 && g.echo_float32s({}).empty());
  CHECK((g.echo_blobs({{1, 2}, {}}) == std::vector<std::vector<std::uint8_t>>{{1, 2}, {}}));
  CHECK((g.echo_triples({{1, 2, 3}, {4, 5, 6}}) == std::vector<std::vector<std::int32_t>>{{1, 2, 3}, {4, 5, 6}}));
  CHECK((g.echo_counts({{"a", 1}, {"b", -1}}) == std::map<std::string, std::int64_t>{{"a", 1}, {"b", -1}}));
  CHECK((g.echo_labels({{1, "a"}}) == std::map<std::int32_t, std::string>{{1, "a"}}) && g.echo_labels({}).empty());
  const std::map<std::string, std::vector<guest::Color>> palettes{{"x", {guest::Color::red, guest::Color::green}}, {"y", {}}};
  CHECK(g.echo_palettes(palettes) == palettes);
  const std::map<bool, std::map<std::string, guest::Point>> flags{{true, {{"p", {1, 2, 3}}}}, {false, {}}};
  CHECK(g.echo_flags(flags) == flags);
  CHECK(g.echo_person(ada()) == ada() && g.echo_person({}) != ada());
  CHECK((g.echo_people({ada(), {}, ada()}).at(2) == ada()));
  CHECK(guest::to_string(guest::Color::dark_blue) == "dark-blue" && guest::to_string(static_cast<guest::Color>(9)).empty());
  CHECK(g.divmod(17, 5) == std::make_tuple(3, 2) && g.http_status() == 418 && g.keywords("a", "b", "c", 1, 2) == "a b c 1 2");
  g.nothing();
  CHECK(g.call(1) == 3 && g.exports(1) == 5 && g.close(1) == 4 && g.pass(1) == 2);
  CHECK(g.sixteen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16) == -8);
  CHECK(g.many(1, 2, 3, 4, 0.5, 0.25, true, "h", "i", "j", {1, 2}, guest::Color::green, std::nullopt, {1, 2, 3}) ==
        "1 2 3 4 0.5 0.25 true h i j [1 2] 1 - {1 2 3}");
}

// Leaves a variant without a value when it is assigned.
struct Bad {
  operator guest::Label() const { throw Failure("no label"); }
};

void variants(const guest::GuestExports &g) {
  const std::vector<guest::Shape> shapes{guest::Circle{1.5},
                                         guest::Label{"grün"},
                                         guest::Polygon{{{1.5, -2, 255}, {}}, "p", guest::Color::dark_blue},
                                         guest::Polygon{},
                                         guest::Triangle{{3, 4, 0.5}},
                                         guest::Tile{std::numeric_limits<std::int64_t>::min(), 0.25F},
                                         guest::Tags{{{"a", "1"}, {"ü", ""}}},
                                         guest::Empty{}};
  for (const guest::Shape &shape : shapes) {
    CHECK(g.echo_shape(shape) == shape && g.echo_maybe_shape(shape) == shape && g.shape_through_host(shape) == shape);
  }
  guest::Drawing framed;
  framed.shapes = shapes;
  framed.border = guest::Label{"b"};
  const auto bundle = g.bundle_through_host(-128, shapes[2], shapes[5], framed, shapes, "n");
  CHECK(std::get<0>(bundle) == -128 && std::get<1>(bundle) == shapes[2] && std::get<2>(bundle) == shapes[5]);
  CHECK(std::get<3>(bundle) == framed && std::get<4>(bundle) == shapes && std::get<5>(bundle) == "n");
  CHECK(g.echo_shapes(shapes) == shapes && g.echo_shapes({}).empty() && !g.echo_maybe_shape(std::nullopt).has_value());
  CHECK(g.echo_shape(guest::Circle{1}) != guest::Shape(guest::Circle{2}) && g.area(guest::Circle{2}) == 12);
  CHECK(std::get<guest::Label>(g.echo_shape(guest::Label{"x"})).value == "x");

  // A struct of a case that several variants have is one.
  const guest::Round round = guest::Circle{1.5};
  CHECK(g.echo_round(round) == round && g.echo_round(guest::Wheel{7}) == guest::Round(guest::Wheel{7}));
  for (const guest::Token &token : std::vector<guest::Token>{guest::Class{"c"}, guest::None{}, guest::Tag{-1}, guest::Val{"a", "b"}, guest::Constructor{true},
                                                             guest::List{{guest::Level::high}}}) {
    CHECK(g.echo_token(token) == token);
  }
  const std::tuple<guest::Mixed, std::int32_t, guest::Mixed, float> mixed{guest::Long{-1}, 5, guest::Single{0.5F}, 1.5F};
  CHECK(std::apply([&](const auto &...all) { return g.echo_mixed(all...); }, mixed) == mixed);
  guest::Drawing drawing;
  drawing.title = "t";
  drawing.shapes = shapes;
  drawing.named = {{"a", shapes[0]}, {"b", guest::Empty{}}};
  drawing.border = guest::Label{"b"};
  drawing.cover = shapes[2];
  drawing.extra = guest::Text{"x"};
  CHECK(g.echo_drawing(drawing) == drawing && g.echo_drawing(drawing) != guest::Drawing{});

  // A variant that an exception has left without a value.
  guest::Shape none;
  try {
    none.emplace<guest::Label>(Bad());
  } catch (const Failure &) {
  }
  CHECK(none.valueless_by_exception());
  THROWS(g.echo_shape(none), undergo::TypeMismatchError, error.path() == "echo-shape(s)");
  THROWS(g.echo_shapes({guest::Empty{}, guest::Label{"\xff"}}), undergo::TypeMismatchError, error.path() == "echo-shapes(v[1].label)");
  THROWS(g.bad_shape("nil"), undergo::TypeMismatchError, error.path().find("bad-shape -> result") == 0);
}

void through_the_host(const guest::GuestExports &g, const Host &host) {
  const auto [s, b, n, v, f] = g.through_host("ü", {1, 2}, -5, {"x", ""}, {0.5});
  CHECK(s == "ü" && (b == std::vector<std::uint8_t>{1, 2}) && n == -5 && (v == std::vector<std::string>{"x", ""}) && f.at(0) == 0.5);
  CHECK(host.calls > 0);
  CHECK(g.person_through_host(ada()) == ada());
  const auto [maybe, color, counts] = g.more_through_host("yes", guest::Color::green, {{"a", 1}});
  CHECK(maybe == "yes" && color == guest::Color::green && counts.at("a") == 1);
  CHECK(!std::get<0>(g.more_through_host(std::nullopt, guest::Color::red, {})).has_value());
  const auto [time, nap] = g.times_through_host(undergo::Time(1, 2, 3600), -5ns);
  CHECK(time == undergo::Time(1, 2, 3600) && nap == -5ns);
  CHECK(std::get<0>(g.json_through_host({"{\"a\":[null]}"}, {"[1]"})).text == "{\"a\":[null]}");
  CHECK(g.many_through_host() == "-1 2 -3 4 0.5 true|g||i|j|k|ü" && g.divmod_through_host(17, 5) == std::make_tuple(3, 2));
  CHECK((g.notes({"a", "b"}) == std::vector<std::string>{"a", "b"}) && g.host_in_goroutines(5) == 0);
  CHECK((g.wrong_result() == std::vector<std::int32_t>{1, 2}) && g.reenter(5) == 5);
}

void errors(const guest::GuestExports &g) {
  CHECK(g.catch_failure("oh dear") == "caught: oh dear");
  THROWS(g.pass_failure("no"), undergo::GuestError, error.message() == "host: no" && error.kind() == undergo::Kind::guest_error);
  g.pass_failure("");
  g.fail("");
  THROWS(g.fail("mine"), undergo::GuestError, error.message() == "mine");
  CHECK(g.try_fail_or("", 5).value() == 5 && g.try_fail_or("no", 5).error().message() == "no");
  THROWS(g.echo_string("\xff"), undergo::TypeMismatchError, error.path() == "echo-string(s)");
  THROWS(g.echo_color(static_cast<guest::Color>(7)), undergo::TypeMismatchError, error.path() == "echo-color(v)");
}

void chains(const guest::GuestExports &g) {
  const undergo::Error wrapped = g.try_fail_with("twice").error();
  CHECK((wrapped.as<guest::NotFound>() == guest::NotFound{"x", 4}) && !wrapped.as<guest::Denied>().has_value() && !wrapped.as<Stranger>().has_value());
  const std::vector<undergo::ChainedError> chain = wrapped.chain();
  CHECK(chain.size() == 3 && chain[0].text == "starting: loading: not found: x" && chain[0].name.empty() && chain[0].fields.is_none());
  CHECK(chain[2].name == "not-found" && chain[2].fields.find("code")->as<int>() == 4);
  THROWS(g.fail_with("value"), undergo::GuestError, (error.as<guest::Denied>() == guest::Denied{{"a", "ü"}, guest::Level::high, guest::Circle{1.5}}));
  THROWS(g.fail_with("clash"), undergo::GuestError, error.as<guest::Clash>()->message == "m" && error.message() == "a clash");
  CHECK(g.try_fail_with("just text").error().chain().size() == 1 && (g.echo_not_found({"k", -1}) == guest::NotFound{"k", -1}));
  CHECK(!undergo::Error("mine").as<guest::NotFound>().has_value());
  CHECK((undergo::Error("mine", guest::NotFound{"k", 1}).as<guest::NotFound>() == guest::NotFound{"k", 1}));

  // What the host fails with is such an error for Go, however it fails.
  const auto texts = [](const std::string &key) {
    return std::vector<std::string>{"looking up: not found: " + key, key + " 404", "not found: " + key, "is", "not found: " + key};
  };
  CHECK(g.looked("kü") == texts("kü") && g.looked("nested") == texts("nested") && g.looked("").empty());
  CHECK((g.looked("thrown") == std::vector<std::string>{"not found: thrown", "thrown 404", "not found: thrown", "is"}));
  CHECK((g.looked("stranger") == std::vector<std::string>{"not found: stranger"}));
  CHECK(g.looked("deep").at(0) == "deeper");
  const undergo::Error passed = g.try_lookup_wrapped("k").error();
  CHECK((passed.as<guest::NotFound>() == guest::NotFound{"k", 404}) && passed.chain().size() == 3 && g.lookup("").empty());
}

// What ends an instance: each time with a new one.
template <class Make>
void endings(Make make) {
  const auto made = make();
  // The same exception, with what is in it, from beyond the guest.
  THROWS(made.first.crash("boo"), Failure, error.code == 42 && std::string_view(error.what()) == "boo");
  CHECK(!made.first.instance().alive() && made.first.instance().end()->kind() == undergo::Kind::dead_instance);
  THROWS(made.first.counter(), undergo::DeadInstanceError, true);
  made.first.instance().reset();
  CHECK(made.first.counter() == 1);
  const undergo::Result<void> crashed = made.first.try_crash("boo");
  CHECK(!crashed && crashed.error().kind() == undergo::Kind::host_error && crashed.error().cause() != nullptr);
  // What is no std::exception comes back, too.
  const auto odd = make();
  bool thrown = false;
  try {
    odd.first.wrong_type();
  } catch (int number) {
    thrown = number == 7;
  }
  CHECK(thrown);
  // Fields that do not fit.
  const auto bad = make();
  THROWS(bad.first.lookup("bad"), undergo::TypeMismatchError, error.path() == "host.lookup -> not-found.key");
  const auto slow = make();
  THROWS(slow.first.with(50ms).spin(), undergo::TimeoutError, true);
}

void threads(const undergo::Plugin &plugin) {
  const auto host = std::make_shared<Host>();
  const guest::GuestPool pool(plugin, undergo::PoolOptions(3).warm(2), host);
  CHECK(pool.pool().size() == 3 && pool.pool().stats().made == 2);
  std::vector<std::thread> all;
  for (int i = 0; i < 6; i++) {
    all.emplace_back([&pool, i] {
      for (int j = 0; j < 20; j++) {
        const std::string text = std::to_string(i) + "/" + std::to_string(j);
        const auto [s, b, n, v, f] = pool.through_host(text, {}, j, {text, text}, {});
        CHECK(s == text && b.empty() && n == j && v.at(1) == text && f.empty());
      }
      THROWS(pool.crash("boo"), Failure, error.code == 42);
      CHECK(pool.echo_string("after") == "after");
    });
  }
  for (std::thread &thread : all) {
    thread.join();
  }
  CHECK(host->calls == 120 && pool.pool().stats().died == 6 && pool.pool().stats().calls == 132);
}

}  // namespace

// Usage: typed CONFORMANCE HOSTILE [short], where short leaves out what takes minutes under
// valgrind.
int main(int argc, char **argv) {
  if (argc < 3) {
    return 2;
  }
  try {
    // Under valgrind the better compiler would take minutes.
    const bool fast = std::getenv("UNDERGO_TEST_FAST") != nullptr;
    const undergo::Plugin plugin(argv[1], undergo::PluginOptions().compile(fast ? undergo::Compile::fast : undergo::Compile::tiered));
    auto host = std::make_shared<Host>();
    guest::Guest instance(plugin, host);
    host->instance = &instance;
    values(instance);
    variants(instance);
    through_the_host(instance, *host);
    errors(instance);
    chains(instance);
    // A host lives as long as it can be called, wherever the handles are.
    const std::weak_ptr<Host> watched = host;
    host.reset();
    std::optional<guest::Guest> moved(std::move(instance));
    watched.lock()->instance = &*moved;
    CHECK(moved->through_host("moved", {}, 1, {}, {}) == std::make_tuple("moved", std::vector<std::uint8_t>(), 1, std::vector<std::string>(), std::vector<double>()));
    moved.reset();
    CHECK(watched.expired());
    if (argc == 3) {
      endings([&plugin] {
        auto own = std::make_shared<Host>();
        return std::make_pair(guest::Guest(plugin, own), own);
      });
      threads(plugin);
    }
    // A header of another plugin is refused before anything runs, and so is a plugin without its
    // host.
    THROWS(guest::Guest::load(argv[2], std::make_shared<Host>()), undergo::SignatureMismatchError, error.message().find("undergo bindgen") != std::string_view::npos);
    THROWS(guest::Guest(plugin, nullptr), undergo::MissingImportError, true);
    CHECK(guest::Guest::try_load("none.wasm", nullptr).error().kind() == undergo::Kind::invalid_plugin);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "unexpected: %s\n", error.what());
    return 1;
  }
  return finish();
}
