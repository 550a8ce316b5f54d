"""Runs jq's queries over a JSON document of some megabytes.

Usage: main.py jq.wasm
"""

import json
import sys
from collections import Counter

import undergo

CITIES = ["Aachen", "Bogotá", "Cairo", "Dhaka", "Essen", "Fukuoka", "Graz", "Hà Nội"]
ORDERS = 30_000


def order(number: int) -> dict[str, object]:
    """Make an order: always the same for the same number."""
    mixed = number * 2_654_435_761 % 2**32
    lines = [{"article": f"A{(mixed >> n) % 500:03}", "count": 1 + (mixed >> n) % 4, "cents": 99 + mixed % 5_000} for n in (3, 9, 17)]
    return {
        "id": number,
        "city": CITIES[mixed // 7 % len(CITIES)],
        "express": mixed % 7 == 0,
        "note": None,
        "lines": lines[: 1 + mixed % 3],
    }


orders = [order(number) for number in range(ORDERS)]
document = json.dumps(orders, ensure_ascii=False).encode()
print(f"a document of {len(document) / 1e6:.1f} MB")

jq = undergo.load(sys.argv[1], limits=undergo.Limits(memory="512MiB", timeout=60.0))
print(f"{jq.load('orders', document)} orders")

# The document stays in the plugin; a query crosses, and its results come back as Python values.
cities = Counter(order["city"] for order in orders)
for city in jq.query("orders", "group_by(.city)[] | {name: .[0].city, orders: length}"):
    print(f"  {city['name']}: {city['orders']}")
    assert city["orders"] == cities[city["name"]]

(total,) = jq.query("orders", "[.[].lines[] | .count * .cents] | add")
print(f"sold for {total / 100:.2f}")

BEST = """
  [.[].lines[]] | group_by(.article) | map({article: .[0].article, count: map(.count) | add})
  | sort_by(-.count, .article) | limit(3; .[])
"""
print("sold most:", *(f"{best['article']} ({best['count']})" for best in jq.query("orders", BEST)))

# Any value that JSON can hold may be given, and comes back as what it is.
print(*jq.eval(".[] | type", [None, True, 7, 0.25, "grüße", [1], {"a": {}}]))
assert jq.eval(".", {"a": [None, 0.25]}) == [{"a": [None, 0.25]}]

# An error in a query, and one of its run, are errors of a call. The plugin and its document live
# on.
for query in ("map(.city", ".[0] | .city + 1", "missing(.)"):
    try:
        jq.query("orders", query)
    except undergo.GuestError as error:
        print(f"{query}: {error.message}")
print(*jq.query("orders", ".[12345].city"))

# A query that never ends is stopped.
try:
    jq.using(timeout=0.2).eval("def forever: forever; forever", None)
except undergo.TimeoutError as error:
    print(f"{error.kind}:", "alive" if jq.alive else "ended")
