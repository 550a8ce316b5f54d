"""Names and comments at random come into what `undergo bindgen` writes as names and comments, and as nothing else.

The plugins are made of pieces that mean something in one of the languages. Each file that is written for them is read by the language's own
parser; for Kotlin and Swift, by that of tree-sitter. It has to be without mistakes, and the word INJ, which is in nearly all names and
comments, may stand in comments and strings only.

SEED=… tries others, and MODULES=… more of them.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import c_library
import go
import host_go
import node_suite
import pytest
import tree_sitter
import tree_sitter_kotlin
import tree_sitter_swift
from host_java import JAR
from host_rust import Rust
from hosts import HOSTS
from made_plugins import Module, bare, interface, living, typed
from project import CLI, ROOT, environment

SEED = int(os.environ.get("SEED") or 20261129)
MODULES = int(os.environ.get("MODULES") or 10)
INCLUDE = ROOT / "bindings-c" / "include"

LANGUAGES = {
    "c": "made.h",
    "cpp": "made.hpp",
    "go": "made.go",
    "java": "Made.java",
    "kotlin": "made.kt",
    "python": "made.py",
    "ruby": "made.rb",
    "rust": "made.rs",
    "swift": "made.swift",
    "ts": "made.ts",
}
"""The file that is written in each."""


@dataclass
class Written:
    """What was written for a plugin."""

    path: Path
    module: Module

    @functools.cached_property
    def source(self) -> bytes:
        """What it says."""
        return self.path.read_bytes()

    def __str__(self) -> str:
        """Say which it is, for whoever reads of a failure."""
        return f"SEED={SEED}: {self.path}, of {self.module}"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Written]]:
    """Write all files for all plugins."""
    print(f"SEED={SEED} MODULES={MODULES}")
    folder = tmp_path_factory.mktemp("bindgen")
    dice = random.Random(SEED)
    modules = [(bare, typed, living)[number % 3](dice) for number in range(MODULES)]
    files: dict[str, list[Written]] = {language: [] for language in LANGUAGES}
    jobs = []
    for number, module in enumerate(modules):
        place = folder / str(number)
        place.mkdir()
        wasm = place / module.file
        wasm.write_bytes(module.write())
        for language, file in LANGUAGES.items():
            made = Written(place / file, module)
            files[language].append(made)
            jobs.append(([CLI, "bindgen", wasm, "--lang", language, "-o", made.path], made))
    env = {**os.environ, "UNDERGO_CACHE_DIR": str(folder / "cache")}

    def run(job: tuple[list[str | Path], Written]) -> None:
        command, made = job
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{made}\n{done.stderr}"

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, jobs))
    return files


def word(found: str) -> bool:
    """Whether the word that is looked for stands there on its own."""
    return re.search(r"(?<![A-Za-z0-9_])INJ(?![A-Za-z0-9_])", found) is not None


def check(files: list[Written], mistake: Callable[[Written], str | None]) -> None:
    """Expect no mistake in any of the files."""
    mistakes = [f"{found}\n    in {made}" for made in files if (found := mistake(made))]
    assert not mistakes, "\n".join(mistakes[:3])


def test_python(written: dict[str, list[Written]]) -> None:
    def mistake(made: Written) -> str | None:
        try:
            tree = ast.parse(made.source, feature_version=(3, 10))
        except (SyntaxError, ValueError) as error:
            return f"{error}"
        for node in ast.walk(tree):
            named = [getattr(node, key, None) for key in ("id", "attr", "name", "arg")]
            if any(isinstance(found, str) and word(found) for found in named):
                return f"line {getattr(node, 'lineno', 0)} has a name from a text"
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and len({*members(node)}) < len(members(node)):
                return f"{node.name} has a member twice: {members(node)}"
        compile(made.source, "made.py", "exec")
        return "a test for doctest" if b">>>" in made.source else None

    check(written["python"], mistake)


def members(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    """Give the names of a class's members, or of a function's parameters."""
    if isinstance(node, ast.FunctionDef):
        return [arg.arg for arg in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
    names = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
    names += [part.target.id for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)]
    targets = [target for part in node.body if isinstance(part, ast.Assign) for target in part.targets]
    return names + [target.id for target in targets if isinstance(target, ast.Name)]


def compilers(*names: str) -> list[str]:
    """Give those compilers that are there."""
    return [name for name in names if shutil.which(name)]


def preprocessed(made: Written, compiler: str, language: str, standard: str) -> str | None:
    """Look for the word where a compiler has taken away comments, and joined lines.

    Headers of others are not read.
    """
    alone = re.sub(rb"(?m)^#include <(undergo\.hp?p?|[a-z_]+)>$", b"", made.source)
    # Warnings are for what could be meant otherwise: a comment within a comment, a line that goes
    # on.
    command = [compiler, f"-std={standard}", "-Wcomment", "-Werror", "-E", "-P", "-x", language, "-"]
    done = subprocess.run(command, input=alone, capture_output=True)
    if done.returncode:
        return f"{compiler} -std={standard}: {done.stderr.decode(errors='replace')[:500]}"
    code = re.sub(r'"(\\.|[^"\\\n])*"', '""', done.stdout.decode(errors="replace"))
    found = next((line for line in code.splitlines() if word(line)), None)
    return f"{compiler} -std={standard} has code of a text: {found[:200]}" if found else None


def compiled(made: Written, compiler: str, language: str, standard: str, *flags: str) -> str | None:
    """Compile a header."""
    command = [compiler, f"-std={standard}", *flags, "-Wall", "-Wextra", "-fsyntax-only", f"-I{INCLUDE}", "-x", language, "-"]
    done = subprocess.run(command, input=f'#include "{made.path}"\n'.encode(), capture_output=True)
    return f"{compiler} -std={standard}: {done.stderr.decode(errors='replace')[:1500]}" if done.returncode or done.stderr else None


def first(found: Iterator[str | None]) -> str | None:
    """Give the first mistake."""
    return next(filter(None, found), None)


def test_c(written: dict[str, list[Written]]) -> None:
    def mistake(made: Written) -> str | None:
        ways = [(compiler, standard) for compiler in compilers("gcc", "clang") for standard in ("c99", "gnu17")]
        found = first(preprocessed(made, compiler, "c", standard) for compiler, standard in ways)
        return found or first(compiled(made, "gcc", "c", standard, "-Werror", "-pedantic") for standard in ("c99", "c11"))

    check(written["c"], mistake)


def test_cpp(written: dict[str, list[Written]]) -> None:
    def mistake(made: Written) -> str | None:
        ways = [("c++14", "g++"), ("c++17", "g++"), ("gnu++17", "clang++")]
        return first(preprocessed(made, compiler, "c++", standard) for standard, compiler in ways if shutil.which(compiler))

    check(written["cpp"], mistake)
    # To compile one takes seconds.
    check(written["cpp"][:3], lambda made: compiled(made, "g++", "c++", "c++17", "-Werror"))


def test_a_struct_that_lies_otherwise_does_not_compile(tmp_path: Path) -> None:
    wit = "package a:b; world w { record r { a: u8, b: f64 } export f: func(x: list<r>) -> u32; }"
    (tmp_path / "w.wasm").write_bytes(Module("w.wasm", wit, typed={"f": 2}).write())
    subprocess.run([CLI, "bindgen", "w.wasm", "--lang", "c", "-o", "w.h"], cwd=tmp_path, check=True)
    made = Written(tmp_path / "w.h", Module("w.wasm"))
    right = made.path.read_text()
    for wrong in (right.replace("  double b;\n", ""), right.replace("  double b;", "  float b;"), f"#pragma pack(1)\n{right}", right):
        made.path.write_text(wrong)
        for standard in ("c99", "c11", "gnu17"):
            found = compiled(made, "gcc", "c", standard)
            assert (found is None) == (wrong is right), f"{standard}: {found}"
        assert (compiled(made, "g++", "c++", "c++17") is None) == (wrong is right)


SCANNER = """
package main

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"strings"
)

func main() {
	var paths []string
	if err := json.NewDecoder(os.Stdin).Decode(&paths); err != nil {
		panic(err)
	}
	found := map[string]string{}
	for _, path := range paths {
		found[path] = mistake(path)
	}
	_ = json.NewEncoder(os.Stdout).Encode(found)
}

func mistake(path string) string {
	source, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	files := token.NewFileSet()
	if _, err := parser.ParseFile(files, path, source, parser.ParseComments|parser.AllErrors); err != nil {
		return err.Error()
	}
	var reader scanner.Scanner
	reader.Init(files.AddFile(path, -1, len(source)), source, nil, scanner.ScanComments)
	for {
		at, kind, text := reader.Scan()
		switch {
		case kind == token.EOF:
			return ""
		case kind == token.COMMENT && text != "//" && !strings.HasPrefix(text, "// ") && !strings.HasPrefix(text, "//undergo:"):
			return fmt.Sprintf("%v: a comment that is more than one: %.100s", files.Position(at), text)
		case kind == token.IDENT && text == "INJ":
			return fmt.Sprintf("%v: a name from a text", files.Position(at))
		}
	}
}
"""


def test_go(written: dict[str, list[Written]], tmp_path: Path) -> None:
    env = environment(go.find()) | {"CGO_ENABLED": "0"}
    (tmp_path / "scan.go").write_text(SCANNER)
    paths = json.dumps([str(made.path) for made in written["go"]])
    done = subprocess.run([go.find(), "run", "scan.go"], cwd=tmp_path, env=env, input=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    def mistake(made: Written) -> str | None:
        names = [*made.module.exports, *made.module.imports, *made.module.typed]
        # Names are what is left of them in letters and digits, which may be the word alone.
        is_named = any(re.sub("[^A-Za-z0-9]", "", name) == "INJ" for pair in names for name in ([pair] if isinstance(pair, str) else pair))
        text: str = found[str(made.path)]
        return None if is_named and text.endswith("a name from a text") else text

    check(written["go"], mistake)
    # The compiler sees them with what they are written for.
    module = tmp_path / "module"
    for number, made in enumerate(written["go"]):
        (module / f"made{number}").mkdir(parents=True)
        shutil.copy2(made.path, module / f"made{number}")
    (module / "go.mod").write_text("module made\n\ngo 1.24\n")
    required = f"-require={host_go.MODULE}@v{c_library.version()}"
    for arguments in (["mod", "edit", required, *host_go.replacements()], ["mod", "tidy"], ["vet", "./..."]):
        done = subprocess.run([go.find(), *arguments], cwd=module, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"SEED={SEED}\n{done.stderr[:3000]}"


def test_go_guest(tmp_path: Path) -> None:
    env = environment(go.find()) | {"CGO_ENABLED": "0"}
    dice = random.Random(SEED)
    (tmp_path / "go.mod").write_text("module made\n\ngo 1.24\n")
    for number in range(MODULES):
        wit = tmp_path / f"{number}.wit"
        wit.write_text(interface(dice), encoding="utf-8")
        command = [str(CLI), "bindgen", str(wit), "--lang", "go-guest", "-o", str(tmp_path / f"made{number}")]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"SEED={SEED}: {wit}\n{done.stderr}"
    files = [str(path) for path in tmp_path.glob("made*/**/*.go")]
    assert len(files) == MODULES
    (tmp_path / "scan.go").write_text(SCANNER)
    done = subprocess.run([go.find(), "run", "scan.go"], cwd=tmp_path, env=env, input=json.dumps(files), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path: text for path, text in json.loads(done.stdout).items() if text} == {}, f"SEED={SEED}"
    done = subprocess.run([go.find(), "vet", "./..."], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"SEED={SEED}\n{done.stderr[:3000]}"


READER = """
import com.sun.source.tree.*;
import com.sun.source.util.*;
import java.nio.file.Path;
import java.util.*;
import javax.tools.*;

public final class Reader {
    public static void main(String[] arguments) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager files = compiler.getStandardFileManager(null, Locale.ROOT, null);
        for (String path : arguments) {
            DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
            JavacTask task = (JavacTask) compiler.getTask(null, files, found, null, null, files.getJavaFileObjects(Path.of(path)));
            List<String> wrong = new ArrayList<>();
            for (CompilationUnitTree unit : task.parse()) {
                if (unit.getTypeDecls().size() != 1) {
                    wrong.add("it declares " + unit.getTypeDecls().size() + " types");
                }
                new TreeScanner<Void, Void>() {
                    private void name(CharSequence name) {
                        if (name.toString().equals("INJ")) {
                            wrong.add("a name from a text");
                        }
                    }

                    @Override
                    public Void visitIdentifier(IdentifierTree tree, Void none) {
                        name(tree.getName());
                        return super.visitIdentifier(tree, none);
                    }

                    @Override
                    public Void visitMemberSelect(MemberSelectTree tree, Void none) {
                        name(tree.getIdentifier());
                        return super.visitMemberSelect(tree, none);
                    }

                    @Override
                    public Void visitVariable(VariableTree tree, Void none) {
                        name(tree.getName());
                        return super.visitVariable(tree, none);
                    }

                    @Override
                    public Void visitMethod(MethodTree tree, Void none) {
                        name(tree.getName());
                        return super.visitMethod(tree, none);
                    }

                    @Override
                    public Void visitBlock(BlockTree tree, Void none) {
                        if (tree.isStatic()) {
                            wrong.add("code of a text");
                        }
                        return super.visitBlock(tree, none);
                    }
                }.scan(unit, null);
            }
            found.getDiagnostics().forEach(each -> wrong.add(each.toString()));
            System.out.println(String.join("; ", wrong).replace('\\n', ' '));
        }
    }
}
"""


def test_java(written: dict[str, list[Written]], tmp_path: Path) -> None:
    if reason := HOSTS["java"].missing():
        pytest.skip(reason)
    HOSTS["java"].build()
    (tmp_path / "Reader.java").write_text(READER)
    paths = [str(made.path) for made in written["java"]]
    done = subprocess.run(["java", tmp_path / "Reader.java", *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = dict(zip(paths, done.stdout.splitlines(), strict=True))

    def mistake(made: Written) -> str | None:
        if text := found[str(made.path)]:
            return text
        # The compiler sees it with what it is written for.
        command = ["javac", "-Xlint:all", "-Werror", "-d", str(tmp_path / "classes"), "-cp", str(JAR), str(made.path)]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stderr[:3000] if done.returncode else None

    check(written["java"], mistake)


def test_typescript(written: dict[str, list[Written]]) -> None:
    if not shutil.which("node") or not node_suite.tools():
        pytest.skip("there is no Node, or no TypeScript")
    program = """
        const ts = require(process.argv[1]), fs = require('fs'), out = {}
        for (const path of JSON.parse(fs.readFileSync(0, 'utf8'))) {
          const file = ts.createSourceFile(path, fs.readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true)
          const wrong = file.parseDiagnostics.map((found) => ts.flattenDiagnosticMessageText(found.messageText, ' '))
          const directives = (file.commentDirectives ?? []).length
          if (directives > 0) wrong.push('a comment tells the compiler what to check')
          const visit = (node) => {
            if (ts.isIdentifier(node) && node.text === 'INJ') wrong.push('a name from a text')
            if (ts.isTemplateExpression(node) || ts.isConstructSignatureDeclaration(node)) wrong.push('code of a text')
            if (ts.isInterfaceDeclaration(node)) {
              const names = node.members.map((member) => member.name?.text)
              if (new Set(names).size < names.length) wrong.push(`a member twice in ${names}`)
            }
            ts.forEachChild(node, visit)
          }
          visit(file)
          out[path] = wrong.join('; ')
        }
        console.log(JSON.stringify(out))
    """
    typescript = node_suite.TOOLS / "node_modules" / "typescript"
    paths = json.dumps([str(made.path) for made in written["ts"]])
    done = subprocess.run(["node", "-e", program, typescript], input=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    check(written["ts"], lambda made: found[str(made.path)])


def test_ruby(written: dict[str, list[Written]]) -> None:
    if not shutil.which("ruby"):
        pytest.skip("there is no Ruby")
    program = r"""
        require "json"
        require "ripper"
        texts = %i[on_comment on_tstring_content on_embdoc on_embdoc_beg on_embdoc_end]
        out = JSON.parse($stdin.read).to_h do |path|
          source = File.read(path, encoding: "UTF-8")
          wrong = []
          begin
            RubyVM::InstructionSequence.compile(source, path)
          rescue SyntaxError, StandardError => error
            wrong << error.message
          end
          Ripper.lex(source).each do |(line, _), kind, token, _|
            wrong << "line #{line}: #{token}" if !texts.include?(kind) && token.match?(/(?<![A-Za-z0-9_])INJ(?![A-Za-z0-9_])/)
            wrong << "line #{line}: code in a text" if %i[on_embexpr_beg on_embvar on___end__ on_embdoc_beg].include?(kind)
            wrong << "line #{line}: a magic comment" if kind == :on_comment && token.match?(/\A#\s*shareable.constant.value\s*:/i)
          end
          [path, wrong.join("; ")]
        end
        puts JSON.generate(out)
    """
    paths = json.dumps([str(made.path) for made in written["ruby"]])
    done = subprocess.run(["ruby", "-e", program], input=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    check(written["ruby"], lambda made: found[str(made.path)])


def test_rust(written: dict[str, list[Written]], tmp_path: Path) -> None:
    crate = Rust().library()

    def mistake(made: Written) -> str | None:
        text = re.sub(r'"(\\.|[^"\\\n])*"', '""', made.source.decode())
        # No text is without its quotes now, so that the rest of these lines is a comment.
        code = re.sub(r"//[^\n]*", "", text)
        found = next((line for line in code.splitlines() if word(line) or "/*" in line or "*/" in line), None)
        if found:
            return f"code of a text: {found[:200]}"
        if comment := re.search(r"(?m)^\s*//[/!] ?(?: {2,}|\t|.* {2}|.*(?<!\\)(?:`|~~~))", made.source.decode()):
            return f"a comment may be a program: {comment[0]}"
        # The compiler sees it with what it is written for.
        flags: list[str | Path] = ["--edition=2024", "--crate-type=lib", "--emit=metadata", "-Dwarnings", "--out-dir", tmp_path]
        done = subprocess.run(["rustc", *flags, *crate, made.path], capture_output=True, text=True)
        return done.stderr[:2000] if done.returncode else None

    check(written["rust"], mistake)


def outside(node: tree_sitter.Node, texts: set[str]) -> Iterator[str]:
    """Give what is no program, and where the word stands outside of comments and strings."""
    if node.is_error or node.is_missing:
        yield f"line {node.start_point.row + 1}: {(node.text or b'')[:60]!r}"
    if node.type in texts:
        return
    if node.type.startswith("interpol"):
        yield f"line {node.start_point.row + 1}: code in a text"
    if not node.children and word((node.text or b"").decode(errors="replace")):
        yield f"line {node.start_point.row + 1}: a name from a text"
    for child in node.children:
        yield from outside(child, texts)


@functools.cache
def parser(language: str) -> tree_sitter.Parser:
    """Make a parser."""
    made = {"kotlin": tree_sitter_kotlin, "swift": tree_sitter_swift}[language]
    return tree_sitter.Parser(tree_sitter.Language(made.language()))


def test_kotlin(written: dict[str, list[Written]]) -> None:
    texts = {"comment", "line_comment", "block_comment", "multiline_comment", "string_content"}
    fixture = ROOT / "cli" / "tests" / "fixtures" / "kitchen.kt"
    assert list(outside(parser("kotlin").parse(fixture.read_bytes()).root_node, texts)) == []
    check(written["kotlin"], lambda made: first(outside(parser("kotlin").parse(made.source).root_node, texts)))


def test_swift(written: dict[str, list[Written]]) -> None:
    texts = {"comment", "multiline_comment", "line_str_text"}

    def mistake(made: Written) -> str | None:
        # One declaration after the other: the parser loses its way in long files.
        parts = re.split(rb"(?m)^(?=///|public|extension)", made.source)
        return first(found for part in parts for found in outside(parser("swift").parse(part).root_node, texts))

    check(written["swift"], mistake)


def test_what_is_written_is_plain(written: dict[str, list[Written]]) -> None:
    allowed = {"\n", "\t", "\u200c", "\u200d"}

    def mistake(made: Written) -> str | None:
        odd = {c for c in made.source.decode() if c not in allowed and not c.isprintable()}
        return f"there are {odd}" if odd else None

    for files in written.values():
        check(files, mistake)


def test_odd_names_are_refused(tmp_path: Path) -> None:
    for odd in ("\n", "\r", "\x1b[2J", "\x7f", "\u009b", "\u202e", "\u2028", "\ufeff", "x" * 2000):
        for module, name in ((f"a{odd}", "f"), ("a", f"f{odd}")):
            for made in (Module("m.wasm", imports=[(module, name)]), Module("m.wasm", exports=[module, name])):
                refused(made, tmp_path)


def refused(module: Module, folder: Path) -> None:
    """Expect that a module is refused, in plain words."""
    (folder / "m.wasm").write_bytes(module.write())
    done = subprocess.run([CLI, "bindgen", "m.wasm", "--lang", "python"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "error[invalid-plugin]" in done.stderr
    assert all(c.isprintable() for c in done.stderr.strip()), repr(done.stderr)
