//! Interfaces are printed and checked, whoever wrote them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Run, folder, kitchen, undergo};

const APP: &str = "package my:app;

/// What an app is.
world app {
  use deps:kv/store.{key};
  import deps:kv/store;
  /// Runs it.
  export run: func(first: key) -> result<_, string>;
}

world other { export deps:log/out; }

interface unused { f: func(); }
";
const KV: &str =
    "package deps:kv;\ninterface store { type key = string; get: func(k: key) -> option<list<u8>>; }\ninterface admin { f: func(); }\n";
const LOG: &str = "package deps:log;\ninterface out { say: func(text: string); }\n";

/// A package with one dependency in a folder, and one in a file.
fn app() -> tempfile::TempDir {
    folder(&[("wit/app.wit", APP), ("wit/deps/kv/store.wit", KV), ("wit/deps/log.wit", LOG), ("wit/README.md", ""), ("wit/deps/x", "")])
}

#[test]
fn a_folder_is_printed_in_one_text_that_stays_as_it_is() {
    let dir = app();
    let text = undergo(dir.path(), &["wit", "wit"]).ok();
    for part in [
        "package my:app;\n",
        "  /// Runs it.\n  export run: func(first: key) -> result<_, string>;\n",
        "package deps:kv {\n  interface store {\n    type key = string;\n",
        "interface unused {",
        "say: func(text: string);",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    // An interface of another package that nobody uses.
    assert!(!text.contains("admin"), "{text}");
    std::fs::write(dir.path().join("one.wit"), &text).expect("written");
    assert_eq!(undergo(dir.path(), &["wit", "one.wit"]).ok(), text);
    assert_eq!(undergo(dir.path(), &["wit", "--check", "wit"]).ok(), "wit is fine\n");
}

#[test]
fn a_world_is_printed_with_what_it_uses() {
    let dir = app();
    let world = |args: &[&str]| undergo(dir.path(), &[&["wit", "wit", "--world"], args].concat());
    let text = world(&["app"]).ok();
    assert!(text.contains("world app {") && text.contains("package deps:kv {"), "{text}");
    assert!(!text.contains("other") && !text.contains("unused") && !text.contains("deps:log"), "{text}");
    assert!(world(&["my:app/other"]).ok().contains("export deps:log/out;"));
    world(&["third", "--check"]).fails(1, &["error: World `third` not found in package `my:app`"]);
    world(&["a b"]).fails(1, &["error: ", "a b"]);
}

#[test]
fn a_plugin_has_its_interface_printed() {
    let text = undergo(Path::new("."), &["wit", kitchen()]).ok();
    assert!(text.contains("world kitchen {") && text.contains("export greet: func(p: person, shout: bool)"), "{text}");
    let dir = folder(&[("kitchen.wit", &text)]);
    assert_eq!(undergo(dir.path(), &["wit", "kitchen.wit"]).ok(), text);
    let json = undergo(dir.path(), &["wit", "kitchen.wit", "--json"]).ok();
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["worlds"][0]["name"], "kitchen");
    assert!(value["packages"].is_array() && value["types"].is_array() && value["interfaces"].is_array());
}

#[test]
fn a_component_has_its_interface_printed() {
    let dir = folder(&[]);
    let component = r#"(component
        (import "a:b/c@1.2.0" (instance (export "f" (func (param "n" u32) (result (list string))))))
        (import "log" (func (param "text" string))))"#;
    std::fs::write(dir.path().join("c.wasm"), wat::parse_str(component).expect("a component")).expect("written");
    let text = undergo(dir.path(), &["wit", "c.wasm"]).ok();
    for part in [
        "package root:component;",
        "import a:b/c@1.2.0;",
        "import log: func(text: string);",
        "package a:b@1.2.0 {",
        "f: func(n: u32) -> list<string>;",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert_eq!(undergo(dir.path(), &["wit", "c.wasm", "--world", "root"]).ok(), text);
}

#[test]
fn errors_name_the_place() {
    let wrong = "package a:b;\nworld w {\n  import f: funk();\n}\n";
    let lost = "package a:b;\nworld w {\n  import c:d/e;\n}\n";
    let circle = "package a:b;\ninterface i {\n  record r { r: list<r> }\n}\n";
    let dir = folder(&[("wrong.wit", wrong), ("lost.wit", lost), ("circle.wit", circle), ("empty/readme", ""), ("bytes.wit", "")]);
    let check = |path: &str| undergo(dir.path(), &["wit", path, "--check"]);
    check("wrong.wit").fails(1, &["error: expected ", "--> wrong.wit:3:17", "import f: funk();"]);
    check("lost.wit").fails(1, &["package 'c:d' not found", "--> lost.wit:3:10"]);
    check("circle.wit").fails(1, &["type `r` depends on itself", "--> circle.wit:3:22"]);
    check("empty").fails(1, &["empty has no file of WIT"]);
    check("none.wit").fails(1, &["none.wit can't be read"]);
    std::fs::write(dir.path().join("bytes.wit"), b"package a:b;\n// \xff").expect("written");
    check("bytes.wit").fails(1, &["bytes.wit is no WIT: it is not UTF-8"]);
    std::fs::write(dir.path().join("m.wasm"), wat::parse_str("(module (func (export \"_initialize\")))").expect("a module"))
        .expect("written");
    check("m.wasm").fails(1, &["m.wasm has no readable interface: it is a module without an interface"]);
    undergo(dir.path(), &["wit", "lost.wit", "--check", "--json"]).fails(2, &["--json"]);
}

#[test]
fn a_text_has_no_hold_on_the_terminal() {
    let dir = folder(&[
        ("a.wit", "package a:b;\n/// \u{7f} and \u{feff}\nworld w { export f: func(); }\n"),
        ("b.wit", "package a:\u{1b}[31mb;\n"),
    ]);
    for args in [&["wit", "a.wit"][..], &["wit", "a.wit", "--json"], &["wit", "b.wit"]] {
        let run = undergo(dir.path(), args);
        let text = run.stdout + &run.stderr;
        assert!(!text.is_empty() && text.chars().all(|c| c == '\n' || undergo::host::escape::is_plain(c)), "{text:?}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_end() {
    use std::os::unix::fs::symlink;
    let dir = app();
    let path = |name: &str| dir.path().join(name);
    symlink("b.wit", path("a.wit")).expect("a link");
    symlink("a.wit", path("b.wit")).expect("a link");
    undergo(dir.path(), &["wit", "a.wit"]).fails(1, &["a.wit can't be read", "symbolic links"]);
    symlink("/dev/zero", path("zero.wit")).expect("a link");
    undergo(dir.path(), &["wit", "zero.wit"]).fails(1, &["zero.wit can't be read"]);
    // A folder that is among its own dependencies.
    symlink("..", path("wit/deps/self")).expect("a link");
    undergo(dir.path(), &["wit", "wit"]).fails(1, &["my:app"]);
    std::fs::remove_file(path("wit/deps/self")).expect("removed");
    symlink("self", path("wit/deps/self")).expect("a link");
    undergo(dir.path(), &["wit", "wit"]).ok();
}

/// The command ends with that error, within seconds and a gigabyte.
fn refuses(dir: &Path, name: &str, text: &str) {
    let begun = Instant::now();
    let run = undergo(dir, &["wit", name]);
    run.fails(1, &[text]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{name} takes {:?}", begun.elapsed());
}

fn ends(dir: &Path, name: &str) -> Run {
    let begun = Instant::now();
    let run = undergo(dir, &["wit", "--check", name]);
    assert!(run.code == 0 || run.code == 1, "{name}: {} {}", run.code, run.stderr);
    assert!(begun.elapsed() < Duration::from_secs(20), "{name} takes {:?}", begun.elapsed());
    run
}

#[test]
fn a_hostile_text_ends_in_an_error() {
    let dir = folder(&[]);
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).expect("written");
    let head = "package a:b;\ninterface i {\n";
    write("deep.wit", format!("{head}type t = {}u8{};\n}}\n", "list<".repeat(100_000), ">".repeat(100_000)));
    refuses(dir.path(), "deep.wit", "the interface is nested too deeply");
    write("long.wit", format!("{head}{}}}\n", "/// more\n".repeat(500_000)));
    refuses(dir.path(), "long.wit", "at most");
    // Each type uses the next, in an order that has to be found.
    let mut chain = String::from(head);
    for i in 0..100_000 {
        writeln!(chain, "type t{i} = list<t{}>;", i + 1).expect("written");
    }
    write("chain.wit", chain + "type t100000 = u8;\n}\n");
    ends(dir.path(), "chain.wit");
    let mut worlds = String::from("package a:b;\nworld w0 { import f: func(); }\n");
    for i in 1..20_000 {
        writeln!(worlds, "world w{i} {{ include w{}; }}", i - 1).expect("written");
    }
    write("worlds.wit", worlds);
    ends(dir.path(), "worlds.wit");
}

/// A section of a component.
fn section(id: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![id];
    let mut length = body.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend(body);
    out
}

#[test]
fn a_hostile_component_ends_in_an_error() {
    let dir = folder(&[]);
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).expect("written");
    let text = |name: &str, text: &str| write(name, &wat::parse_str(text).expect("a component"));
    const HEAD: &[u8] = b"\0asm\x0d\0\x01\0";
    write("version.wasm", b"\0asm\x0a\0\x01\0");
    refuses(dir.path(), "version.wasm", "it is a component of version 10, and this host knows version 13");
    write("short.wasm", &HEAD[..6]);
    refuses(dir.path(), "short.wasm", "it is not a module of WebAssembly version 1");
    let mut bytes = wat::parse_str(r#"(component (core module (func (export "f"))) (import "f" (func)))"#).expect("a component");
    bytes.pop();
    write("truncated.wasm", &bytes);
    refuses(dir.path(), "truncated.wasm", "the component is damaged: unexpected end-of-file");
    let modules = section(1, b"\0asm\x01\0\0\0").repeat(100_000);
    write("modules.wasm", &[HEAD, &modules].concat());
    refuses(dir.path(), "modules.wasm", "more than 1000 modules and components");
    let mut nested = HEAD.to_vec();
    for _ in 0..5_000 {
        nested = [HEAD, &section(4, &nested)].concat();
    }
    write("nested.wasm", &nested);
    refuses(dir.path(), "nested.wasm", "more than 32 others within each other");
    // Types within types, of which the parser reads each by a call of itself.
    let types = |depth: usize| {
        let types = [&[1][..], &b"\x41\x01\x01".repeat(depth), b"\x40\0\x01\0"].concat();
        [HEAD, &section(7, &types)].concat()
    };
    write("types.wasm", &types(1_000_000));
    refuses(dir.path(), "types.wasm", "more than 100000 types of components and instances");
    write("types.wasm", &types(99_000));
    ends(dir.path(), "types.wasm");
    undergo(dir.path(), &["inspect", "--check", "types.wasm"]).fails(1, &["types.wasm: it has more than 256 types"]);
    let mut double = String::from("(component (type $t0 (tuple u8 u8))");
    for i in 1..19 {
        write!(double, "(type $t{i} (tuple $t{0} $t{0}))", i - 1).expect("written");
    }
    // A few bytes for each function, whose text would be a megabyte.
    for i in 0..1000 {
        write!(double, "(import \"f{i}\" (func (param \"a\" $t18)))").expect("written");
    }
    text("double.wasm", &(double + ")"));
    ends(dir.path(), "double.wasm").fails(1, &["double.wasm"]);
    let name = "n".repeat(90_000);
    let mut long = format!("(component (import \"{name}\" (type $r (sub resource)))");
    for i in 0..1000 {
        write!(long, "(import \"f{i}\" (func (param \"a\" (own $r)) (param \"b\" (own $r)) (param \"c\" (own $r))))").expect("written");
    }
    text("long.wasm", &(long + ")"));
    refuses(dir.path(), "long.wasm", "bytes as text");
    let mut instances = String::from("(component (type $i (instance ");
    for i in 0..10_000 {
        write!(instances, "(export \"f{i}\" (func))").expect("written");
    }
    instances += "))";
    for i in 0..1_000 {
        write!(instances, "(import \"a:b/i{i}\" (instance (type $i)))").expect("written");
    }
    text("instances.wasm", &(instances + ")"));
    ends(dir.path(), "instances.wasm").fails(1, &["instances.wasm"]);
}
