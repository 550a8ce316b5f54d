"""Renders the README of this project with goldmark, a Markdown library that is written in Go.

Usage: main.py markdown.wasm [FILE]
"""

import pathlib
import re
import sys

import undergo

README = pathlib.Path(__file__).parents[2] / "README.md"
source = (pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else README).read_bytes()

markdown = undergo.load(sys.argv[1], limits=undergo.Limits(memory="64MiB", timeout=10.0))
html = markdown.render(source, {"github": True, "unsafe": False})

# Each heading of the source is one of the HTML, in the same order.
headings = markdown.outline(source)
rendered = re.findall(r'<h([1-6]) id="([^"]+)">', html)
assert rendered == [(str(heading.level), heading.id) for heading in headings], rendered

print(f"{len(source)} bytes of Markdown, {len(html.encode())} bytes of HTML")
print(f"{len(headings)} headings:")
for heading in headings:
    print(f"{heading.line:>5}  {'  ' * (heading.level - 1)}{heading.text}")
print(f"{html.count('<pre>')} blocks of code, {html.count('<table>')} tables, {html.count('<a href=')} links")

# HTML in a document is left out, unless the host wants it.
print(markdown.render(b"*Safe* <script>alert(1)</script>", None).strip())
