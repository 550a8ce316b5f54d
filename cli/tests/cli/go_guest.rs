//! `undergo bindgen --lang go-guest`.

use std::fs;
use std::path::Path;

use crate::support::{Run, folder, undergo};

/// The interfaces of the example.
const COUNTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/counter/wit");

fn write(wit: &str, args: &[&str]) -> (tempfile::TempDir, Run) {
    let folder = folder(&[("go.mod", "module example.com/app\n\ngo 1.24\n"), ("some.wit", wit)]);
    let mut all = vec!["bindgen", "some.wit", "--lang", "go-guest", "-o", "host/"];
    all.extend(args);
    let ran = undergo(folder.path(), &all);
    (folder, ran)
}

fn read(folder: &tempfile::TempDir, file: &str) -> String {
    fs::read_to_string(folder.path().join(file)).expect("written")
}

#[test]
fn the_packages_of_the_example_are_as_they_were() {
    let folder = folder(&[("go.mod", "module example.com/counter\n\ngo 1.24\n")]);
    undergo(folder.path(), &["bindgen", COUNTER, "--lang", "go-guest", "-o", "host/"]).ok();
    for file in [
        "keyvalue/store/store.go",
        "keyvalue/atomics/atomics.go",
        "keyvalue/batch/batch.go",
        "config/store/store.go",
        "logging/logging/logging.go",
    ] {
        let wanted = Path::new(COUNTER).join("../plugin/host").join(file);
        let text = read(&folder, &format!("host/{file}"));
        if std::env::var_os("UNDERGO_UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(wanted.parent().expect("a folder")).expect("made");
            fs::write(&wanted, &text).expect("written");
        }
        assert!(fs::read_to_string(&wanted).unwrap_or_default() == text, "{} differs; see with UNDERGO_UPDATE_GOLDEN=1", wanted.display());
    }
}

#[test]
fn one_interface_comes_with_what_it_uses() {
    let folder = folder(&[]);
    let args = [
        "bindgen",
        COUNTER,
        "--lang",
        "go-guest",
        "--interface",
        "wasi:keyvalue/atomics@0.2.0-draft2",
        "-o",
        "x/",
        "--package",
        "example.org/p/x",
    ];
    undergo(folder.path(), &args).ok();
    assert!(read(&folder, "x/keyvalue/atomics/atomics.go").contains("\t\"example.org/p/x/keyvalue/store\"\n"));
    assert!(!folder.path().join("x/keyvalue/batch").exists());
    // Without an import path nothing is written.
    let args = ["bindgen", COUNTER, "--lang", "go-guest", "-o", "y/"];
    undergo(folder.path(), &args).fails(1, &["give the import path of that folder by --package"]);
    assert!(!folder.path().join("y").exists());
}

#[test]
fn what_go_cannot_say_is_refused() {
    for (text, why) in [
        ("f: func(a: char);", "Go has no type for char"),
        ("flags f { a }\nf2: func(a: f);", "Go has no type for flags"),
        ("f: func(a: result<u8>);", "a result within a value"),
        ("f: func() -> option<option<u8>>;", "an option of an option"),
        ("f: func() -> result<u8, u8>;", "an error in Go is a text"),
        ("f: func() -> result<u8>;", "an error in Go says something"),
        ("f: async func();", "asynchronous"),
        ("f: func() -> future<u8>;", "Go has no type for a future"),
        ("resource r { }\nf: func() -> r;", "has no methods"),
        ("resource r { m: func(); }\nf: func(a: list<borrow<r>>);", "within a value"),
        ("record r { URL: u8 }\nf: func(a: r);", "names are of small letters"),
        ("enum e { a-b, AB }\nf: func(a: e);", "names are of small letters"),
    ] {
        let (folder, ran) = write(&format!("package a:b@1.0.0;\ninterface i {{\n{text}\n}}\n"), &[]);
        ran.fails(1, &["a:b/i@1.0.0 can't be imported into Go", why]);
        assert!(!folder.path().join("host").exists(), "{text}");
    }
    let world = |text: &str| write(&format!("package a:b;\nworld w {{\n{text}\n}}\n"), &[]).1;
    world("import f: func();").fails(1, &["put it into an interface"]);
    world("import i: interface { f: func(); }").fails(1, &["declare it in the package"]);
    world("export f: func();").fails(1, &["imports no interface"]);
}

#[test]
fn errors_and_handles_are_those_of_the_interface() {
    let wit = "package a:b;
interface i {
  enum code { not-found, other }
  record failed { message: string, code: code }
  resource r { constructor(name: string); get: func() -> result<string, failed>; static-one: static func() -> r; }
  one: func(r: borrow<r>) -> result<tuple<u8, string>, code>;
  two: func(r: r) -> result<_, string>;
}
";
    let (folder, ran) = write(wit, &[]);
    ran.ok();
    let text = read(&folder, "host/b/i/i.go");
    for part in [
        "//undergo:interface a:b/i\npackage i\n",
        "func (e Code) Error() string {",
        "func (e Failed) Error() string { return \"failed: \" + e.Message }",
        "\t//undergo:fails Failed\n\tGet() (string, error)\n",
        "//undergo:import [constructor]r\nvar NewR func(name string) R\n",
        "//undergo:import [static]r.static-one\nvar RStaticOne func() R\n",
        "//undergo:import one\n//undergo:fails Code\nvar One func(r R) (uint8, string, error)\n",
        "//undergo:import two\n//undergo:keep r\nvar Two func(r R) error\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn docs_are_comments_and_nothing_else() {
    let wit = "package a:b;
/// Ends here\r/* or */ there
///
/// +build ignore
/// go:embed secrets
interface i {
  /// undergo:export evil
  f: func(%type: u8);
}
";
    let (folder, ran) = write(wit, &[]);
    ran.ok();
    let text = read(&folder, "host/b/i/i.go");
    let code: Vec<_> = text.lines().filter(|line| !line.starts_with("// ") && *line != "//" && !line.is_empty()).collect();
    assert_eq!(code, ["//undergo:interface a:b/i", "package i", "//undergo:import f", "var F func(type_ uint8)"]);
}

#[test]
fn what_go_has_itself_is_left_out() {
    let wit = "package a:b;
interface i { f: func(); }
world w { import i; import wasi:clocks/wall-clock@0.2.0; }
package wasi:clocks@0.2.0 { interface wall-clock { now: func() -> u64; } }
";
    let (folder, ran) = write(wit, &[]);
    ran.ok();
    assert!(folder.path().join("host/b/i/i.go").exists() && !folder.path().join("host/clocks").exists());
}
