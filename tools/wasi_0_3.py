"""Tests components of WASI 0.3, for which the core and the command line tool are built with the feature `wasi-0-3`.

wasi_0_3.py [DIR]    with DIR, a checkout of wasi-testsuite's branch prod/testsuite-base, also its cases of WASI 0.3
"""

from __future__ import annotations

import sys
from pathlib import Path

from project import PROFILE, ROOT, TARGET, cargo_test, environment, executable, run, say

OWN = TARGET / "wasi-0.3"
"""Where Cargo builds with the feature, beside what it builds without."""


def main(checkouts: list[str]) -> None:
    """Run the tests, and the cases of a checkout."""
    env = environment() | {"CARGO_TARGET_DIR": str(OWN)}
    say("cargo test --features wasi-0-3")
    run([*cargo_test(), "--package", "undergo", "--features", "wasi-0-3", "--lib", "--test=wasi_0_3"], env=env)
    for checkout in checkouts:
        say("cargo build --package undergo-cli --features wasi-0-3")
        # With the engine that the tests have.
        config = ROOT / "tools" / "tests.toml"
        run(["cargo", "--config", config, "build", "--profile", PROFILE, "--package", "undergo-cli", "--features", "wasi-0-3"], env=env)
        program = executable(OWN / ("debug" if PROFILE == "dev" else PROFILE), "undergo")
        run([sys.executable, ROOT / "tools" / "wasi_suite.py", "--wasi-0.3", Path(checkout)], env=env | {"UNDERGO_WASI_0_3": str(program)})


if __name__ == "__main__":
    main(sys.argv[1:])
