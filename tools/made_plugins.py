"""Plugins that are made byte by byte, with names and comments at random, for the tests of what `undergo bindgen` writes."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# fmt: off
# What a doc comment is made of. In WIT its lines end at newlines only.
COMMENTS = [
    '"', "'", '"""', "'''", "`", "\\", "\\\\", "*", "/", "*/", "/*", "/**", "//", "///", "#", "#{INJ()}", "${INJ()}", "$INJ", "\\(INJ())",
    "\r", "\u2028", "\u2029", "\t", "\ufeff", "\u00a0", "\u200b", "\u200f", "\u3164", "\u0301", "ü", "語", "🙂",
    "??/", "?", "???/", "??", "<", ">", "{", "}", "(", ")", ";", ":", "@", "%", "=", "&", "|",
    "=begin", "=end", "__END__", "#include <INJ>", "#define INJ", "#pragma INJ", "_Pragma(INJ)", "%:include <INJ>", ">>> INJ()",
    "INJ", "INJ()", " INJ ", "\rINJ()\r", "\r#define INJ INJ", "*/ INJ() /*", '""" INJ() """', "\\u0022 INJ", "\\u{22} INJ", "\\x22 INJ",
    "@ts-ignore", "@ts-expect-error", "-*- coding: utf-7 -*-", "# coding: utf-7", "shareable_constant_value: literal", "<!--", "-->", "]]>",
    "--", " ", " ", " ",
]

# What the names of a bare module, and of a file, are made of. Control characters are refused when
# the module is loaded.
NAMES = [
    '"', "'", '"""', "\\", '\\"', "`", "*/", "/*", "//", "#", "#{INJ()}", "${INJ()}", "$INJ", "\\(INJ())", "INJ()", " INJ ", "INJ();",
    ";", ": ", ", ", "}", "{", "(", ")", "=", "@", "<", ">", "??/", "?", "|", "%", "&", "\u0301", "ü", "语", "\ufb01", "\uff49", "a", "b.c",
    "_", "__", "A", "1",
]

# Names that mean something somewhere, as they are, and as words of WIT. Python reads the last of
# these as a keyword, or as another name.
KNOWN = [
    "__class__", "__init__", "__proto__", "__debug__", "__END__", "__send__", "_exports", "constructor", "prototype", "toString",
    "then", "new", "eval", "NULL", "EOF", "stdin", "errno", "unix", "linux", "assert", "BEGIN", "END", "self", "super", "init", "Type",
    "Self", "None", "class", "import", "load", "using", "pool", "instance", "exports", "calls", "wit", "initialize", "method_missing",
    "finalize", "getClass", "listOf", "INT8_MAX", "a-b", "a_b", "aB", "a.b", "_", "__", "-", "1", "\ufb01", "\uff49\uff46", "\u0131f",
]
WORDS = [
    "new", "class", "import", "self", "init", "then", "begin", "end", "none", "null", "eof", "errno", "unix", "linux", "stdin",
    "constructor", "type", "load", "using", "pool", "instance", "exports", "calls", "wit", "wait", "notify", "hash", "send", "raise",
    "list-of", "text", "to-value", "to-string", "arguments", "eval", "result", "results", "args", "options", "arena", "user-data",
    "given", "function", "plugin", "undergo", "std", "string", "any", "option", "value", "mro", "name", "values", "entries",
    "get-class", "hash-code", "all-cases", "plugin-value", "NULL", "EOF", "URL", "X", "BEGIN",
]
WORLDS = [
    "w", "undergo", "va", "text", "static", "int8", "NULL", "time",
]
RESERVED = {
    "as", "async", "bool", "borrow", "char", "constructor", "enum", "error-context", "export", "f32", "f64", "flags", "from", "func",
    "future", "import", "include", "interface", "list", "map", "option", "own", "package", "record", "resource", "result", "s16", "s32",
    "s64", "s8", "static", "stream", "string", "tuple", "type", "u16", "u32", "u64", "u8", "use", "variant", "with", "world",
}
# fmt: on


def leb(number: int) -> bytes:
    """Write a number as WebAssembly has it."""
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def vector(items: Sequence[bytes]) -> bytes:
    """Write several things."""
    return leb(len(items)) + b"".join(items)


def text(value: str) -> bytes:
    """Write a name."""
    raw = value.encode()
    return leb(len(raw)) + raw


def section(number: int, items: Sequence[bytes]) -> bytes:
    """Write a section of several things."""
    content = vector(items)
    return bytes([number]) + leb(len(content)) + content


@dataclass
class Module:
    """A plugin in the making."""

    file: str
    wit: str | None = None
    imports: list[tuple[str, str]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    typed: dict[str, int] = field(default_factory=dict)
    """The exports of the interface, and how many words each takes. All give one."""
    destructors: list[str] = field(default_factory=list)
    """The exports that end objects: they take one word, and give none."""
    contract: int = 3
    """The version of the contract with the host that the interface needs."""

    def write(self) -> bytes:
        """Write it: functions of words, which do nothing."""
        most = max([4, *self.typed.values()])
        types = [b"\x60\x00\x00", *(b"\x60" + vector([b"\x7f"] * count) + b"\x01\x7f" for count in range(most + 1)), b"\x60\x01\x7f\x00"]
        silent = {0, most + 2}
        first = len(self.imports)
        functions = [("_initialize", 0), ("cabi_realloc", 5), *((name, 2) for name in self.exports)]
        functions += [(name, count + 1) for name, count in self.typed.items()]
        functions += [(name, most + 2) for name in self.destructors]
        exported = [text(name) + b"\x00" + leb(first + i) for i, (name, _) in enumerate(functions)]
        body = [b"\x02\x00\x0b" if kind in silent else b"\x04\x00\x41\x00\x0b" for _, kind in functions]
        out = b"\0asm\1\0\0\0" + section(1, types)
        if self.imports:
            out += section(2, [text(module) + text(name) + b"\x00" + leb(2) for module, name in self.imports])
        out += section(3, [leb(kind) for _, kind in functions]) + section(5, [b"\x00\x01"])
        out += section(7, [*exported, text("memory") + b"\x02\x00"]) + section(10, body)
        if self.wit is not None:
            raw = self.wit.encode()
            data = b"\xffundergo:interface:%d:%08x:%08x\n" % (self.contract, len(raw), zlib.crc32(raw)) + raw
            out += section(11, [b"\x01" + leb(len(data)) + data])
        return out


def comment(dice: random.Random) -> str:
    """Make a doc comment, of a line or several."""
    lines = ["".join(dice.choice(COMMENTS) for _ in range(dice.randrange(1, 10))) for _ in range(dice.randrange(1, 4))]
    return "".join(f"  /// {line}\n" for line in lines)


def name(dice: random.Random) -> str:
    """Make a name of a bare module."""
    if dice.random() < 0.25:
        return dice.choice(KNOWN)
    return "".join(dice.choice(NAMES) for _ in range(dice.randrange(1, 8)))


def words(dice: random.Random, count: int) -> list[str]:
    """Choose names of WIT, as WIT writes them."""
    return distinct(f"%{word}" if word in RESERVED else word for word in dice.sample(WORDS, count))


def distinct(chosen: Iterable[str]) -> list[str]:
    """Leave out names that are the same to a host."""
    return list({word.lower().replace("-", ""): word for word in chosen}.values())


def typed(dice: random.Random) -> Module:
    """Make a plugin with an interface."""
    kinds = ["s32", "u8", "string", "list<u8>", "list<string>", "option<u16>", "map<string, f64>", "tuple<bool, f32>"]
    types: list[str] = []
    errors: list[str] = []
    out: list[str] = []

    def declare(what: str, shown: str, parts: Iterable[str]) -> None:
        inner = "".join(f"{comment(dice)}  {part},\n" for part in parts)
        out.append(f"{comment(dice)}  {what} {shown} {{\n{inner}  }}\n")

    def fields(count: int) -> list[str]:
        return [f"{part}: {dice.choice(kinds + types)}" for part in words(dice, count)]

    def cases() -> list[str]:
        # Some are called like a type, and may be of it.
        called = distinct([*words(dice, 4), *dice.sample(types, 2)])
        of = [dice.choice([None, *kinds, *types, *[case] * 20 * (case in types)]) for case in called]
        return [f"{case}({kind})" if kind else case for case, kind in zip(called, of, strict=True)]

    for number, shown in enumerate(words(dice, 12)):
        match number % 4:
            case 0:
                declare("record", shown, fields(6))
            case 1:
                declare("enum", shown, words(dice, 5))
            case 2:
                declare("variant", shown, cases())
            case _:
                declare("record", shown, fields(4))
                # An error of that name has no fields.
                errors.extend([shown] * (shown != "text"))
        types.append(shown)
    declare("variant", "errors-of-all", ["text(string)", *(f"{error}(tuple<string, {error}>)" for error in errors)])
    module = Module("typed.wasm")
    for function in words(dice, 6):
        params = words(dice, 2)
        # A value of a type would have more than the two words that a list has.
        shown = ", ".join([*(f"{param}: s32" for param in params), f"p{len(params)}x: list<{dice.choice(types)}>"])
        result = dice.choice(["u32", "result<u32, list<errors-of-all>>"])
        out.append(f"{comment(dice)}  export {function}: func({shown}) -> {result};\n")
        module.typed[function.removeprefix("%")] = len(params) + 2
    world = dice.choice(WORLDS)
    module.wit = f"package a:b;\nworld {'%' if world in RESERVED else ''}{world} {{\n{''.join(out)}}}\n"
    return module


CARRIERS = """
package undergo:go {
  interface types { type batch = u32; }
  interface host-streams {
    resource reader { read: func(most: u32) -> result<list<u8>, string>; close: func() -> result<_, string>; }
    resource writer { write: func(data: list<u8>) -> result<_, string>; close: func() -> result<_, string>; }
  }
  interface guest-streams {
    resource reader { read: func(most: u32) -> result<list<u8>, string>; close: func() -> result<_, string>; }
    resource writer { write: func(data: list<u8>) -> result<_, string>; close: func() -> result<_, string>; }
  }
}
"""
"""What streams and iterators are known by."""


def living(dice: random.Random) -> Module:
    """Make a plugin with what lives longer than a call: resources of both sides, variants of them, functions, iterators and streams."""
    module = Module("living.wasm", contract=4)
    # Capitals are the same to a host, and a method has a parameter of that name already.
    small = [f"%{word}" if word in RESERVED else word for word in WORDS if word.islower() and word != "self"]
    names = iter(dice.sample(small, len(small)))
    items = ["s32", "string", "list<u8>", "tuple<string, f64>"]
    api, objects, callbacks, of_world = [], [], [], []

    def some(count: int) -> list[str]:
        return dice.sample(small, count)

    def method(shown: str, result: str) -> str:
        return f"{comment(dice)}    {shown}: func({some(1)[0]}: s32) -> {result};\n"

    def plain(shown: str) -> str:
        return shown.removeprefix("%")

    def export(shown: str, params: list[tuple[str, int]], result: str) -> None:
        """Have the interface export a function, with parameters of so many words."""
        taken = ", ".join(f"{param}: {kind}" for param, (kind, _) in zip(some(9), params, strict=False))
        api.append(f"{comment(dice)}  {shown}: func({taken}) -> {result};\n")
        module.typed[f"a:b/api#{plain(shown)}"] = sum(count for _, count in params)

    for number in range(3):
        shown = next(names)
        own = some(3)
        methods = [method(name, "u32") for name in own]
        made = comment(dice) + f"    constructor({some(1)[0]}: s32);\n" if number else ""
        api.append(f"{comment(dice)}  resource {shown} {{\n{made}{''.join(methods)}  }}\n")
        module.typed |= {f"a:b/api#[method]{plain(shown)}.{plain(name)}": 2 for name in own}
        if number:
            module.typed[f"a:b/api#[constructor]{plain(shown)}"] = 1
        module.destructors.append(f"a:b/api#[dtor]{plain(shown)}")
        record, variant, cases = next(names), next(names), some(3)
        fields = ", ".join(f"{part}: {kind}" for part, kind in zip(some(2), [shown, f"option<{shown}>"], strict=True))
        api.append(f"{comment(dice)}  record {record} {{ {fields} }}\n")
        parts = ", ".join(f"{case}({kind})" if kind else case for case, kind in zip(cases, [shown, record, None], strict=False))
        api.append(f"{comment(dice)}  variant {variant} {{ {parts} }}\n")
        export(next(names), [(f"borrow<{shown}>", 1), (f"option<borrow<{shown}>>", 2), (f"list<{record}>", 2)], shown)
        export(next(names), [(f"list<{variant}>", 2)], variant)
        iterator = next(names)
        next_of = f"    next: func(most: batch) -> tuple<list<{dice.choice(items)}>, bool>;\n"
        api.append(f"{comment(dice)}  resource {iterator} {{\n{next_of}  }}\n")
        module.typed[f"a:b/api#[method]{plain(iterator)}.next"] = 2
        module.destructors.append(f"a:b/api#[dtor]{plain(iterator)}")
        export(next(names), [("s32", 1)], dice.choice([iterator, f"option<{iterator}>"]))
        # What the host gives.
        given, called, taken = next(names), next(names), next(names)
        result = dice.choice(["u32", "result<string, string>", f"option<{given}>"])
        objects.append(f"{comment(dice)}  resource {given} {{\n{''.join(method(name, result) for name in some(3))}  }}\n")
        objects.append(f"{comment(dice)}  resource {taken} {{\n{next_of}  }}\n")
        answer = dice.choice(["s32", "result<list<u8>, string>"])
        callbacks.append(f"  resource {called} {{\n    call: func({some(1)[0]}: string) -> {answer};\n  }}\n")
        of_world.append(f"  use objects.{{{given}, {taken}}};\n  use callbacks.{{{called}}};\n")
        function = next(names)
        params = ", ".join(f"{param}: borrow<{kind}>" for param, kind in zip(some(9), [given, called, taken, "reader"], strict=False))
        of_world.append(f"{comment(dice)}  export {function}: func({params}) -> u32;\n")
        module.typed[plain(function)] = params.count("borrow<")
    export(next(names), [("s32", 1)], "guest-writer")
    for stream, transfer, words in [("reader", "read", 2), ("writer", "write", 3)]:
        of = "undergo:go/guest-streams#"
        module.typed |= {f"{of}[method]{stream}.{transfer}": words, f"{of}[method]{stream}.close": 1}
        module.destructors.append(f"{of}[dtor]{stream}")
    shown = dice.choice([f"%{world}" if world in RESERVED else world for world in WORLDS])
    use = "  use undergo:go/types.{batch};\n"
    module.wit = (
        f"package a:b;\ninterface api {{\n{use}  use undergo:go/guest-streams.{{writer as guest-writer}};\n{''.join(api)}}}\n"
        f"interface objects {{\n{use}{''.join(objects)}}}\ninterface callbacks {{\n{''.join(callbacks)}}}\n"
        f"world {shown} {{\n  use undergo:go/host-streams.{{reader}};\n  export undergo:go/guest-streams;\n  export api;\n"
        f"{''.join(of_world)}}}\n{CARRIERS}"
    )
    return module


def interface(dice: random.Random) -> str:
    """Make the WIT of an interface that a plugin could import."""
    kinds = ["s32", "u8", "string", "list<u8>", "list<string>", "option<u16>", "map<string, f64>", "tuple<bool, f32>"]
    # Capitals are refused, and a method has a parameter of that name already.
    small = [word for word in WORDS if word.islower() and word != "self"]
    types: list[str] = []
    errors: list[str] = ["string"]
    out: list[str] = []

    def some(count: int) -> list[str]:
        return distinct(f"%{word}" if word in RESERVED else word for word in dice.sample(small, count))

    def declare(what: str, shown: str, parts: Iterable[str], end: str = ",") -> None:
        inner = "".join(f"{comment(dice)}  {part}{end}\n" for part in parts)
        out.append(f"{comment(dice)}  {what} {shown} {{\n{inner}  }}\n")

    def function(params: list[str]) -> str:
        taken = ", ".join(f"{param}: {dice.choice(kinds + types)}" for param in params)
        value = dice.choice(["_", *kinds, *types])
        return f"func({taken}) -> result<{value}, {dice.choice(errors)}>"

    names = some(20)
    for number, shown in enumerate(names[:8]):
        match number % 4:
            case 0:
                declare("record", shown, [f"{part}: {dice.choice(kinds + types)}" for part in some(5)])
            case 1:
                declare("enum", shown, some(5))
            case 2:
                declare("variant", shown, [f"{case}({dice.choice(kinds + types)})" if dice.random() < 0.7 else case for case in some(5)])
            case _:
                declare("resource", shown, [f"{method}: {function(some(2))}" for method in some(3)], ";")
                continue
        types.append(shown)
        errors.append(shown)
    out += [f"{comment(dice)}  {shown}: {function(some(3))};\n" for shown in names[8:]]
    return f"package a:b@1.2.3-x;\n{comment(dice)}interface {dice.choice(['i', 'store', '%type', 'go', 'main'])} {{\n{''.join(out)}}}\n"


def bare(dice: random.Random) -> Module:
    """Make a plugin without one. Its file has any name."""
    file = "".join(dice.choice([*NAMES, "\n", "\r", "\u2028", "\x1b", "-*- coding: utf-7 -*-"]) for _ in range(dice.randrange(1, 7)))
    taken = {"_initialize", "_start", "cabi_realloc", "memory", "undergo_arena", "undergo_poll"}
    exports = {made for made in (name(dice) for _ in range(24)) if made not in taken}
    imports = {(module, name(dice)) for module in [name(dice) for _ in range(5)] for _ in range(4)}
    return Module(file.replace("/", ":").replace("\0", "")[:60] + ".wasm", imports=sorted(imports), exports=sorted(exports))
