"""What the project's tools know of a host language: how its binding is built and packed, and how its programs are run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

Command = list[str | Path]


class Host(ABC):
    """A language in which Undergo can be used.

    One file for each: host_NAME.py; hosts.py has them all.
    """

    name: ClassVar[str]
    """As `undergo new --host` and the documents have it: python."""
    program: ClassVar[str]
    """The file of a program: main.py."""

    def missing(self) -> str | None:
        """Say why its programs can't be run on this machine; None when they can."""
        return None

    @abstractmethod
    def build(self) -> None:
        """Build the binding, for programs that are run in this checkout.

        Quick when nothing has changed.
        """

    @abstractmethod
    def command(self, program: Path, folder: Path) -> Command:
        """Compile a program, if its language wants that, with all that is made in the folder.

        Gives the command that runs it.
        """

    @abstractmethod
    def package(self, into: Path) -> list[Path]:
        """Make what is published, with the binding as it was built, and give the files."""

    @abstractmethod
    def installed(self, packages: list[Path], program: Path, folder: Path) -> Command:
        """Install the packages in an empty folder outside the checkout, with a copy of the program; give the command that runs it."""
