"""What each host offers, read from its sources; test_parity.py compares it with the tables of docs/parity.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from project import ROOT

TABLE = ROOT / "docs" / "parity.md"

Members = dict[str, set[str]]
"""The public members of a host's classes."""


def python() -> Members:
    """Read the package's stubs and its plain classes."""
    package = ROOT / "bindings-python" / "python" / "undergo"
    found: Members = {}
    for file in [package / "_undergo.pyi", package / "_config.py", package / "_records.py", package / "_bound.py", package / "_errors.py"]:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, set()).update(_python_members(node))
    exported = (package / "__init__.py").read_text(encoding="utf-8")
    for node in ast.parse((package / "_handles.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and f'"{node.name}"' in exported:
            found[node.name] = set(_python_members(node))
    return found


def _python_members(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        name = item.name if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) else getattr(getattr(item, "target", None), "id", "_")
        if name == "__init__":
            stored = [part for part in ast.walk(item) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)]
            yield from (
                part.attr for part in stored if isinstance(part.value, ast.Name) and part.value.id == "self" and part.attr[0] != "_"
            )
        elif not name.startswith("_"):
            yield name


def c() -> Members:
    """Read the C header: functions, fields, constants.

    What makes and frees handles and values is the language's own affair.
    """
    text = (ROOT / "bindings-c" / "include" / "undergo.h").read_text(encoding="utf-8")
    nouns = r"^undergo_(value|arena|imports|list|string|bytes|time|text|version|error_new|error_copy|error_of_kind)"
    # What takes one pointer, and comes by one dispatcher, is for hosts over the library.
    nouns += r"|^undergo_(dispatch|entry)|^UNDERGO_DISPATCH|_(enter|dispatched|describe)$"
    own = re.compile(nouns + r"|_(new|delete|fn)$|^UNDERGO_(H|NONE|\w*SECOND|VALUE_\w+|COMPILE_\w+)$")
    text = re.sub(r"//[^\n]*", "", text)
    found: Members = {"": set()}
    for name, body in re.findall(r"^typedef struct (undergo_\w+_t) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        if not own.search(name):
            found[name] = set(re.findall(r"(\w+);", body))
    names = re.findall(r"^typedef struct (undergo_\w+_t) \1;", text, re.MULTILINE)
    names += re.findall(r"^[^\n(#]*?\b(undergo_\w+)\(", text, re.MULTILINE)
    names += re.findall(r"^  (UNDERGO_\w+) = ", text, re.MULTILINE) + re.findall(r"^#define (UNDERGO_\w+) ", text, re.MULTILINE)
    found[""].update(name for name in names if not own.search(name))
    return found


def braced(file: Path, classes: str, members: str) -> Members:
    """Read a language with braces: the lines of a class that are directly in its body.

    Args:
        file: the source.
        classes: a pattern with the name of a class as its group, for the line on which the class
            begins.
        members: a pattern with a member's name as its group.
    """
    found: Members = {}
    inside: list[tuple[int, str]] = []
    depth = 0
    for line in _without_comments(file.read_text(encoding="utf-8")).splitlines():
        begun = re.search(classes, line)
        if inside and inside[-1][0] == depth and not begun:
            name = re.search(members, line)
            if name:
                found[inside[-1][1]].add(name[1])
        depth += line.count("{") - line.count("}")
        while inside and depth < inside[-1][0]:
            inside.pop()
        if begun and "{" in line and "}" not in line:
            inside.append((depth, begun[1]))
            found.setdefault(begun[1], set())
    return found


def _without_comments(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    return re.sub(r"(?<![:\"'])//[^\n]*", "", text)


def join(host: str, noun: str, member: str) -> str:
    """Name a member as the tables do."""
    return f"{noun}{'::' if host in ('C++', 'Rust') else '#' if host == 'Ruby' else '.'}{member}" if noun else member


def go() -> Members:
    """Read the package: what is exported, with the fields and methods of its types. Raw files are for generated code."""
    found: Members = {"": set()}
    for file in sorted((ROOT / "bindings-go").glob("*.go")):
        if file.name.endswith("_test.go") or file.name.startswith("raw"):
            continue
        text = _without_comments(file.read_text(encoding="utf-8"))
        found[""].update(re.findall(r"^func ([A-Z]\w*)[\[(]", text, re.MULTILINE))
        found[""].update(re.findall(r"^(?:var|const|type) ([A-Z]\w*)\b", text, re.MULTILINE))
        for group in re.findall(r"^(?:var|const) \((.*?)^\)", text, re.MULTILINE | re.DOTALL):
            found[""].update(re.findall(r"^\t([A-Z]\w*)\b", group, re.MULTILINE))
        for noun, body in re.findall(
            r"^type ([A-Z]\w*)(?:\[[^\]\n]*\])? (?:struct|interface) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL
        ):
            lists = re.findall(r"^\t([A-Z]\w*(?:, [A-Z]\w*)*)[ (]", body, re.MULTILINE)
            found.setdefault(noun, set()).update(name for names in lists for name in names.split(", "))
        for noun, name in re.findall(r"^func \(\w* ?\*?([A-Z]\w*)(?:\[[^\]\n]*\])?\) ([A-Z]\w*)\(", text, re.MULTILINE):
            if name not in ("Error", "Unwrap", "String"):
                found.setdefault(noun, set()).add(name)
    return found


def java() -> Members:
    """Read the package: public classes with their public methods, and what records have. Raw classes are for generated code."""
    found: Members = {}
    for file in sorted((ROOT / "bindings-jvm" / "src" / "main" / "java").rglob("*.java")):
        text = _without_comments(file.read_text(encoding="utf-8"))
        begun = re.search(
            r"^public (?:abstract |final |sealed |non-sealed )*(class|record|interface) (\w+)(?:\((.*?)\) )?",
            text,
            re.MULTILINE | re.DOTALL,
        )
        if not begun or begun[2].startswith("Raw"):
            continue
        members = found.setdefault(begun[2], set())
        if begun[3]:
            members.update(re.findall(r"(\w+)(?:,|$)", begun[3]))
        public = "" if begun[1] == "interface" else "public "
        declared = rf"(?<!@Override\n)^    {public}(?:static |final |synchronized |<T> )*[\w.]+(?:<[^(]*>)?(?:\[\])? (\w+)\("
        members.update(re.findall(declared, text, re.MULTILINE))
    return found


def kotlin() -> Members:
    """Read the package: public classes with what their constructors and bodies declare, and Java's classes by other names.

    Of Java's exceptions the properties are listed that the package adds to them. `raw` is for generated code.
    """
    found: Members = {}
    of_java = java()
    for file in sorted((ROOT / "bindings-kotlin" / "src" / "main" / "kotlin" / "dev" / "undergo").glob("*.kt")):
        noun = ""
        for line in _without_comments(file.read_text(encoding="utf-8")).splitlines():
            if re.match(r"\s*(?:private|internal|override|init|companion)\b", line):
                noun = "" if re.match(r"(?:private|internal)", line) else noun
                continue
            begun = re.match(r"(?:data |sealed |enum |fun |open )*(?:class|interface) (\w+)", line)
            if begun:
                noun = begun[1]
                found.setdefault(noun, set()).update(
                    re.findall(r"\bval (\w+)(?=: )", line.split(" : ")[0]) if "private val" not in line else ()
                )
            elif alias := re.match(r"typealias (\w+) = (?:dev\.undergo\.java\.)?(\w+)", line):
                own = set() if alias[1].endswith("Exception") else of_java[alias[2]]
                found.setdefault(alias[1], set()).update(own)
            elif added := re.match(r"val (\w+)\.(\w+): ", line):
                found.setdefault(added[1], set()).add(added[2])
            elif re.match(r"\S", line) and not line.startswith((")", "}")):
                noun = ""
            member = re.match(
                r"    (?:@\w+ )*(?:suspend |operator )*(?:fun|val) (?:\w+\.)?(\w+)|        (?:@\w+ )*fun (load|compile|loadCompiled)\b",
                line,
            )
            if noun and member:
                found[noun].add(member[1] or member[2])
    # What an operator is called, what generated code uses, and the units of numbers.
    return {noun: members - {"interface", "invoke", "raw"} for noun, members in found.items() if noun not in ("Int", "String")}


def ruby() -> Members:
    """Read the gem's classes: what they define before their private part."""
    found: Members = {}
    hidden: set[str] = set()
    uses: set[str] = set()
    for file in sorted((ROOT / "bindings-ruby" / "lib" / "undergo").glob("*.rb")):
        text = file.read_text(encoding="utf-8")
        for names in re.findall(r"^  private_constant (.+)$", text, re.MULTILINE):
            hidden.update(re.findall(r":(\w+)", names))
        noun, is_public = "", False
        for line in text.splitlines():
            if begun := re.match(r"  (?:class|module) (\w+)", line):
                noun, is_public = begun[1], True
                found.setdefault(noun, set())
            elif made := re.match(r"  (\w+) = Struct\.new\((.+)\)", line):
                found[made[1]] = set(re.findall(r":(\w+)", made[2]))
            elif re.match(r"  end\b", line):
                noun = ""
            elif re.match(r"    (?:  )?private$|    class << self$", line):
                is_public = line.endswith("self")
            elif re.match(r"    end$", line):
                is_public = is_public or noun in ("Error", "Plugin")
            elif noun and is_public and ":nodoc:" not in line:
                if "include Callable" in line:
                    uses.add(noun)
                if defined := re.match(r"    (?:  )?(?:def (?:self\.)?|attr_reader )(.+)", line):
                    listed = defined[1] if "attr_reader" in line else ":" + re.split(r"[( ]", defined[1])[0]
                    found[noun].update(re.findall(r":([\w?\[\]]+)", listed))
    shared = found.get("Callable", set()) & {"exports"}
    # What Ruby itself asks for, and what its own parts share.
    own = {"initialize", "initialize_copy", "inspect", "to_s", "method_missing", "respond_to_missing?", "table", "of", "place"}
    own |= {"by_kind", "for_kind", "folder", "compiler", "check", "deconstruct", "deconstruct_keys", "hash"}
    return {
        noun: members - (own - {"table"} if noun == "Limits" else own) | (shared if noun in uses else set())
        for noun, members in found.items()
        if noun not in hidden
    }


def node() -> Members:
    """Read the package's declarations: its classes, and what instances and pools have.

    Bags of options are named by what takes them.
    """
    text = _without_comments((ROOT / "bindings-node" / "index.d.ts").read_text(encoding="utf-8"))
    found: Members = {}
    for noun, body in re.findall(r"^(?:export )?(?:declare class|interface) (\w+)[^\n]*\{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        if not noun.endswith(("Options", "Description", "Exports")):
            members = re.findall(r"^  (?:readonly |static )*(\w+)[?<(:]", body, re.MULTILINE)
            found.setdefault({"SyncMembers": "SyncView"}.get(noun, noun.removesuffix("Members")), set()).update(
                set(members) - {"constructor"}
            )
    found.update({noun: set() for noun in re.findall(r"^export declare class (\w+) extends UndergoError \{\}", text, re.MULTILINE)})
    return found


def cpp() -> Members:
    """Read the headers: what the public classes offer to a program with exceptions.

    Each has a twin that gives a Result, try_NAME.
    """
    found: Members = {}
    for file in sorted((ROOT / "bindings-c" / "include" / "undergo").glob("*.hpp")):
        text = re.sub(
            r"namespace detail \{.*?^\} ", "", _without_comments(file.read_text(encoding="utf-8")), flags=re.MULTILINE | re.DOTALL
        )
        for noun, body in re.findall(r"^(?:class|struct) (\w+)(?: : public [\w:]+)? \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL):
            public = re.split(r"^ ?private:", body, flags=re.MULTILINE)[0]
            functions = re.findall(r"^  (?:static |explicit )*[A-Za-z_][\w:<>&*, ]*[ &*](\w+)\(", public, re.MULTILINE)
            fields = re.findall(r"^  [\w:<>]+(?:<[^\n]*>)? (\w+)(?: = [^\n]*|\{[^\n]*\})?;", public, re.MULTILINE)
            members = {name for name in functions + fields if name.islower() and not name.startswith("try_") and not name.endswith("_")}
            found.setdefault(noun, set()).update(members - {"get", "make"})
        found.update({name: set() for name in re.findall(r"^using (\w+) = ErrorOf<", text, re.MULTILINE)})
    # What values and generated headers are made of has no counterpart.
    return {noun: members for noun, members in found.items() if noun not in CPP_VALUES}


CPP_VALUES = {"Answer", "Array", "ErrorOf", "Fields", "Import", "RecordCodec", "Scratch", "Span", "Struct", "Union"}
CPP_VALUES |= {"Case", "EmptyCase", "Items", "Json", "None", "Nothing", "SharedCodec", "Time", "Value", "ValueCase"}


RUST_OWN = {
    "Arguments",
    "AsyncHostClosure",
    "Blocking",
    "CoreFunction",
    "CoreImport",
    "CoreType",
    "ErrorSink",
    "FromGuest",
    "GuestType",
    "HostClosure",
    "HostError",
    "Json",
    "Lease",
    "LineSink",
    "ModuleInfo",
    "ModuleKind",
    "Nanoseconds",
    "Params",
    "PlainCall",
    "Reply",
    "Result",
    "Section",
    "Suspending",
    "Target",
    "Time",
    "ToGuest",
    "Value",
}
"""What Rust's types are made of, and what says less than the tables do."""

RUST_BINDINGS = {
    "arguments",
    "call_here",
    "call_then",
    "call_with",
    "caller",
    "close_handle_here",
    "close_now",
    "export",
    "from_host",
    "host",
    "instantiate_here",
    "lift",
    "lower",
    "named",
    "owned_arguments",
    "plain_call",
    "poll_here",
    "read_memory_then",
    "reset_here",
    "set",
    "with_host",
    "within",
    "write_memory_then",
    "memory_size_then",
    "as_str",
    "is_plain",
    "is_plain_with_objects",
    "takes_plain",
    "member",
    "run_here",
    "serve_at_home",
    "take_here",
}
"""Members that bindings need."""


def rust() -> Members:
    """Read the crate: what its root exports, with the public fields and methods."""
    source = ROOT / "core" / "src"
    root = (source / "lib.rs").read_text(encoding="utf-8").split("pub mod typed {")[0]
    exported: set[str] = set()
    for names in re.findall(r"^pub use [\w:]+::(\{[^}]+\}|\w+);", root, re.MULTILINE):
        exported.update(re.findall(r"[A-Z][a-z]\w+", names))
    found: Members = {noun: set() for noun in exported - RUST_OWN}
    for file in sorted(source.rglob("*.rs")):
        if "interface" in file.relative_to(source).parts:
            continue
        text = _without_comments(file.read_text(encoding="utf-8"))
        for noun, body in re.findall(r"^pub struct (\w+)(?:<[^\n]*>)? \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            if noun in found:
                found[noun].update(re.findall(r"^    pub (\w+):", body, re.MULTILINE))
        for noun, body in re.findall(r"^impl(?:<[^\n]*?>)? (\w+)(?:<[^{\n]*>)? \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            if noun in found:
                found[noun].update(re.findall(r"^    pub (?:const |async |unsafe )*fn (\w+)", body, re.MULTILINE))
        if file.name == "mod.rs" and file.parent.name == "error":
            found["ErrorKind"] = set(re.findall(r'^    (\w+) = "[\w-]+",', text, re.MULTILINE))
    return {noun: members - RUST_BINDINGS for noun, members in found.items()}


SURFACES = {"Python": python, "Node": node, "C": c, "C++": cpp, "Go": go, "Java": java, "Kotlin": kotlin, "Ruby": ruby, "Rust": rust}
"""How the surface of each host is read, by the columns' names."""
