"""Ruby."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import archives
import c_library
import native
import sbom
from host import Command, Host
from project import BUILD, ROOT, Stamp, cargo_library, environment, library, run, sources

PROJECT = ROOT / "bindings-ruby"
GEM = BUILD / "ruby"
"""The gem as a folder: what is written in Ruby, and the native library."""
OLDEST = (3, 1)


class Ruby(Host):
    """Programs run with build/ruby on their load path."""

    name = "ruby"
    program = "main.rb"

    def missing(self) -> str | None:
        """Ruby and its headers are needed, and libclang, which reads these."""
        if not shutil.which("ruby"):
            return "there is no ruby; on Debian: apt install ruby ruby-dev ruby-minitest libclang-dev"
        program = "puts RUBY_VERSION; exit File.file?(File.join(RbConfig::CONFIG['rubyhdrdir'], 'ruby.h'))"
        done = subprocess.run(["ruby", "-e", program], capture_output=True, text=True)
        version = done.stdout.strip()
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            return f"ruby is {version}, and {'.'.join(map(str, OLDEST))} is needed"
        return "the headers of Ruby are missing; on Debian: apt install ruby-dev libclang-dev" if done.returncode else None

    def build(self) -> None:
        """Put the gem together."""
        built = cargo_library("undergo-ruby") / library("undergo_ruby")
        stamp = Stamp("ruby", [built, Path(__file__), *sources("bindings-ruby/lib", "bindings-ruby/README.md", "LICENSE")])
        if stamp.fresh() and GEM.is_dir():
            return
        stamp.clear()
        shutil.rmtree(GEM, ignore_errors=True)
        GEM.mkdir(parents=True)
        shutil.copytree(PROJECT / "lib", GEM / "lib")
        for file in (PROJECT / "undergo.gemspec", PROJECT / "README.md", ROOT / "LICENSE"):
            shutil.copy2(file, GEM)
        # Ruby knows an extension by the name of its function, without the system's prefix.
        suffix = ".bundle" if built.suffix == ".dylib" else ".so"
        native.install(built, GEM / "lib" / "undergo" / f"undergo_ruby{suffix}")
        shutil.copy2(sbom.of("undergo-ruby"), GEM / "sbom.cdx.json")
        stamp.set()

    def command(self, program: Path, folder: Path) -> Command:
        """Run the program as it is."""
        return ["ruby", "-I", GEM / "lib", program]

    def package(self, into: Path) -> list[Path]:
        """Build the gem of this platform."""
        gem = into / f"undergo-{c_library.version()}-{platform()}.gem"
        env = environment() | {"SOURCE_DATE_EPOCH": str(archives.epoch())}
        run(["gem", "build", "--quiet", "--strict", "--output", gem, "undergo.gemspec"], cwd=GEM, env=env)
        return [gem]

    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Install the gem in a folder of its own, beside what Ruby has already."""
        gems = folder / "gems"
        options: Command = ["--local", "--no-document", "--ignore-dependencies", "--install-dir", gems]
        install: Command = ["gem", "install", "--quiet", *options, *packages]
        run(install)
        path = subprocess.run(["gem", "env", "gempath"], capture_output=True, text=True, check=True).stdout.strip()
        return ["env", f"GEM_HOME={gems}", f"GEM_PATH={gems}:{path}", "ruby", shutil.copy2(program, folder)]


def platform() -> str:
    """Name this machine's platform as RubyGems does."""
    question = ["ruby", "-e", "puts Gem::Platform.local"]
    return subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip()
