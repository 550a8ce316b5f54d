"""Checks that need more than a Rust toolchain, and more time than a test: see CONTRIBUTING.md for what each of them is for.

checks.py miri            the tests of the core that run no WebAssembly, under Miri
checks.py fuzz [SECONDS]  each target of core/fuzz for that long, with AddressSanitizer
checks.py deny            licences, sources, bans and advisories of all dependencies

Each builds in a folder of its own: their flags would have everything else built anew.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from project import BUILD, ROOT, TARGET, environment, executable, run, say

TOOLS = BUILD / "tools"
FUZZ = ROOT / "core" / "fuzz"

# The tests of the core whose files run no WebAssembly, but for the tests in them that say so. Those
# in `src` are all run.
MIRI = ["--lib", "--test=fuzz_lift", "--test=roundtrip"]

# Miri and libFuzzer instrument everything they build. What is not under test is not optimised: it
# is built, and hardly runs.
QUICK_BUILD = ['profile.dev.package."*".opt-level=0', "profile.dev.package.cranelift-isle.opt-level=2"]


def main(arguments: list[str]) -> int:
    """Run the check of that name; its exit code is 0 when nothing was found."""
    checks: dict[str, Callable[..., None]] = {"miri": miri, "fuzz": fuzz, "deny": deny}
    if not arguments or arguments[0] not in checks:
        sys.exit(__doc__)
    checks[arguments[0]](*arguments[1:])
    return 0


def miri() -> None:
    """Interpret the tests, looking at each access, each reference and each race."""
    need_nightly("miri", "rust-src")
    quick = [word for setting in QUICK_BUILD for word in ("--config", setting)]
    run(["cargo", "+nightly", "miri", "test", "--locked", "--package=undergo", *MIRI, *quick], env=environment() | in_folder("miri"))


def fuzz(seconds: str = "60") -> None:
    """Run each target of core/fuzz.

    What it learns is kept in `build/fuzz`, and is where the next run begins.
    """
    tool = installed("cargo-fuzz")
    names = sorted(file.stem for file in (FUZZ / "fuzz_targets").glob("*.rs"))
    env = environment() | in_folder("fuzz") | sanitizing()
    failed = []
    for name in names:
        say(f"fuzz {name} for {seconds} seconds")
        corpus, found = BUILD / "fuzz" / name / "corpus", BUILD / "fuzz" / name / "found"
        corpus.mkdir(parents=True, exist_ok=True)
        found.mkdir(parents=True, exist_ok=True)
        command = [tool, "run", f"--fuzz-dir={FUZZ}", name, corpus, *seeds(name)]
        limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={found}/", "-print_final_stats=1"]
        code = subprocess.run([*map(str, command), "--", *limits], cwd=ROOT, env=env).returncode
        if code:
            failed.append(name)
    if failed:
        sys.exit(f"{', '.join(failed)}: what was found lies in {BUILD / 'fuzz'}")


def seeds(name: str) -> list[Path]:
    """Give the folders with what a target may begin from."""
    committed = FUZZ / "seeds" / name
    return [committed] if committed.is_dir() else []


def deny() -> None:
    """Check what is depended on. Without the advisories, where their repository is out of reach."""
    # It reads a few files: what it would gain from an optimised build, the build takes many times
    # over.
    tool = installed("cargo-deny", "--debug")
    fetched = subprocess.run([tool, "fetch", "db"], cwd=ROOT, capture_output=True, text=True)
    if fetched.returncode == 0:
        run([tool, "check"])
    else:
        run([tool, "check", "bans", "licenses", "sources"])
        reason = fetched.stderr.strip().splitlines()[-1:] or ["no reason given"]
        say(f"the advisories were NOT checked: their database can't be fetched ({reason[0].strip()})")


def sanitizing() -> dict[str, str]:
    """Give what lets a compiler use the sanitizers, which are unstable: to be the nightly one, or else to be taken for it."""
    return {"RUSTUP_TOOLCHAIN": "nightly"} if has_nightly() else {"RUSTC_BOOTSTRAP": "1"}


def has_nightly(*components: str) -> bool:
    """Whether there is a nightly toolchain with these."""
    if shutil.which("rustup") is None:
        return False
    listed = subprocess.run(["rustup", "component", "list", "--toolchain", "nightly", "--installed"], capture_output=True, text=True)
    return listed.returncode == 0 and all(name in listed.stdout for name in components)


def need_nightly(*components: str) -> None:
    """Say what is missing of the nightly toolchain, and end."""
    wanted = " ".join(f"--component {name}" for name in components)
    install = f"rustup toolchain install nightly {wanted}".strip()
    if shutil.which("rustup") is None:
        sys.exit(f"this needs a nightly Rust: get rustup from https://rustup.rs, then run '{install}'")
    if not has_nightly(*components):
        sys.exit(f"this needs a nightly Rust: run '{install}'")


def installed(name: str, *flags: str) -> Path:
    """Give a tool of Cargo's, which is compiled with these flags when it is not there yet."""
    path = executable(TOOLS / "bin", name)
    if not path.is_file():
        say(f"compile {name}, which takes some minutes")
        run(["cargo", "install", "--locked", "--root", TOOLS, *flags, name])
    return path


def in_folder(name: str) -> dict[str, str]:
    """Name a folder for what is built in this way."""
    return {"CARGO_TARGET_DIR": str(TARGET / name)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
