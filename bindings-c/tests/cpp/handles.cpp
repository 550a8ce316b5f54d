// Objects of a guest, and what a program gives to it, by a generated header.
//
// Usage: handles conformance.wasm hostile.wasm

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "guest.hpp"

namespace {

// A store of texts, which counts those that there are.
class Store : public guest::Store {
 public:
  static inline int count = 0;
  std::map<std::string, std::string> texts;

  Store() { count++; }
  ~Store() override { count--; }

  undergo::Result<std::string> get(std::string_view key) override {
    const auto found = texts.find(std::string(key));
    return found == texts.end() ? undergo::Result<std::string>(undergo::Error("no such key: " + std::string(key))) : found->second;
  }
  void put(std::string_view key, std::string_view value) override { texts[std::string(key)] = value; }
  std::int64_t size() override { return static_cast<std::int64_t>(texts.size()); }
  std::shared_ptr<guest::Store> child(std::string_view name) override {
    auto made = std::make_shared<Store>();
    made->texts["name"] = name;
    return made;
  }
};

undergo::Options options(const undergo::Plugin &plugin) {
  undergo::Options made;
  for (const auto &function : plugin.imports()) {
    made.imports().set(function.interface, function.name, [](const undergo::List &) { return undergo::Error("refused"); });
  }
  return made;
}

void resources(const guest::Guest &g, const guest::Guest &other) {
  guest::Tally a(g.instance(), 5);
  CHECK(a.add(3) == 8 && a.value() == 8 && a.is_open());
  THROWS(guest::Tally(g.instance(), -1), undergo::GuestError, error.message().find("below zero") != std::string::npos);
  CHECK(!guest::Tally::try_make(g.instance(), -1));
  THROWS(a.take(100), undergo::GuestError, true);
  const guest::Tally theirs(other.instance(), 9);
  THROWS(g.sum_tallies(a, theirs), undergo::TypeMismatchError, error.message().find("another instance") != std::string::npos);
  guest::Tally moved = std::move(a);
  CHECK(moved.value() == 8 && a.get() == nullptr);
  THROWS(a.value(), undergo::TypeMismatchError, true);
  {
    const std::vector<guest::Tally> all = g.count_up(3);
    CHECK(all.size() == 3 && all.at(2).value() == 2);
    g.add_all(all, std::nullopt, 10);
    CHECK(all.at(0).value() == 10);
  }
  CHECK(g.closed_tallies() == 3);
  const std::optional<guest::Tally> none = g.maybe_tally(0);
  CHECK(!none.has_value());
  moved.close();
  moved.close();
  CHECK(!moved.is_open());
  THROWS(moved.value(), undergo::TypeMismatchError, true);
  const guest::Tally before(g.instance(), 1);
  g.instance().reset();
  CHECK(!before.is_open());
  THROWS(before.value(), undergo::TypeMismatchError, true);
}

void functions(const guest::Guest &g) {
  CHECK((g.apply(std::vector<std::int64_t>{1, 2}, [](std::int64_t n) { return 2 * n; }) == std::vector<std::int64_t>{2, 4}));
  const auto fails = [](std::int64_t) -> undergo::Result<std::int64_t> { return undergo::Error("bad luck"); };
  THROWS(g.apply(std::vector<std::int64_t>{1}, fails), undergo::GuestError, error.message().find("bad luck") != std::string::npos);
  const auto throws = [](std::int64_t) -> std::int64_t { throw std::runtime_error("worse luck"); };
  THROWS(g.apply(std::vector<std::int64_t>{1}, throws), undergo::GuestError, error.message().find("worse luck") != std::string::npos);
  // What it has is freed with it, when the guest keeps it no longer.
  const auto has = std::make_shared<int>(3);
  const std::int32_t kept = g.keep_op([has](std::int64_t n) { return n * *has; });
  CHECK(kept == 1 && has.use_count() == 2);
  CHECK(g.call_kept(5) == 15);
  g.instance().reset();
  CHECK(has.use_count() == 1);
}

void objects(const guest::Guest &g) {
  {
    const auto store = std::make_shared<Store>();
    g.store_put(store, "a", "x");
    CHECK(g.store_get(store, "a") == "x" && store->size() == 1);
    THROWS(g.store_get(store, "b"), undergo::GuestError, error.message().find("no such key: b") != std::string::npos);
    CHECK(g.child_of_store(store, "y") == "y");
    g.keep_store(store);
    CHECK(store.use_count() == 2);
    THROWS(g.store_get(nullptr, "a"), undergo::TypeMismatchError, true);
  }
  CHECK(Store::count > 0);
  g.instance().reset();
  CHECK(Store::count == 0);
}

// What an iterator or a stream of one instance gives, as an argument of another one.
void passing_on(const guest::Guest &g, const guest::Guest &other) {
  CHECK(g.sum_items(other.numbers(5)) == 10);
  CHECK(g.read_stream(other.repeat_stream("ab", 2)).size() == 4);
}

// The same things without types.
void values(const guest::Guest &g) {
  using undergo::List;
  using undergo::Ref;
  const undergo::Instance &instance = g.instance();
  const Ref tally = instance.construct("tally", 5);
  CHECK(tally.resource() == "tally" && tally.shape() == UNDERGO_SHAPE_OBJECT);
  CHECK(tally.call("add", 3).as<std::int64_t>() == 8);
  THROWS(instance.construct("tally", -1), undergo::GuestError, error.message().find("below zero") != std::string::npos);
  THROWS(tally.call("subtract", 3), undergo::UnknownExportError, true);
  // What a method gives belongs to the instance of its object.
  const Ref itself = tally.call("itself").as<Ref>();
  CHECK(itself != tally && itself.call("value").as<std::int64_t>() == 8);
  CHECK(instance.call("sum-tallies", tally, itself).as<std::int64_t>() == 16);
  tally.close();
  CHECK(!tally.is_open() && itself.is_open());
  THROWS(instance.call("sum-tallies", tally, itself), undergo::TypeMismatchError, error.message().find("closed") != std::string::npos);

  const undergo::Value doubled = instance.call("apply", List{1, 2}, [](std::int64_t n) { return 2 * n; });
  CHECK((doubled.as<std::vector<std::int64_t>>() == std::vector<std::int64_t>{2, 4}));
  std::int64_t sum = 0;
  for (const undergo::Value &item : instance.call("numbers", 5).as<undergo::Items>()) {
    sum += item.as<std::int64_t>();
  }
  CHECK(sum == 10);
  CHECK(instance.call("sum-items", undergo::Iterable(std::vector<std::int64_t>{1, 2, 3})).as<std::int64_t>() == 6);
  CHECK(!instance.call("echo-int64", 5).try_as<undergo::Items>() && !undergo::Value(itself).try_as<undergo::Items>());

  std::istringstream input("some text");
  std::ostringstream output;
  CHECK(instance.call("copy-stream", undergo::Sink(output), undergo::Source(input)).as<std::int64_t>() == 9);
  CHECK(output.str() == "some text");
  undergo::InputStream repeated(instance.call("repeat-stream", "ab", 2).as<Ref>());
  std::string word;
  CHECK(repeated >> word && word == "abab" && !(repeated >> word) && !repeated.bad());
  undergo::InputStream broken(instance.call("text-then-error", "a", "worn out", false).as<Ref>());
  CHECK(broken.get() == 'a' && broken.get() == std::char_traits<char>::eof() && broken.bad());
  CHECK(broken.error()->message().find("worn out") != std::string::npos);
  std::ostringstream through;
  undergo::OutputStream written(instance.call("through", undergo::Sink(through)).as<Ref>());
  written << "ab" << 1;
  CHECK(through.str() == "[");
  written.close();
  CHECK(through.str() == "[ab1]");
  {
    undergo::OutputStream lost(instance.call("through", undergo::Sink(through)).as<Ref>());
    lost.exceptions(std::ios::badbit);
    lost << "c";
    lost.ref().close();
    // What it has can't be written any more: its end does not throw.
  }
}

void pools(const undergo::Plugin &plugin) {
  const undergo::Pool pool = plugin.pool(undergo::PoolOptions(1), options(plugin));
  std::optional<guest::Tally> tally;
  {
    const undergo::Instance lent = pool.take();
    tally.emplace(lent, 4);
    CHECK(tally->value() == 4);
  }
  CHECK(!tally->is_open());
}

}  // namespace

int main(int, char **argv) {
  const undergo::Plugin plugin(argv[1]);
  const guest::Guest g(plugin, nullptr, options(plugin));
  std::optional<guest::Tally> survivor;
  {
    const guest::Guest other(plugin, nullptr, options(plugin));
    resources(g, other);
    passing_on(g, other);
    survivor.emplace(other.instance(), 1);
  }
  THROWS(survivor->value(), undergo::DeadInstanceError, true);
  survivor.reset();
  functions(g);
  objects(g);
  values(g);
  pools(plugin);
  return finish();
}
