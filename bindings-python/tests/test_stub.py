"""The stub and the native module have the same docstrings."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import undergo
from undergo import _undergo

STUB = Path(undergo.__file__).with_name("_undergo.pyi")
GO_DOCSTRINGS = {"Function", "AsyncFunction"}
"""Classes without a docstring: their objects have those of Go functions."""

Documented = ast.ClassDef | ast.FunctionDef


def documented() -> Iterator[tuple[str, Documented]]:
    """Give what the stub declares, by its name in the module.

    Python documents the special methods.
    """
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, Documented):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("__"):
                    yield f"{node.name}.{member.name}", member


@pytest.mark.parametrize(("name", "node"), list(documented()), ids=lambda value: value if isinstance(value, str) else "")
def test_the_stub_has_the_docstrings_of_the_module(name: str, node: Documented) -> None:
    in_stub = ast.get_docstring(node)
    assert in_stub, f"{name} has no docstring in {STUB.name}"
    if name in GO_DOCSTRINGS:
        return
    owner, _, member = name.rpartition(".")
    found = inspect.getattr_static(getattr(_undergo, owner) if owner else _undergo, member)
    assert inspect.cleandoc(found.__doc__ or "") == in_stub
