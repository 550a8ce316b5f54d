"""The scripts that others rely on: counting tests, finding dead links, telling what has changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import archives
import cases
import cross
import joined
import links
import npm
import platforms
import project
import prose
import pytest
import sbom
import statics
import test
import versions
from cases import Case

LIBTEST = """\
     Running unittests src/lib.rs (target/debug/deps/undergo-1)
test a ... ok
test b ... ignored, needs a network
test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/conformance/main.rs (target/debug/deps/conformance-1)
test c - d (line 5) ... ok
test e - should panic ... FAILED
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""


def events(*ended: tuple[str, str | None, str]) -> str:
    """Write events as `go test -json` does."""
    made = ({"Action": action, "Package": package, **({"Test": name} if name else {})} for package, name, action in ended)
    return "\n".join(json.dumps(event) for event in made)


def test_rust_tests_are_found() -> None:
    found = cases.of_libtest(LIBTEST)
    assert str(found) == "2 passed, 1 failed, 1 skipped"
    assert found.reasons == ["b: needs a network"]
    assert found.all[2:] == [
        Case("tests/conformance/main.rs", "c - d (line 5)", "passed"),
        Case("tests/conformance/main.rs", "e", "failed"),
    ]


def test_a_rust_test_program_that_died_has_failed() -> None:
    died = LIBTEST + "     Running tests/hostile.rs (target/debug/deps/hostile-1)\nerror: signal: 11\n"
    assert cases.of_libtest(died).failed == 2
    assert cases.of_libtest(died + LIBTEST).failed == 3


def test_go_tests_are_found_without_those_around_them() -> None:
    output = events(("p", "A/one", "pass"), ("p", "A/two", "skip"), ("p", "A", "pass"), ("p", "B", "pass"), ("p", None, "pass"))
    assert str(cases.of_go(output)) == "2 passed, 0 failed, 1 skipped"


def test_a_go_package_that_does_not_build_has_failed() -> None:
    assert str(cases.of_go("main.go:1: syntax error\n" + events(("p", None, "fail"), ("q", "A", "pass")))) == "1 passed, 1 failed"


def test_reports_are_read_and_written(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    tests = "<testcase/><testcase><failure/></testcase><testcase><error/></testcase><testcase><skipped message='why'/></testcase>"
    report.write_text(f"<testsuites><testsuite>{tests}</testsuite></testsuites>")
    found = cases.of_junit(report, tmp_path / "missing.xml")
    assert str(found) == "1 passed, 2 failed, 1 skipped"
    assert found.reasons == ["why"]
    found.all.append(Case("a", "\0 \x1b \ud800 <b>", "passed"))
    cases.write_junit(report, [("suite", 1.5, found)])
    assert cases.of_junit(report).all[-1] == Case("a", "\\u0000 \\u001b \\ud800 <b>", "passed")
    assert str(cases.of_junit(report)) == "2 passed, 2 failed, 1 skipped"


def test_what_a_test_of_junit_has_assumed_is_its_reason(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    thrown = "org.opentest4j.TestAbortedException: Assumption failed: it lacks x\n\tat org.junit"
    report.write_text(f"<testsuite><testcase><skipped>{thrown}</skipped></testcase></testsuite>")
    assert cases.of_junit(report).reasons == ["it lacks x"]


def test_node_tests_are_found() -> None:
    details = "  ---\n  duration_ms: 1\n  type: '{}'\n  ...\n"
    output = (
        "ok 1 - a # SKIP this host lacks b\n"
        + details.format("test")
        + "    not ok 1 - c\n  ---\n  ...\nok 2 - d\n"
        + details.format("suite")
    )
    found = cases.of_tap(output + "ok 3 - e\n1..3\n# tests 9\n")
    assert str(found) == "1 passed, 1 failed, 1 skipped"
    assert found.reasons == ["this host lacks b"]


def test_ruby_tests_are_found() -> None:
    output = "A#test_b = 0.01 s = .\nA#test_c d = 1.00 s = S\nB#test_e = 0.00 s = F\n\n  1) Skipped:\nA#test_c d [x.rb:1]:\nthere is no d\n"
    found = cases.of_minitest(output)
    assert str(found) == "1 passed, 1 failed, 1 skipped"
    assert found.reasons == ["there is no d"]


@pytest.mark.parametrize("program", ["print('all is well')", "import sys; print('1 passed'); sys.exit(3)"])
def test_a_suite_without_tests_has_failed(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test, "REPORTS", tmp_path)
    suite = test.Suite([project.PYTHON, "-c", program], cases.of_libtest)
    _, _, found = test.run("empty", suite, project.environment())
    assert found.failed == 1


def test_a_suite_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test, "LONGEST", 0.5)
    suite = test.Suite(["sh", "-c", "echo started; sleep 60 & wait"], cases.of_libtest)
    code, output = test.capture(suite, project.environment())
    assert code == 1
    assert output.startswith("started\n")


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# One `thing`, here\n")
    document = tmp_path / "document.md"
    document.write_text("[a](there.md#one-thing-here) [b](https://example.com)\n```\n[c](gone.md)\n```\n[d](gone.md) [e](there.md#two)\n")
    assert links.dead_links(document) == [(5, "gone.md"), (5, "there.md#two")]


def test_a_stamp_is_about_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "BUILD", tmp_path)
    file = tmp_path / "file"
    file.write_text("one")
    project.Stamp("thing", [file]).set()
    file.touch()
    assert project.Stamp("thing", [file]).fresh()
    file.write_text("two")
    assert not project.Stamp("thing", [file]).fresh()


def engine(package: str) -> set[str]:
    """Give the packages that Wasmtime is made of, with the features that a package of the workspace has of them."""

    def tree(root: str) -> set[str]:
        command = [
            "cargo",
            "tree",
            "--locked",
            "--package",
            root,
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--format",
            "{p} {f}",
        ]
        lines = subprocess.run(command, cwd=project.ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        return {line.removesuffix(" (*)") for line in lines if line}

    def name(line: str) -> tuple[str, ...]:
        return tuple(line.split()[:2])

    parts = {name(line) for line in tree("wasmtime") | tree("wasmtime-wasi")}
    return {line for line in tree(package) if name(line) in parts}


@pytest.mark.parametrize("package", ["undergo-python", "undergo-node", "undergo-c", "undergo-uniffi"])
def test_all_packages_share_one_engine(package: str) -> None:
    """Where features differ, Wasmtime is compiled once more: ask for them in features/Cargo.toml."""
    ours, cli = engine(package), engine("undergo-cli")
    assert len(ours) > 50
    assert ours ^ cli == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("static DONE: Once = Once::new();", ["Once"]),
        ("use std::sync::Once;", ["Once"]),
        ("use std::sync::{Arc, Once};", ["Once"]),
        ("static NAMES: OnceLock<Vec<String>> = OnceLock::new();", ["OnceLock"]),
        ("static NAMES: std::sync::LazyLock<u8> = std::sync::LazyLock::new(|| 1);", ["LazyLock"]),
        ("static ALL: Mutex<Vec<u8>> = Mutex::new(Vec::new());", ["ALL"]),
        ("pub static TABLE:\n    std::sync::RwLock<\n        u8> = x;", ["TABLE"]),
        ("static BELL: (Mutex<()>, Condvar) = x;", ["BELL"]),
        ("static ARRAY: [Mutex<u8>; 2] = x;", ["ARRAY"]),
        ("static BELL: PerProcess<(Mutex<()>, Condvar)> = PerProcess::new();", []),
        ("static ALL: [Lasting<u8>; 2] = x;", []),
        ("enum Compile { Once } fn f() { Compile::Once }", []),
        ("// A `OnceLock` would wait: static X: Mutex<u8> = y;", []),
        ("struct Held { lock: Mutex<()> }", []),
        ("fn f() {}\n#[cfg(test)]\nmod tests { static X: Mutex<u8> = y; }", []),
    ],
)
def test_what_a_forked_child_may_wait_for_is_found(text: str, names: list[str]) -> None:
    assert [name for name, _ in statics.waits(text)] == names


def test_nothing_waits_that_is_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert statics.main() == 0, capsys.readouterr().out


LONG = "word " * 30


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (f"{LONG}\n\n- {LONG}\n", [1, 3]),
        (f"| {LONG} |\n\n# {LONG}\n\n<!-- {LONG} -->\n", []),
        (f"```text\n{LONG}\n```\n{LONG}\n", [4]),
        (f"````text\n```\n{LONG}\n```\n````\n{LONG}\n", [6]),
        (f"[{'x' * 120}](https://example.com)\n", []),
        (f"{'word ' * 20}", []),
    ],
)
def test_long_lines_of_prose_are_found(text: str, numbers: list[int]) -> None:
    assert [number for number, line in prose.markdown(text) if prose.is_long(line)] == numbers


def test_long_comments_are_found() -> None:
    text = f"//! {LONG}\nlet x = 1; // {LONG}\n    // {LONG}\n/// short\n"
    lines = prose.comments(text, prose.SLASHES)
    assert [number for number, line in lines if prose.is_long(line)] == [1, 3]


def test_archives_follow_from_their_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    packed = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        (folder / "part").mkdir(parents=True)
        for name in ("b", "a") if number == 1 else ("a", "b"):
            (folder / "part" / name).write_text(name)
            os.utime(folder / "part" / name, (number, number))
            (folder / "part" / name).chmod(0o644 if number == 1 else 0o600)
        file = archives.tar(folder / "x.tar.gz", "x", {"part": folder / "part"})
        jar = archives.zipped(folder / "x.jar", {"a": b"a", "b": b"b"})
        packed.append((file.read_bytes(), jar.read_bytes(), archives.sums(folder, [file, jar]).read_text()))
    assert packed[0] == packed[1]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "1", check=True)


def test_packages_of_several_machines_are_joined(tmp_path: Path) -> None:
    for machine in ("a", "b"):
        (tmp_path / machine / "go-proxy").mkdir(parents=True)
        (tmp_path / machine / "go-proxy" / machine).write_text(machine)
        (tmp_path / machine / "same.tgz").write_text("same")
        (tmp_path / machine / f"{machine}.whl").write_text(machine)
        archives.zipped(tmp_path / machine / "x.jar", {"class": b"class", f"native/{machine}": machine.encode()})
    joined.main(tmp_path / "all", [tmp_path / "a", tmp_path / "b"])
    names = {file.name for file in (tmp_path / "all").iterdir()}
    assert names == {"a.whl", "b.whl", "same.tgz", "x.jar", "undergo-go-proxy.tar.gz", "SHA256SUMS"}
    with zipfile.ZipFile(tmp_path / "all" / "x.jar") as jar:
        assert jar.namelist() == ["class", "native/a", "native/b"]
    (tmp_path / "b" / "same.tgz").write_text("other")
    with pytest.raises(SystemExit, match="are not the same"):
        joined.main(tmp_path / "all", [tmp_path / "a", tmp_path / "b"])


def test_what_a_library_is_made_of_is_told() -> None:
    told = json.loads(sbom.of("undergo-node").read_text(encoding="utf-8"))
    assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "undergo-node")
    crates = {component["name"]: component for component in told["components"]}
    assert {"undergo", "wasmtime", "cranelift-codegen", "napi"} <= crates.keys()
    # What only builds others is in no library.
    assert not {"napi-build", "napi-derive", "syn", "clap", "pyo3"} & crates.keys()
    assert all(crate.get("licenses") for crate in crates.values())
    assert crates["wasmtime"]["purl"].startswith("pkg:cargo/wasmtime@")


def test_a_skipped_test_of_go_says_why() -> None:
    said = {"Action": "output", "Package": "p", "Test": "A", "Output": "    a_test.go:12: there is no server\n"}
    found = cases.of_go(f"{json.dumps(said)}\n{events(('p', 'A', 'skip'), ('p', 'B', 'skip'))}")
    assert sorted(found.reasons) == ["p.B", "there is no server"]


def test_probes_are_read() -> None:
    read = versions.read("ok load\nnoise\nnot ok call: why: because\nnot ok host\nskip worker: why\n")
    assert read == {"load": ("ok", ""), "call": ("not ok", "why: because"), "host": ("not ok", ""), "worker": ("skip", "why")}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("test_tool_calls[aarch64-unknown-linux-gnu]", "tool"),
        ("test_c[x86_64-unknown-linux-musl-static]", "c"),
        ("test_javascript[x86_64-unknown-linux-musl-bun]", "bun"),
        ("test_lists[x86_64-pc-windows-gnu-hostile]", "hostile"),
    ],
)
def test_a_test_has_a_column(name: str, column: str) -> None:
    assert platforms.column(name) == column
    assert column in platforms.RUN


def test_platforms_are_those_that_npm_knows() -> None:
    published = set(npm.platforms())
    assert npm.here() in published
    assert {platform.node for platform in (*cross.BUILT, cross.MAC)} <= published


def test_each_file_of_tests_of_the_core_is_run() -> None:
    """Cargo does not look for them, since most are modules of one program."""
    folder = project.ROOT / "core"
    run = set(re.findall(r"^mod (\w+);$", (folder / "tests/main.rs").read_text(encoding="utf-8"), re.MULTILINE))
    run |= set(re.findall(r'^\[\[test\]\]\nname = "(\w+)"$', (folder / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE))
    there = {path.stem for path in (folder / "tests").glob("*.rs")} | {path.parent.name for path in (folder / "tests").glob("*/main.rs")}
    assert there == run - {"common"}
