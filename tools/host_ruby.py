"""Ruby."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import uniffi
from host import Command, Host
from project import BUILD, ROOT, Stamp, run, sources

PROJECT = ROOT / "bindings-uniffi" / "ruby"
GENERATED = BUILD / "uniffi" / "ruby"
GEM = BUILD / "ruby"
"""The gem as a folder: what is written by hand, by UniFFI, and the shared library."""
OLDEST = (3, 1)

BLOCKING = re.compile(r"_(method_turns_(?!stop)\w+|constructor_plugin_\w+|method_plugin_wait_compiled|method_plugin_async_pool)\Z")
"""Functions of the library that may take long: Ruby's lock is free meanwhile."""


class Ruby(Host):
    """Programs run with build/ruby on their load path."""

    name = "ruby"
    program = "main.rb"

    def missing(self) -> str | None:
        """Ruby and its gem ffi are needed."""
        if not shutil.which("ruby"):
            return "there is no ruby; on Debian: apt install ruby ruby-ffi ruby-minitest"
        done = subprocess.run(["ruby", "-e", "puts RUBY_VERSION; require 'ffi'"], capture_output=True, text=True)
        version = done.stdout.strip()
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            return f"ruby is {version}, and {'.'.join(map(str, OLDEST))} is needed"
        return "the gem ffi is missing; on Debian: apt install ruby-ffi" if done.returncode else None

    def build(self) -> None:
        """Put the gem together."""
        library = uniffi.generate("ruby", GENERATED)
        stamp = Stamp("ruby", [library, Path(__file__), *sources("bindings-uniffi/ruby", "LICENSE")])
        if stamp.fresh() and GEM.is_dir():
            return
        stamp.clear()
        shutil.rmtree(GEM, ignore_errors=True)
        GEM.mkdir(parents=True)
        shutil.copytree(PROJECT / "lib", GEM / "lib")
        for file in (PROJECT / "undergo.gemspec", PROJECT / "README.md", ROOT / "LICENSE"):
            shutil.copy2(file, GEM)
        inside = GEM / "lib" / "undergo"
        (inside / "core.rb").write_text(adapted((GENERATED / "undergo_core.rb").read_text(encoding="utf-8")), encoding="utf-8")
        shutil.copy2(library, inside)
        stamp.set()

    def command(self, program: Path, folder: Path) -> Command:
        """Run the program as it is."""
        return ["ruby", "-I", GEM / "lib", program]

    def package(self, into: Path) -> list[Path]:
        """Build the gem of this platform."""
        gem = into / "undergo.gem"
        run(["gem", "build", "--quiet", "--strict", "--output", gem, "undergo.gemspec"], cwd=GEM)
        return [gem]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Install the gem in a folder of its own, beside what Ruby has already."""
        gems = folder / "gems"
        options: Command = ["--local", "--no-document", "--ignore-dependencies", "--install-dir", gems]
        install: Command = ["gem", "install", "--quiet", *options, *packages]
        run(install)
        path = subprocess.run(["gem", "env", "gempath"], capture_output=True, text=True, check=True).stdout.strip()
        return ["env", f"GEM_HOME={gems}", f"GEM_PATH={gems}:{path}", "ruby", shutil.copy2(program, folder)]


def adapted(text: str) -> str:
    """Adapt what UniFFI writes: where the library is, which functions leave Ruby's lock, bytes that are copied at once."""
    text, found = re.subn(r"ffi_lib 'undergo_uniffi'", "ffi_lib ::Undergo.const_get(:LIBRARY)", text)
    _expect(found == 1, "the line with ffi_lib")
    blocking = 0

    def attach(match: re.Match[str]) -> str:
        nonlocal blocking
        if not BLOCKING.search(match[1]):
            return match[0]
        blocking += 1
        return f"{match[0]},\n    blocking: true"

    text = re.sub(r"attach_function :(\w+),\s*\[[^\]]*\],\s*[:\w.]+", attach, text)
    _expect(blocking > 10, "the functions that leave the lock")
    text, found = re.subn(
        r"reserve\(value\.bytes\.size\) do\s*@rust_buf\.data\.put_array_of_char @rust_buf\.len, value\.bytes",
        "reserve(value.bytesize) do\n      @rust_buf.data.put_bytes @rust_buf.len, value",
        text,
    )
    _expect(found == 1, "the writing of bytes")
    return f"# -*- warn-indent: false -*-\n{text}"


def _expect(is_there: bool, what: str) -> None:
    if not is_there:
        raise ValueError(f"UniFFI writes Ruby in another way than tools/host_ruby.py knows: {what} was not found")
