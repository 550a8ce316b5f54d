"""Prints what the parts and the features of a native library cost, in bytes of code, and what its sections are.

sizes.py [LIBRARY]    with the names of its functions; that of Node by default

A function counts for the part whose crate its name has first, so that what is generic counts for who uses it. For a feature
counts what has the feature anywhere in its name.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from project import ARTIFACTS, library

PARTS = {
    "Cranelift, which optimises": r"cranelift\w*|regalloc2|wasmtime_internal_cranelift|pulley\w*",
    "Winch, which is quick": r"winch\w*|wasmtime_internal_winch",
    "the engine: instances, memory, traps": r"wasmtime\w*|wiggle\w*|corosensei|stacker",
    "frames of tracebacks": r"gimli|addr2line|object|rustc_demangle|cpp_demangle",
    "reading modules and WIT": r"wasmparser|wasm_encoder|wit_parser|wit_component|wasm_metadata|wasmprinter|id_arena|semver",
    "Go's code made faster": r"gowasm",
    "files and sockets": r"cap_\w+|rustix|io_lifetimes|system_interface|socket2|ipnet|mio|fs_set_times|tempfile",
    "calls that wait": r"tokio|futures\w*|async_trait|bytes",
    "the cache: digests, compressed artifacts": r"blake3|sha2|zstd\w*|postcard|serde\w*|toml\w*",
    "threads that compile": r"rayon\w*|crossbeam\w*",
    "Undergo's core": r"undergo",
    "the binding": r"undergo_\w+|napi\w*|pyo3\w*|uniffi\w*|magnus|rb_sys|jni\w*",
}
"""The parts, with the names of their crates."""

OWNERS = {name: re.compile(rf"(?:{crates})") for name, crates in PARTS.items()}
REST = "Rust's own library, and the rest"

FEATURES = {
    "components, and WIT": r"component|wasmtime_(?:wasi|environ::fact)|wit_parser|wasm_metadata|undergo::(?:interface::wit|serve)",
    "Pulley, an interpreter, which the engine always has": r"pulley",
    "HTTPS: the feature `tls` of the crate": r"\b(?:rustls|ring|webpki|tokio_rustls|untrusted)\w*::|^ring_core_",
    "Winch, which compiles quickly": r"winch",
    "lines of tracebacks": r"\b(?:addr2line|gimli)::",
    "names of C++ and Rust in tracebacks": r"\b(?:cpp_demangle|rustc_demangle)::",
    "modules as text, which the engine links": r"wasmprinter",
    "sockets": r"wasi::sockets|socket2",
    "HTTP": r"\b(?:http|httparse|httpdate)::|wasi::http",
    "Go's code made faster": r"gowasm",
}
"""What could be left out, or was thought of, with what the names of its functions have."""
SHOWN = (".text", ".rodata", ".eh_frame", ".gcc_except_table", ".rela.dyn", ".data.rel.ro")


def main(file: Path) -> None:
    """Print the three tables."""
    sizes, sections = functions(file), by_section(file)
    code, whole = by_part(sizes), sections[".text"]
    code[REST] += max(0, whole - sum(code.values()))
    table([("part", "code", ""), *((name, megabytes(size), f"{size / whole:.0%}") for name, size in code.most_common())])
    print()
    table([("feature", "code"), *((name, megabytes(size)) for name, size in by_feature(sizes).most_common())])
    print()
    rest = sum(size for name, size in sections.items() if name not in SHOWN)
    table([("section", "size"), *((name, megabytes(sections[name])) for name in SHOWN), ("others", megabytes(rest))])


def functions(file: Path) -> list[tuple[str, int]]:
    """Give the names and sizes of the functions; several may have the same name."""
    told = subprocess.run(["nm", "--print-size", "--demangle", "--defined-only", file], capture_output=True, text=True, check=True)
    return [(name, int(size, 16)) for size, name in re.findall(r"^[0-9a-f]+ ([0-9a-f]+) [tTwW] (.+)$", told.stdout, re.MULTILINE)]


def by_part(sizes: list[tuple[str, int]]) -> Counter[str]:
    """Sum up the functions of each part."""
    sums: Counter[str] = Counter()
    for name, size in sizes:
        sums[part_of(name)] += size
    return sums


def by_feature(sizes: list[tuple[str, int]]) -> Counter[str]:
    """Sum up the functions of each feature."""
    return Counter({feature: sum(size for name, size in sizes if re.search(names, name)) for feature, names in FEATURES.items()})


def part_of(function: str) -> str:
    """Name the part that a function belongs to."""
    for crate in re.findall(r"\b([a-z]\w*)(?=::)", function):
        for name, owned in OWNERS.items():
            if owned.fullmatch(crate):
                return name
    return REST


def by_section(file: Path) -> dict[str, int]:
    """Give the sections that are in the file once it is stripped."""
    told = subprocess.run(["readelf", "--wide", "--sections", file], capture_output=True, text=True, check=True).stdout
    row = re.compile(r"\] (\.\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +(\w*A\w*) ")
    found = {name: int(size, 16) for name, size, _ in row.findall(told)}
    return {name: size for name, size in found.items() if name not in (".bss", ".tbss")}


def megabytes(size: int) -> str:
    """Write a size as the tables have it."""
    return f"{size / 1e6:.2f} MB"


def table(rows: list[tuple[str, ...]]) -> None:
    """Print a table of Markdown."""
    for number, row in enumerate(rows):
        print(f"| {' | '.join(row)} |")
        if number == 0:
            print(f"|{' --- |' * len(row)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ARTIFACTS / library("undergo_node"))
