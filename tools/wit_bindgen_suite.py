"""Runs the runtime tests in a checkout of wit-bindgen: builds their components in Rust and C, and links their instances.

wit_bindgen_suite.py DIR          all tests
wit_bindgen_suite.py DIR NAME...  those, by the names of their folders in tests/runtime

Upstream composes the components of a test to one, which the Wasmtime CLI runs. Here each is a plugin, whose instance has the
exports of others as its imports, as the test's compose.wac says, or else all those of the others.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import undergo
from wit_bindgen import OTHERS, BuildError, Source, component, options, words

TESTS = Path("tests", "runtime")
RUNNER = "runner"
WORLD = "world"
"""What a plugin calls the functions that its world imports by themselves."""

LET = re.compile(r"let\s+([\w-]+)\s*=\s*new\s+test:([\w-]+)\s*\{([^}]*)\}")
"""An instance in a compose.wac: its name, its world, and its arguments."""


class RenamedError(Exception):
    """A composition gives a function another name, which links of instances do not."""


@dataclass(frozen=True)
class Test:
    """A folder of tests/runtime."""

    folder: Path
    name: str

    @property
    def worlds(self) -> list[str]:
        """What the runner imports from."""
        return words(options(self.folder / "test.wit").get("dependencies", "test"))

    def sources(self) -> list[Source]:
        """Find the programs. Each is of the first world with whose name its own begins."""
        found = []
        for path in sorted(self.folder.iterdir()):
            world = next((world for world in (RUNNER, *self.worlds) if path.name.startswith(world)), None)
            if path.is_file() and path.name != "test.wit" and world is not None:
                found.append(Source(path, world))
        return found

    def skipped(self) -> str | None:
        """Why it is not run, if it is not."""
        if options(self.folder / "test.wit").get("async"):
            return "it is of WASI 0.3"
        flags = [flag for source in self.sources() if source.language for flag in words(options(source.path).get("wasmtime-flags"))]
        if flags:
            return f"it asks Wasmtime for what is not in WASI 0.2: {' '.join(sorted(set(flags)))}"
        built = {source.world for source in self.sources() if source.language}
        if not built.issuperset([RUNNER, *self.worlds]):
            return f"neither Rust nor C has {' and '.join(world for world in (RUNNER, *self.worlds) if world not in built)}"
        return None

    def cases(self) -> Iterator[Case]:
        """Give each choice of the programs that can be built, the runner first."""
        sources = [source for source in self.sources() if source.language]
        for chosen in itertools.product(*([s for s in sources if s.world == world] for world in (RUNNER, *self.worlds))):
            yield Case(self, chosen)


@dataclass(frozen=True)
class Case:
    """A program for each world of a test."""

    test: Test
    sources: tuple[Source, ...]

    def __str__(self) -> str:
        return f"{self.test.name}: {' → '.join(source.path.name for source in self.sources)}"

    @property
    def languages(self) -> str:
        """Those of its programs, the runner's first."""
        return " → ".join(source.language or "" for source in self.sources)

    def verdict(self, checkout: Path) -> tuple[str, str]:
        """Run it; gives whether it is `ok`, and what is wrong."""
        try:
            self.run(checkout)
        except RenamedError as error:
            return "skip", str(error)
        except (undergo.Error, BuildError) as error:
            return "FAIL", str(error)
        return "ok", ""

    def run(self, checkout: Path) -> None:
        """Link the instances, and call the runner."""
        plugins = {source.world: undergo.Plugin(component(source, checkout)) for source in self.sources}
        instances: dict[str, undergo.Instance] = {}
        for name, world, arguments in self.composition():
            instances[name] = plugins[world].instantiate(imports=imports(plugins[world], arguments, instances))
        # The runner is the last one.
        instances[name].run()

    def composition(self) -> list[tuple[str, str, list[str]]]:
        """Give the instances in the order in which they are made: their names, worlds, and arguments as in a compose.wac."""
        wac = options(self.test.folder / "test.wit").get("wac")
        if wac is None:
            others = [source.world for source in self.sources[1:]]
            return [*((world, world, []) for world in others), (RUNNER, RUNNER, [f"...{world}" for world in others])]
        text = Path(self.test.folder, str(wac)).read_text(encoding="utf-8")
        return [(name, world, [argument.strip() for argument in arguments.split(",")]) for name, world, arguments in LET.findall(text)]


def imports(plugin: undergo.Plugin, arguments: list[str], instances: dict[str, undergo.Instance]) -> dict[str, undergo.Instance]:
    """Give the instances whose exports a plugin gets, by the interfaces that it imports."""
    found: dict[str, undergo.Instance] = {}
    for argument in filter(lambda argument: argument not in ("", "..."), arguments):
        if argument.startswith("..."):
            found |= dict.fromkeys(plugin.imports, instances[argument.removeprefix("...")])
            continue
        name, given = (part.strip() for part in argument.split(":"))
        # A function that the world imports by itself has no interface.
        called = name.replace("-", "_")
        fits = [
            interface for interface, own in plugin.imports.items() if (called in own if interface == WORLD else name == short(interface))
        ]
        instance, _, export = given.partition(".")
        if WORLD in fits and export != name:
            raise RenamedError(f"it takes {export} for {name}")
        found |= dict.fromkeys(fits, instances[instance])
    return found


def short(interface: str) -> str:
    """Give the name of an interface without its package and its version."""
    return interface.partition("@")[0].rpartition("/")[2]


def main() -> int:
    """Run the tests; 0 when no case fails."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    checkout = given.checkout.resolve()
    folders = sorted(wit.parent for wit in (checkout / TESTS).rglob("test.wit"))
    tests = [Test(folder, folder.relative_to(checkout / TESTS).as_posix()) for folder in folders]
    chosen = [test for test in tests if not given.names or test.name in given.names]
    if not chosen:
        sys.exit(f"{checkout} has no such tests: it is to be a checkout of wit-bindgen")
    counts: collections.Counter[str] = collections.Counter()
    by_language: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for test in chosen:
        if why := test.skipped():
            counts["skip"] += 1
            print(f"skip {test.name}: {why}", flush=True)
            continue
        for case in test.cases():
            verdict, text = case.verdict(checkout)
            counts[verdict] += 1
            by_language[case.languages][verdict] += 1
            print(f"{verdict:4} {case}", *text.strip().splitlines(), sep="\n     ", flush=True)
    others = collections.Counter(OTHERS[source.path.suffix] for test in chosen for source in test.sources() if source.path.suffix in OTHERS)
    if others:
        print(f"not built: {', '.join(f'{number} sources in {language}' for language, number in sorted(others.items()))}")
    for languages, verdicts in sorted(by_language.items()):
        print(f"{languages}: {verdicts['ok']} of {verdicts.total()}")
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
