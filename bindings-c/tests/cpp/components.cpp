// Objects of the program that a component gets, and passes back.
//
// Usage: components items.wasm

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "items.hpp"

namespace {

class Item : public root::Item {
 public:
  static inline int count = 0;
  const std::uint32_t n;

  explicit Item(std::uint32_t rank_of) : n(rank_of) { count++; }
  ~Item() override { count--; }

  std::uint32_t rank() override { return n; }
};

class Host : public root::TestItemsHost {
 public:
  std::vector<std::shared_ptr<root::Item>> stored;

  std::shared_ptr<root::Item> item(std::string_view name) override { return std::make_shared<Item>(static_cast<std::uint32_t>(name.size())); }
  std::shared_ptr<root::Item> item_open(std::uint32_t n) override { return std::make_shared<Item>(n); }
  std::uint32_t compare(const std::shared_ptr<root::Item> &a, const std::shared_ptr<root::Item> &b) override { return a->rank() < b->rank() ? 1 : 0; }
  void store(const std::shared_ptr<root::Item> &item) override { stored.push_back(item); }
};

void typed(const char *file) {
  const undergo::Plugin plugin(file);
  const auto host = std::make_shared<Host>();
  const root::Root items(plugin, host);
  const auto own = std::make_shared<Item>(6);
  CHECK(items.peek(own) == 6 && items.take(own) == 6);
  CHECK(items.made(false) == 5 && items.made(true) == 20);
  CHECK(items.order(own, std::make_shared<Item>(7)) == 1);
  CHECK(items.back(own) == own);
  items.pass_on(own);
  CHECK(host->stored.size() == 1 && host->stored[0] == own && Item::count == 1);
  items.hold(own);
  CHECK(items.held() == 6);
  items.let_go();
  CHECK(own.use_count() == 2);
}

void untyped(const char *file) {
  const undergo::Plugin plugin(file);
  undergo::Options options;
  std::vector<undergo::Object> stored;
  const auto item = [](std::int64_t n) { return undergo::object(undergo::Method("rank", [n](const undergo::List &) { return undergo::Value(n); })); };
  options.imports().set("test:items/host", "item", [&](const undergo::List &) { return undergo::Value(item(1)); });
  options.imports().set("test:items/host", "item-open", [&](const undergo::List &args) { return undergo::Value(item(args[0].as<std::int64_t>())); });
  options.imports().set("test:items/host", "compare", [](const undergo::List &args) {
    return undergo::Value(*args[0].get_if<undergo::Object>() == *args[1].get_if<undergo::Object>());
  });
  options.imports().set("test:items/host", "store", [&](const undergo::List &args) {
    stored.push_back(*args[0].get_if<undergo::Object>());
    return undergo::Value();
  });
  const undergo::Instance instance = plugin.instantiate(options);
  const undergo::Object own = item(3);
  const undergo::Value back = instance.call("back", own);
  CHECK(back.get_if<undergo::Object>() != nullptr && *back.get_if<undergo::Object>() == own && *back.get_if<undergo::Object>() != item(3));
  CHECK(instance.call("peek", back).as<int>() == 3);
  instance.call("pass-on", own);
  CHECK(stored.size() == 1 && stored[0] == own);
}

}  // namespace

int main(int argc, char **argv) {
  CHECK(argc == 2);
  typed(argv[1]);
  CHECK(Item::count == 0);
  untyped(argv[1]);
  return finish();
}
