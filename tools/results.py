"""bench/results.md, section by section: each program that measures has one of its own."""

from __future__ import annotations

import re

from project import ROOT

RESULTS = ROOT / "bench" / "results.md"


def write(title: str, text: str) -> None:
    """Put a section into the results, in place of an older one of that title."""
    old = RESULTS.read_text(encoding="utf-8")
    without = re.sub(rf"\n## {re.escape(title)}\n.*?(?=\n## |\Z)", "", old, flags=re.DOTALL)
    RESULTS.write_text(f"{without.rstrip()}\n\n## {title}\n\n{text.strip()}\n", encoding="utf-8")
