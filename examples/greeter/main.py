"""Calls the greeter: values and errors there and back.

Usage: main.py greeter.wasm
"""

import sys

import undergo

DIRECTORY = {"Ada": ["mathematics", "engines"], "Grace": []}


def lookup(name: str) -> list[str]:
    """Give a person's tags; the plugin calls this."""
    if name not in DIRECTORY:
        raise LookupError(f"{name} is not in the directory")
    return DIRECTORY[name]


plugin = undergo.Plugin(sys.argv[1])
greeter = plugin.instantiate(imports={"directory": {"lookup": lookup}}, limits=undergo.Limits(memory="64MiB", timeout=5.0))

# What the plugin has, with the comments of its Go source.
print("exports:", ", ".join(plugin.exports))
print(greeter.greet.__doc__)
print()

# A dict will do for a record, and what is optional may be left out.
print(greeter.greet({"name": "Ada", "tags": []}, shout=False))

# So will an object of the class that is made for it.
grace = plugin.types.Person(name="Grace", email="grace@example.com", tags=["compilers"])
print(greeter.greet(grace, shout=True))
print()

# An error that the Go function returns.
try:
    greeter.greet({"name": "", "tags": []}, False)
except undergo.GuestError as error:
    print(f"{error.kind}: {error.message}")

# An exception of a Python function reaches Go as an error, where the Go function has one among its
# results.
try:
    greeter.greet({"name": "Nobody", "tags": []}, False)
except undergo.GuestError as error:
    print(f"{error.kind}: {error.message}")

# A value that does not fit: the path says which.
try:
    greeter.greet({"name": "Ada", "tags": ["a", "b", 3]}, False)
except undergo.TypeMismatchError as error:
    print(f"{error.kind}: at {error.path}")

# A name that is misspelt.
try:
    greeter.great(grace, False)
except undergo.UnknownExportError as error:
    print(f"{error.kind}: {error.message}")

# The instance has lived through all of these. A panic ends it.
print("alive" if greeter.alive else "ended")
try:
    greeter.initial({"name": "", "tags": []})
except undergo.PanicError as error:
    print(f"{error.kind}: {error.message}")
    print(f"in {error.frames[0].function}")
print("alive" if greeter.alive else "ended")

# The plugin itself is as good as ever, and a new instance is quickly made.
greeter = plugin.instantiate(imports={"directory": {"lookup": lookup}})
print(greeter.initial(grace))
