"""Counts visits by a plugin that keeps them in the program's store, and logs to its logger.

Usage: main.py counter.wasm
"""

import logging
import sys
from typing import Any

import undergo

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")

plugin = undergo.Plugin(sys.argv[1])
shared = undergo.keyvalue(stores=["visits"], entries=3) | undergo.logging("counter")

friendly: Any = plugin.instantiate(imports=shared | undergo.config({"store": "visits", "greeting": "Welcome"}))
terse: Any = plugin.instantiate(imports=shared | undergo.config({"store": "visits"}))
print(friendly.visit("/"))
print(terse.visit("/"))
print(terse.visit("/about"))

print(terse.rename("/about", "/us"), terse.rename("/none", "/us"))
print(sorted(friendly.pages().items()))

print(terse.visit("/a"))
try:
    terse.visit("/b")
except undergo.GuestError as error:
    print(error)
try:
    plugin.instantiate(imports=shared | undergo.config({"store": "../visits"})).visit("/")
except undergo.GuestError as error:
    print(error)
