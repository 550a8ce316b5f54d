"""Checks that nothing in the Rust code makes a forked child wait for a thread that it does not have.

Whoever meets a `Once`, or one of its kin, that another thread is in the middle of waits for that thread, and so does
whoever meets a static lock. In a child that was forked at that moment the thread is not there. `core/src/platform/fork.rs` has
kinds that make nobody wait; what stands elsewhere is listed here, with the reason why it does no harm.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from project import ROOT

# By file and name: of a static value its own name, of a type that of the type.
HARMLESS = {
    ("core/src/abi/handles.rs", "OnceLock"): "set before anybody else has the instance",
    ("core/src/interface/resource.rs", "OnceLock"): "set while the interface is read, before anybody else has it",
    ("core/src/interface/wit/resource.rs", "OnceLock"): "made there",
    ("core/src/compile/tiering.rs", "ALL"): "taken within `fork::hold`: a child that is forked meanwhile uses no plugins",
    ("core/src/compile/queue.rs", "OnceLock"): "in a `PerProcess`, which a child makes anew",
    ("core/src/plugin/linked.rs", "OnceLock"): "made within `fork::hold`: a child that is forked meanwhile uses no plugins",
    ("core/src/serve/registry.rs", "OnceLock"): "a connection's, set by the thread that accepts it",
    ("core/src/wasi/http/incoming.rs", "OnceLock"): "a request's, which runs in threads that a child does not have",
    ("core/src/sched/ticker.rs", "OnceLock"): "in a `PerProcess`, which a child makes anew",
    ("core/src/platform/async_fd.rs", "OnceLock"): "a socket's, and so an instance's, of which a child has none of its parent's",
    ("bindings-c/src/handles.rs", "OnceLock"): "a handle's, and so an instance's, of which a child has none of its parent's",
    ("bindings-c/src/jvm.rs", "OnceLock"): "the JVM's, which does not fork",
    ("bindings-c/src/jvm.rs", "RELEASED"): "the JVM's, which does not fork",
    ("bindings-node/src/bytes.rs", "OnceLock"): "a buffer's, and Node does not fork",
}

KINDS = re.compile(r"\b(?:OnceLock|LazyLock|PyOnceLock|intern!|once_cell|lazy_static|(?:sync|thread)::Once\b|Once::new|(?<=: )Once\b)")
GROUP = re.compile(r"\bsync::\{[^}]*\bOnce\b[^}]*\}")
STATIC = re.compile(r"\bstatic\s+(?:mut\s+)?(\w+)\s*:\s*((?:[^=;\[]|\[[^\]]*\])*?)=", re.DOTALL)
LOCK = re.compile(r"\b(?:Mutex|RwLock|Condvar|ReentrantLock|Barrier|Semaphore)\b")
SAFE = re.compile(r"^\[?(?:PerProcess|Lasting)\s*<")
COMMENT = re.compile(r"//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"")


def main() -> int:
    """Print what is neither one of the kinds of fork.rs nor listed, and what is listed without need; 1 when there is any."""
    listed = subprocess.run(["git", "ls-files", "-z", "*.rs"], cwd=ROOT, capture_output=True, check=True)
    files = [Path(name) for name in listed.stdout.decode().split("\0") if name and is_shipped(Path(name)) and (ROOT / name).is_file()]
    found = {(file.as_posix(), name): line for file in files for name, line in waits((ROOT / file).read_text(encoding="utf-8"))}
    cure = "use PerProcess or Lasting of core/src/platform/fork.rs, or list it in tools/statics.py"
    wrong = [
        f"{file}:{line}: {name} may make a forked child wait for ever: {cure}"
        for (file, name), line in found.items()
        if (file, name) not in HARMLESS
    ]
    wrong += [f"tools/statics.py: {file} has no {name} any more" for file, name in HARMLESS if (file, name) not in found]
    print("\n".join([*wrong, f"{len(wrong)} static values that forks can harm, in {len(files)} files"]))
    return 1 if wrong or not files else 0


def is_shipped(file: Path) -> bool:
    """Whether it is part of what is published, and not fork.rs itself."""
    return (
        "src" in file.parts
        and not {"tests", "fuzz_targets", "examples"} & set(file.parts)
        and file.as_posix() != "core/src/platform/fork.rs"
    )


def waits(text: str) -> list[tuple[str, int]]:
    """Give the names of what makes whoever comes meanwhile wait, each with the line of its first appearance."""
    # The tests of a file come last.
    text = COMMENT.sub("", text.split("#[cfg(test)]\nmod tests", 1)[0])
    found: dict[str, int] = {}
    for match in (*KINDS.finditer(text), *GROUP.finditer(text)):
        name = match[0] if match[0] in {"OnceLock", "LazyLock", "PyOnceLock", "once_cell", "lazy_static"} else "Once"
        found.setdefault(name, text.count("\n", 0, match.start()) + 1)
    for match in STATIC.finditer(text):
        if LOCK.search(match[2]) and not SAFE.match(match[2].strip()):
            found.setdefault(match[1], text.count("\n", 0, match.start()) + 1)
    return list(found.items())


if __name__ == "__main__":
    sys.exit(main())
